/**
 * Looking at what the room agent shows: its data channel `document`, with the heartbeat of the camera, the sheet under it,
 * and the stills. Silence is news too: without a status for 3 s the camera is away, whatever the picture still shows.
 */

import { decode } from "./document-messages.js";
import { unhandled } from "./messages.js";
import { Stills } from "./stills.js";

/** @typedef {import("./document-messages.js").FromAgent} FromAgent */
/** @typedef {import("./document-messages.js").ToAgent} ToAgent */
/** @typedef {import("./document-messages.js").Page} Page */
/** @typedef {import("./document-messages.js").Status["camera"] | "away"} CameraState */
/**
 * What is told of the sheet on the table.
 * @typedef {object} SheetEvents
 * @property {(page: Page | null) => void} page null when nobody knows any more
 * @property {(marks: import("./document-messages.js").Marks) => void} marks
 * @property {(refused: import("./document-messages.js").Refused) => void} refused
 * @property {(line: import("./document-messages.js").Line) => void} thin how much the line carries
 */
/**
 * @typedef {Omit<import("./stills.js").StillEvents, "send"> & { camera: (state: CameraState) => void, sheet?: SheetEvents }} DocumentEvents
 */

const SILENCE_MS = 3000;
/** @type {ReadonlySet<CameraState>} silent by themselves */
const QUIET = new Set(["opening", "away"]);

export class DocumentChannel {
  /** @param {DocumentEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {RTCDataChannel | null} */
    this.channel = null;
    /** @type {CameraState} */
    this.camera = "opening";
    /** @type {Page | null} the newest word of the sheet */
    this.page = null;
    this.heard = 0;
    /** How many frames of the document come a second, by the camera's word. */
    this.frames = 15;
    this.stills = new Stills({ ...events, send: (message) => this.send(message) });
  }

  /** @param {RTCDataChannel} channel the newest one; an older one falls silent by itself */
  use(channel) {
    this.channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => this._received(data);
    channel.onclose = () => this._gone(channel);
  }

  /** Asks for the page under the camera; null when there is nobody to ask. */
  capture() {
    return this.isOpen ? this.stills.capture() : null;
  }

  askKeyFrame() {
    this.send({ type: "key_frame" });
  }

  get isOpen() {
    return this.channel?.readyState === "open";
  }

  /** @param {ToAgent} message lost without a word when there is nobody to hear it */
  send(message) {
    if (this.isOpen) this.channel?.send(JSON.stringify(message));
  }

  /** @param {number} now milliseconds of performance.now() */
  tick(now) {
    if (!QUIET.has(this.camera) && now - this.heard > SILENCE_MS) this._camera("away");
  }

  close() {
    this.stills.stop();
    if (!this.channel) return;
    this._gone(this.channel);
    this._camera("away");
  }

  /** @param {string | ArrayBuffer} data */
  _received(data) {
    if (typeof data !== "string") return this.stills.chunk(data);
    const message = decode(data);
    // a newer agent may say more than we know
    return message ? this._told(message) : undefined;
  }

  /** @param {FromAgent} message */
  _told(message) {
    switch (message.type) {
      case "status":
        this.heard = performance.now();
        return this._camera(message.camera);
      case "page":
        return this._page(message);
      case "marks":
        return this.events.sheet?.marks(message);
      case "refused":
        return this.events.sheet?.refused(message);
      case "line":
        this.frames = message.frames_per_second;
        return this.events.sheet?.thin(message);
      case "still_progress":
      case "still_begin":
      case "still_end":
      case "still_failed":
        return void this.stills.received(message);
      default:
        return unhandled(message);
    }
  }

  /**
   * A still under way may go on over the next channel, or gives up by itself. That channel, of a new connection, is often there a
   * moment later: only silence tells that the camera is away.
   * @param {RTCDataChannel} channel
   */
  _gone(channel) {
    if (channel !== this.channel) return;
    this.channel = null;
    this.stills.interrupted();
    this._page(null);
  }

  /** @param {Page | null} page */
  _page(page) {
    this.page = page;
    this.events.sheet?.page(page);
  }

  /** @param {CameraState} state */
  _camera(state) {
    if (state === this.camera) return;
    this.camera = state;
    this.events.camera(state);
  }
}
