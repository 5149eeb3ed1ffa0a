/**
 * The customer's paper on the room screen: its picture with the outline and the expert's marks, one piece of advice at a
 * time by picture and words, read aloud when asked for. One for the page; each session begins it and ends it.
 */

import { advice, Guidance } from "../guidance.js";
import { PointedAt } from "../pointed.js";
import { Voice } from "../voice.js";
import { LiveSheet } from "./live-sheet.js";
import { cover } from "./media.js";
import { element, say } from "./page.js";

/** @typedef {import("../document-messages.js").Marks} Marks */

/** @type {Marks} */
const UNMARKED = { type: "marks", page: 0, marks: [], pointer: null };

export class RoomPaper {
  constructor() {
    const video = /** @type {HTMLVideoElement} */ (document.querySelector("video[data-stream=document]"));
    const area = element("document", HTMLElement);
    this.words = element("document-words", HTMLElement);
    this.marks = UNMARKED;
    this.pointed = new PointedAt();
    /** @type {import("../document.js").CameraState} */
    this.camera = "opening";
    this.seen = false;
    this.stalled = false;
    /** @type {import("../document-messages.js").Line | null} */
    this.line = null;
    this.sheet = new LiveSheet({
      area,
      placing: () => ({ area: [area.clientWidth, area.clientHeight], picture: [video.videoWidth || 16, video.videoHeight || 9] }),
      pen: {
        marks: (page) => (page === this.marks.page ? this.marks.marks : []),
        pointer: (page) => (page === this.marks.page ? this.marks.pointer : null),
      },
    });
    video.addEventListener("resize", () => this.sheet.redraw());
    this.voice = new Voice(globalThis.speechSynthesis, () => this._aloud());
    this.guidance = new Guidance(() => this._advise());
    this.button = element("aloud", HTMLButtonElement);
    this.button.addEventListener("click", () => this._turnVoice());
    this.reworded();
  }

  /** @returns {import("../document.js").SheetEvents} */
  get events() {
    return {
      page: (page) => {
        const there = this.camera === "ok" ? page : null;
        this.sheet.told(there);
        if (there) this.guidance.want(advice(there), performance.now());
        else this.guidance.stop();
      },
      marks: (marks) => this._marked(marks),
      refused: () => undefined,
      thin: (line) => {
        this.line = line;
        this._line();
      },
    };
  }

  /**
   * @param {import("../document.js").CameraState} camera
   * @param {string} line how frames come
   */
  cameraIs(camera, line) {
    this.camera = camera;
    this.seen ||= camera === "ok";
    this.stalled = line === "stalled";
    if (camera !== "ok") {
      this.guidance.stop();
      this.sheet.told(null);
    }
    const there = camera !== "opening" && (camera !== "away" || this.seen);
    element("stage", HTMLElement).dataset["paper"] = there ? "yes" : "no";
    this._cover();
    this._line();
  }

  /** The page speaks another language now. */
  reworded() {
    this.voice.speaks(document.documentElement.lang);
    this._advise();
    this._cover();
    this._line();
    element("pointed", HTMLElement).textContent = "";
  }

  /** Nothing of the session stays; the next customer turns the voice on anew. */
  end() {
    this.voice.turn(false);
    this.camera = "opening";
    this.seen = this.stalled = false;
    this.line = null;
    this.marks = UNMARKED;
    this.pointed = new PointedAt();
    this.guidance.stop();
    this.sheet.told(null);
    element("stage", HTMLElement).dataset["paper"] = "no";
    this.reworded();
  }

  /** @param {Marks} marks */
  _marked(marks) {
    this.marks = marks;
    this.sheet.redraw();
    const what = this.pointed.heard(marks, performance.now());
    if (what) element("pointed", HTMLElement).textContent = say(`pointed.${what}`);
  }

  _advise() {
    const { shown } = this.guidance;
    const guide = element("guide", HTMLElement);
    guide.dataset["advice"] = shown ?? "";
    document.getElementById("guide-use")?.setAttribute("href", shown ? `#hint-${shown}` : "");
    const words = shown ? say(`hint.${shown}`) : "";
    const said = words || say("room.paper");
    if (this.words.textContent !== said) this.words.textContent = said;
    this.voice.say(words);
  }

  _cover() {
    const words = this.camera === "ok" || this.camera === "opening" ? "" : say(`room.camera_${this.camera}`);
    cover(element("document-away", HTMLElement), words || (this.stalled ? say("line.restoring") : ""));
  }

  _line() {
    // without a picture there is nothing that could move slowly
    const thin = this.camera === "ok" && this.line && this.line.step !== "full" ? say(`room.thin_${this.line.step}`) : "";
    const voice = this.voice.wanted && this.voice.state !== "on" ? say("room.no_voice") : "";
    const place = element("guide-line", HTMLElement);
    const words = [voice, thin].filter(Boolean).join(" ");
    if (place.textContent !== words) place.textContent = words;
  }

  _turnVoice() {
    this.voice.turn(!this.voice.wanted);
    this._advise();
  }

  _aloud() {
    this.button?.setAttribute("aria-pressed", String(this.voice.state === "on"));
    this._line();
  }
}
