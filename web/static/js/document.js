/**
 * Looking at what the room agent shows: its data channel `document`, with the heartbeat of the camera and the stills.
 * Silence is news too: without a status for 3 s the camera is away, whatever the picture still shows.
 */

import { Stills } from "./stills.js";

/** @typedef {"ok" | "opening" | "lost" | "away"} CameraState */
/** @typedef {{ type: "status", camera: "ok" | "opening" | "lost", width: number, height: number, at: string }} Status */
/**
 * @typedef {object} DocumentEvents
 * @property {(state: CameraState) => void} camera
 * @property {(id: string, share: number) => void} progress
 * @property {(id: string, still: import("./stills.js").Still) => void} done
 * @property {(id: string, code: import("./stills.js").StillFailure) => void} failed
 */

const SILENCE_MS = 3000;

export class DocumentChannel {
  /** @param {DocumentEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {RTCDataChannel | null} */
    this.channel = null;
    /** @type {CameraState} */
    this.camera = "opening";
    this.heard = 0;
    this.stills = new Stills({ ...events, send: (message) => this._send(message) });
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
    return this.channel?.readyState === "open" ? this.stills.capture() : null;
  }

  askKeyFrame() {
    this._send({ type: "key_frame" });
  }

  /** @param {number} now milliseconds of performance.now() */
  tick(now) {
    if (this.camera === "ok" && now - this.heard > SILENCE_MS) this._camera("away");
  }

  close() {
    this.stills.stop();
    this.channel = null;
    this._camera("away");
  }

  /** @param {string | ArrayBuffer} data */
  _received(data) {
    if (typeof data !== "string") return this.stills.chunk(data);
    /** @type {Status | import("./stills.js").FromAgent} */
    const message = JSON.parse(data);
    switch (message.type) {
      case "status":
        this.heard = performance.now();
        return this._camera(message.camera);
      case "still_begin":
      case "still_end":
      case "still_failed":
        return void this.stills.received(message);
      default:
        // a newer agent may say more than we know
        return undefined;
    }
  }

  /** @param {RTCDataChannel} channel */
  _gone(channel) {
    if (channel !== this.channel) return;
    this.close();
  }

  /** @param {CameraState} state */
  _camera(state) {
    if (state === this.camera) return;
    this.camera = state;
    this.events.camera(state);
  }

  /** @param {object} message */
  _send(message) {
    if (this.channel?.readyState === "open") this.channel.send(JSON.stringify(message));
  }
}
