/** Somebody arrived in the queue: a banner, the page's title and a short sound, for an expert who looks elsewhere. */

import { notify, say } from "./page.js";

export function arrivals() {
  const title = document.title;
  let known = waiting();
  let watching = true;

  /** @param {boolean} on whether arrivals are told just now; in a session they are not */
  function watch(on) {
    watching = on;
    mark();
  }

  function mark() {
    document.title = known.size > 0 ? `(${known.size}) ${title}` : title;
  }

  function compare() {
    const now = waiting();
    const came = [...now].some((id) => !known.has(id));
    known = now;
    mark();
    if (!came || !watching || document.body.dataset["view"] !== "idle") return;
    notify(say("expert.somebody_came"));
    chime();
  }

  mark();
  return { watch, compare };
}

function waiting() {
  return new Set([...document.querySelectorAll("[data-waiting]")].map((one) => one.getAttribute("data-waiting") ?? ""));
}

/** Two soft tones; silent where the browser has not been clicked yet. */
function chime() {
  if (!navigator.userActivation?.hasBeenActive) return;
  const audio = new AudioContext();
  for (const [at, pitch] of /** @type {const} */ ([[0, 660], [0.16, 880]])) {
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const loud = new GainNode(audio, { gain: 0 });
    tone.connect(loud).connect(audio.destination);
    loud.gain.setValueAtTime(0.12, audio.currentTime + at);
    loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.3);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.32);
  }
  setTimeout(() => void audio.close(), 1000);
}
