/**
 * Reads a sentence aloud with a voice of this machine. Never with one from the network: what is said here is about a
 * customer's paper. One sentence at a time, a newer one breaks off the older, and softer than the people's own voices.
 */

/** @typedef {"on" | "off" | "no_voice" | "none"} VoiceState none: this browser cannot speak at all */

const VOLUME = 0.55;
const RATE = 0.95;

export class Voice {
  /**
   * @param {SpeechSynthesis | undefined} speech
   * @param {(state: VoiceState) => void} changed
   * @param {(words: string) => SpeechSynthesisUtterance} [utter]
   */
  constructor(speech, changed, utter = (words) => new SpeechSynthesisUtterance(words)) {
    this.speech = speech;
    this.changed = changed;
    this.utter = utter;
    this.wanted = false;
    this.language = "";
    this.last = "";
    this.voices = () => this._told();
    speech?.addEventListener?.("voiceschanged", this.voices);
  }

  /** @returns {VoiceState} */
  get state() {
    if (!this.speech) return "none";
    if (!this.wanted) return "off";
    return this._voice() ? "on" : "no_voice";
  }

  /** @param {string} language of the page: fi, sv, en */
  speaks(language) {
    this.language = language;
    this._told();
  }

  /** @param {boolean} on */
  turn(on) {
    this.wanted = on;
    this.last = "";
    if (!on) this.speech?.cancel();
    this._told();
  }

  /** @param {string} words said once; the same words again are not said twice in a row */
  say(words) {
    if (words === this.last) return;
    this.last = words;
    const voice = this.wanted ? this._voice() : null;
    if (!voice || !this.speech) return;
    this.speech.cancel();
    if (!words) return;
    const utterance = this.utter(words);
    utterance.voice = voice;
    utterance.lang = voice.lang;
    utterance.volume = VOLUME;
    utterance.rate = RATE;
    this.speech.speak(utterance);
  }

  close() {
    this.turn(false);
    this.speech?.removeEventListener?.("voiceschanged", this.voices);
  }

  _told() {
    this.changed(this.state);
  }

  /** @returns {SpeechSynthesisVoice | null} */
  _voice() {
    const own = (this.speech?.getVoices() ?? []).filter(({ localService, lang }) => localService && languageOf(lang) === this.language);
    return own.find(({ default: chosen }) => chosen) ?? own[0] ?? null;
  }
}

/** @param {string} tag such as fi-FI, or fi_FI on some systems */
function languageOf(tag) {
  return tag.toLowerCase().split(/[-_]/)[0] ?? "";
}
