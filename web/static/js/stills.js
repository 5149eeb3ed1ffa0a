/**
 * The browser's half of a still: asks for it, joins its chunks, checks its sha256 and acknowledges. The other half is
 * signaling/stills.py. A picture is believed only when its checksum is the promised one.
 */

/** @typedef {"busy" | "camera_lost" | "not_allowed" | "too_large" | "broken" | "line" | "slow"} StillFailure */
/**
 * @typedef {{ type: "still_begin", id: string, number: number, sha256: string, size: number, width: number,
 *   height: number, mime: string, chunk_size: number, chunks: number }} StillBegin
 * @typedef {{ type: "still_end", id: string }} StillEnd
 * @typedef {{ type: "still_failed", id: string, code: StillFailure }} StillFailed
 * @typedef {StillBegin | StillEnd | StillFailed} FromAgent
 * @typedef {{ type: "capture", id: string } | { type: "still_ack", id: string, sha256: string }
 *   | { type: "still_missing", id: string, chunks: number[] }} ToAgent
 */
/** @typedef {{ blob: Blob, sha256: string, width: number, height: number }} Still */
/**
 * @typedef {object} StillEvents
 * @property {(message: ToAgent) => void} send
 * @property {(id: string, share: number) => void} progress between 0 and 1
 * @property {(id: string, still: Still) => void} done
 * @property {(id: string, code: StillFailure) => void} failed
 */
/** @typedef {{ begin: StillBegin | null, chunks: (Uint8Array | null)[], left: number, rounds: number, timer: ReturnType<typeof setTimeout> | undefined }} Incoming */

const HEADER_BYTES = 8;
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_CHUNKS = 16384;
/** Rounds of asking for chunks that did not come. */
const MOST_ROUNDS = 3;
/** Silence after which the picture is given up. */
const LIMIT_MS = 20_000;
const PICTURES = new Set(["image/jpeg", "image/png"]);

export class Stills {
  /** @param {StillEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {Map<string, Incoming>} */
    this.incoming = new Map();
  }

  /** Asks for the page under the camera and tells the id the picture will have. */
  capture() {
    const id = crypto.randomUUID().replaceAll("-", "");
    const incoming = { begin: null, chunks: [], left: 0, rounds: 0, timer: undefined };
    this.incoming.set(id, incoming);
    this._wait(id, incoming);
    this.events.send({ type: "capture", id });
    return id;
  }

  /** @param {FromAgent} message */
  async received(message) {
    const incoming = this.incoming.get(message.id);
    if (!incoming) return;
    this._wait(message.id, incoming);
    if (message.type === "still_begin") this._begin(incoming, message);
    else if (message.type === "still_end") await this._end(message.id, incoming);
    else this._fail(message.id, message.code);
  }

  /** @param {ArrayBuffer} data */
  chunk(data) {
    if (data.byteLength <= HEADER_BYTES) return;
    const view = new DataView(data);
    const number = view.getUint32(0);
    const index = view.getUint32(4);
    for (const [id, incoming] of this.incoming) {
      if (incoming.begin?.number !== number || incoming.chunks[index] !== null) continue;
      incoming.chunks[index] = new Uint8Array(data, HEADER_BYTES);
      incoming.left -= 1;
      this._wait(id, incoming);
      this.events.progress(id, 1 - incoming.left / incoming.chunks.length);
    }
  }

  /** The channel is gone: what was under way will not come. */
  stop() {
    for (const id of [...this.incoming.keys()]) this._fail(id, "line");
  }

  /**
   * @param {Incoming} incoming
   * @param {StillBegin} begin
   */
  _begin(incoming, begin) {
    if (begin.size > MOST_BYTES || begin.chunks > MOST_CHUNKS || begin.chunks < 1 || !PICTURES.has(begin.mime)) {
      this._fail(begin.id, "too_large");
      return;
    }
    incoming.begin = begin;
    incoming.chunks = new Array(begin.chunks).fill(null);
    incoming.left = begin.chunks;
  }

  /**
   * @param {string} id
   * @param {Incoming} incoming
   */
  async _end(id, incoming) {
    const { begin, chunks, left } = incoming;
    if (!begin) return this._fail(id, "broken");
    if (left > 0) return this._ask(id, incoming);
    const blob = new Blob(/** @type {BlobPart[]} */ (chunks), { type: begin.mime });
    const sha256 = await checksum(await blob.arrayBuffer());
    if (!this.incoming.has(id)) return;
    if (sha256 !== begin.sha256 || blob.size !== begin.size) return this._fail(id, "broken");
    this._forget(id);
    this.events.send({ type: "still_ack", id, sha256 });
    this.events.done(id, { blob, sha256, width: begin.width, height: begin.height });
  }

  /**
   * @param {string} id
   * @param {Incoming} incoming
   */
  _ask(id, incoming) {
    incoming.rounds += 1;
    if (incoming.rounds > MOST_ROUNDS) return this._fail(id, "broken");
    const missing = incoming.chunks.flatMap((chunk, index) => (chunk === null ? [index] : []));
    this.events.send({ type: "still_missing", id, chunks: missing });
  }

  /**
   * @param {string} id
   * @param {Incoming} incoming
   */
  _wait(id, incoming) {
    clearTimeout(incoming.timer);
    incoming.timer = setTimeout(() => this._fail(id, "slow"), LIMIT_MS);
  }

  /**
   * @param {string} id
   * @param {StillFailure} code
   */
  _fail(id, code) {
    if (!this.incoming.has(id)) return;
    this._forget(id);
    this.events.failed(id, code);
  }

  /** @param {string} id */
  _forget(id) {
    clearTimeout(this.incoming.get(id)?.timer);
    this.incoming.delete(id);
  }
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} sha256 in lower-case hex
 */
export async function checksum(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
