/** What the expert reads of a session's lines: in the bar above, over the two pictures, and along the customer's foot. */

import { cover, remark } from "./media.js";
import { element, notify, say } from "./page.js";
import { Silence } from "./silence.js";

/**
 * @typedef {object} Lines
 * @property {() => boolean} onHold
 * @property {() => import("../document.js").CameraState} camera how the document camera is, as its agent says
 * @property {(seat: "room" | "camera") => boolean} isStopped the line is cut: it is not certain who is there
 */

export class Words {
  /** @param {Lines} lines */
  constructor(lines) {
    this.lines = lines;
    /** Whether the server is out of reach. */
    this.away = false;
    this.states = { room: "none", camera: "none" };
    /** @type {import("../text.js").Shown} */
    this.theirs = { camera: true, microphone: true };
    /** The customer's. */
    this.silence = new Silence(() => this.write());
    /** Whether the relay's refusal is told. */
    this.refusalTold = false;
  }

  end() {
    this.silence.end();
  }

  /** @param {boolean} there */
  server(there) {
    this.away = !there;
    this.write();
  }

  /**
   * @param {string} from
   * @param {string} state
   */
  line(from, state) {
    if (from === "room" || from === "camera") this.states[from] = state;
    if (from === "room") this.silence.line(state);
    this.write();
  }

  /** @param {import("../text.js").Shown} shown */
  customer(shown) {
    this.theirs = shown;
    this.write();
  }

  /** A relay that is not needed may refuse us without a word. */
  refused() {
    if (this.refusalTold || (this.states.room === "good" && this.states.camera === "good")) return;
    this.refusalTold = true;
    notify(say("line.relay_refused"), { kind: "warn", lasts: "until_read" });
  }

  write() {
    const { room, camera } = this.states;
    const line = this.away && room === "good" ? "away" : room;
    const bar = element("line", HTMLElement);
    bar.dataset["state"] = line;
    const said = say(`line.${this.silence.isLong ? this._whose() : line}`);
    if (bar.textContent !== said) bar.textContent = said;
    remark(element("room-remark", HTMLElement), room === "good" && !this.lines.onHold() ? this._unheard() : "");
    cover(element("room-words", HTMLElement), this._roomWords(room));
    cover(element("document-words", HTMLElement), this._documentWords(camera));
  }

  /** @param {string} line */
  _roomWords(line) {
    if (this.lines.isStopped("room")) return say("identity.stopped_expert");
    if (this.lines.onHold()) return say("expert.on_hold");
    if (line === "good" && this.theirs.camera) return "";
    if (line === "good") return say(`expert.customer_camera_${this.theirs.broken?.includes("camera") ? "broken" : "off"}`);
    if (this.silence.isLong) return say(this._whose() === "cut" ? "expert.cut" : "expert.customer_gone");
    return say(line === "stalled" ? "line.restoring" : "expert.customer_coming");
  }

  _unheard() {
    if (this.theirs.broken?.includes("microphone")) return say("expert.customer_microphone_broken");
    return this.theirs.microphone ? "" : say("expert.customer_microphone_off");
  }

  /** Whose line it is that carries nothing: the server is no longer heard either, or it is. */
  _whose() {
    return this.away ? "cut" : "gone";
  }

  /** @param {string} line */
  _documentWords(line) {
    const camera = this.lines.camera();
    if (this.lines.isStopped("camera")) return say("identity.stopped_document");
    if (camera === "frozen" || camera === "black") return say(`expert.document_${camera}`);
    if (camera === "lost" || camera === "away") return say("expert.document_away");
    return line === "good" ? "" : say(line === "stalled" ? "line.restoring" : "expert.document_opening");
  }
}
