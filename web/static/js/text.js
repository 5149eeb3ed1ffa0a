/**
 * What the two people's pages tell each other directly, on the data channel `text`: whether camera and microphone are
 * on, and "send me a whole picture". It goes on when the server is away.
 */

/** @typedef {"camera" | "microphone"} Device */
/** @typedef {{ camera: boolean, microphone: boolean, broken?: Device[] }} Shown `broken`: is not off by choice, but cannot be had */
/** @typedef {({ type: "media" } & Shown) | { type: "key_frame" } | { type: "ended" }
 *   | ({ type: "identity" } & import("./identity.js").IdentityWord)} TextMessage */
/**
 * @typedef {object} TextEvents
 * @property {(shown: Shown) => void} media
 * @property {() => void} keyFrame
 * @property {() => void} [ended]
 * @property {(word: import("./identity.js").IdentityWord) => void} [identity]
 * @property {() => unknown} opened
 */

const DEVICES = /** @type {const} */ (["camera", "microphone"]);

export class TextChannel {
  /**
   * @param {Shown} own
   * @param {TextEvents} events
   */
  constructor(own, events) {
    this.own = own;
    this.events = events;
    /** @type {RTCDataChannel | null} */
    this.channel = null;
  }

  /** @param {RTCDataChannel} channel */
  use(channel) {
    this.channel = channel;
    channel.onmessage = ({ data }) => this._received(String(data));
    channel.onopen = () => this._opened();
    if (channel.readyState === "open") this._opened();
  }

  /** @param {Shown} own what of us can be seen and heard */
  show(own) {
    this.own = own;
    this._send({ type: "media", ...own });
  }

  askKeyFrame() {
    this._send({ type: "key_frame" });
  }

  /** The session is ended here. */
  end() {
    this._send({ type: "ended" });
  }

  /** @param {import("./identity.js").IdentityWord} word */
  identity(word) {
    this._send({ type: "identity", ...word });
  }

  close() {
    this.channel = null;
  }

  _opened() {
    this.show(this.own);
    this.events.opened();
  }

  /** @param {string} text */
  _received(text) {
    const message = decode(text);
    if (message?.type === "media") {
      const { camera, microphone, broken } = message;
      this.events.media({ camera, microphone, ...(broken ? { broken } : {}) });
    }
    if (message?.type === "key_frame") this.events.keyFrame();
    if (message?.type === "identity") this.events.identity?.("show" in message ? { show: message.show } : { trusted: false });
    if (message?.type === "ended") this.events.ended?.();
  }

  /** @param {TextMessage} message */
  _send(message) {
    if (this.channel?.readyState === "open") this.channel.send(JSON.stringify(message));
  }
}

/**
 * What a peer wrote, or null when it is no message that this version knows.
 * @param {string} text
 * @returns {TextMessage | null}
 */
function decode(text) {
  /** @type {unknown} */
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null) return null;
  const { type, camera, microphone, broken, show, trusted } = /** @type {Record<string, unknown>} */ (raw);
  if (type === "key_frame" || type === "ended") return { type };
  if (type === "identity" && trusted === false) return { type, trusted };
  if (type === "identity" && typeof show === "boolean") return { type, show };
  if (type !== "media" || typeof camera !== "boolean" || typeof microphone !== "boolean") return null;
  const lacking = DEVICES.filter((device) => Array.isArray(broken) && broken.includes(device));
  return { type, camera, microphone, ...(lacking.length > 0 ? { broken: lacking } : {}) };
}
