/**
 * What the two people's pages tell each other directly, on the data channel `text`: whether camera and microphone are
 * on, and "send me a whole picture". It goes on when the server is away.
 */

/** @typedef {{ camera: boolean, microphone: boolean }} Shown */
/** @typedef {{ type: "media", camera: boolean, microphone: boolean } | { type: "key_frame" }
 *   | ({ type: "identity" } & import("./identity.js").IdentityWord)} TextMessage */
/**
 * @typedef {object} TextEvents
 * @property {(shown: Shown) => void} media
 * @property {() => void} keyFrame
 * @property {(word: import("./identity.js").IdentityWord) => void} [identity]
 * @property {() => unknown} opened
 */

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
    if (message?.type === "media") this.events.media({ camera: message.camera, microphone: message.microphone });
    if (message?.type === "key_frame") this.events.keyFrame();
    if (message?.type === "identity") this.events.identity?.("show" in message ? { show: message.show } : { trusted: false });
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
  const { type, camera, microphone, show, trusted } = /** @type {Record<string, unknown>} */ (raw);
  if (type === "key_frame") return { type };
  if (type === "identity" && trusted === false) return { type, trusted };
  if (type === "identity" && typeof show === "boolean") return { type, show };
  if (type !== "media" || typeof camera !== "boolean" || typeof microphone !== "boolean") return null;
  return { type, camera, microphone };
}
