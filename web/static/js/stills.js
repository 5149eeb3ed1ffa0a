/**
 * The browser's half of a still: asks for it, joins its chunks, checks its sha256 and acknowledges. The other half is
 * signaling/stills.py. A picture is believed only when its checksum is the promised one.
 *
 * One asking brings the straightened page, where one was found, and then the camera's whole picture. When the connection
 * is replaced midway, the agent takes the word again over the new one, and what came before counts.
 */

/** @typedef {"busy" | "camera_lost" | "not_allowed" | "too_large" | "broken" | "line" | "slow"} StillFailure */
/** @typedef {"calm" | "burst" | "page" | "sending" | "raw" | "line"} StillStage `line`: the connection is away */
/** @typedef {{ code: string, hint?: string, tilt_degrees?: number, glare_share?: number, ppi?: number, smallest_text_mm?: number }} Verdict */
/**
 * @typedef {{ type: "still_begin", id: string, capture?: string, part?: "page" | "raw", page?: number, verdict?: Verdict,
 *   corners?: import("./corners.js").Corners, ppi?: number, turn?: number, number: number, sha256: string, size: number,
 *   width: number, height: number, mime: string, chunk_size: number, chunks: number }} StillBegin
 * @typedef {{ type: "still_progress", id: string, stage: string }} StillProgress
 * @typedef {{ type: "still_end", id: string }} StillEnd
 * @typedef {{ type: "still_failed", id: string, code: string }} StillFailed
 * @typedef {StillProgress | StillBegin | StillEnd | StillFailed} FromAgent
 * @typedef {{ type: "capture", id: string } | { type: "still_ack", id: string, sha256: string }
 *   | { type: "still_missing", id: string, chunks: number[] } | { type: "still_dropped", id: string }} ToAgent
 */
/**
 * One picture. `ppi`: its pixels for an inch of the sheet; `turn`: clockwise, until it stands upright.
 * @typedef {{ blob: Blob, sha256: string, width: number, height: number, part: "page" | "raw", page: number,
 *   verdict: Verdict | null, corners: import("./corners.js").Corners | null, ppi: number | null, turn: number }} Still
 */
/**
 * Everything is told by the id of the asking.
 * @typedef {object} StillEvents
 * @property {(message: ToAgent) => void} send
 * @property {(id: string, how: { stage: StillStage, share: number }) => void} progress share between 0 and 1 of what is being sent
 * @property {(id: string, still: Still) => void} done for each picture; the raw one is the last
 * @property {(id: string, code: string) => void} failed nothing more will come for it
 */
/** @typedef {{ begin: StillBegin, chunks: (Uint8Array | null)[], left: number, rounds: number }} Incoming */
/** @typedef {{ incoming: Incoming | null, away: boolean, stage: StillStage, timer: ReturnType<typeof setTimeout> | undefined }} Asked */

const HEADER_BYTES = 8;
const MOST_BYTES = 32 * 1024 * 1024;
const LEAST_CHUNK_BYTES = 1024;
/** Named in one message, which has its own limit. */
const MOST_NAMED = 1024;
/** Rounds of asking for chunks that did not come. */
const MOST_ROUNDS = 3;
/** Silence after which the picture is given up. */
const LIMIT_MS = 20_000;
/** An acknowledgement may be lost with its connection: that many are remembered. */
const MOST_REMEMBERED = 16;
const PICTURES = new Set(["image/jpeg", "image/png"]);
const STAGES = /** @type {readonly StillStage[]} */ (["calm", "burst", "page", "sending"]);

export class Stills {
  /** @param {StillEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {Map<string, Asked>} */
    this.asked = new Map();
    /** The checksum of each picture that came, by its own id. @type {Map<string, string>} */
    this.acknowledged = new Map();
  }

  /** Asks for the page under the camera and tells the id of the asking. */
  capture() {
    const id = crypto.randomUUID().replaceAll("-", "");
    /** @type {Asked} */
    const asked = { incoming: null, away: false, stage: "calm", timer: undefined };
    this.asked.set(id, asked);
    this._wait(id, asked);
    this.events.send({ type: "capture", id });
    return id;
  }

  /** @param {FromAgent} message */
  async received(message) {
    const id = this._askingOf(message);
    const asked = id === null ? undefined : this.asked.get(id);
    if (id !== null && asked) {
      asked.away = false;
      this._wait(id, asked);
    }
    switch (message.type) {
      case "still_progress":
        return asked && this._stage(message.id, asked, message.stage);
      case "still_begin":
        return id !== null && asked && this._begin(id, asked, message);
      case "still_end":
        return this._end(id, asked, message.id);
      case "still_failed":
        return this._fail(message.id, message.code, false);
    }
  }

  /** @param {ArrayBuffer} data */
  chunk(data) {
    if (data.byteLength <= HEADER_BYTES) return;
    const view = new DataView(data);
    const number = view.getUint32(0);
    const index = view.getUint32(4);
    for (const [id, asked] of this.asked) {
      const { incoming } = asked;
      if (incoming?.begin.number !== number || incoming.chunks[index] !== null) continue;
      // one of a wrong size is as good as lost, and asked for again
      const { size, chunk_size } = incoming.begin;
      if (data.byteLength - HEADER_BYTES !== Math.min(chunk_size, size - index * chunk_size)) continue;
      incoming.chunks[index] = new Uint8Array(data, HEADER_BYTES);
      incoming.left -= 1;
      this._wait(id, asked);
      this._progress(id, asked);
    }
  }

  /** The connection is away; its successor may bring the rest. */
  interrupted() {
    for (const [id, asked] of this.asked) {
      asked.away = true;
      this._progress(id, asked);
    }
  }

  /** Nothing more will come. */
  stop() {
    for (const id of [...this.asked.keys()]) this._fail(id, "line", false);
  }

  /**
   * @param {FromAgent} message
   * @returns {string | null} the id of the asking that a message is about
   */
  _askingOf(message) {
    if (message.type === "still_begin") return message.capture ?? message.id;
    if (message.type !== "still_end") return message.id;
    for (const [id, { incoming }] of this.asked) if (incoming?.begin.id === message.id) return id;
    return null;
  }

  /**
   * @param {string} id
   * @param {Asked} asked
   * @param {string} said
   */
  _stage(id, asked, said) {
    const stage = STAGES.find((known) => known === said);
    if (stage) asked.stage = stage;
    this._progress(id, asked);
  }

  /**
   * @param {string} id
   * @param {Asked} asked
   */
  _progress(id, asked) {
    const { incoming, away } = asked;
    const share = incoming ? 1 - incoming.left / incoming.chunks.length : 0;
    this.events.progress(id, { stage: away ? "line" : asked.stage, share });
  }

  /**
   * @param {string} id
   * @param {Asked} asked
   * @param {StillBegin} begin
   */
  _begin(id, asked, begin) {
    if (this.acknowledged.get(begin.id) === begin.sha256) return undefined;
    if (!possible(begin)) return this._fail(id, "too_large", true);
    const before = asked.incoming;
    const same = before && before.begin.id === begin.id && before.begin.sha256 === begin.sha256
      && before.begin.chunk_size === begin.chunk_size;
    if (same) before.begin = begin;
    else asked.incoming = { begin, chunks: new Array(begin.chunks).fill(null), left: begin.chunks, rounds: 0 };
    asked.stage = begin.part === "raw" && begin.capture !== undefined && begin.id !== begin.capture ? "raw" : "sending";
    return this._progress(id, asked);
  }

  /**
   * @param {string | null} id
   * @param {Asked | undefined} asked
   * @param {string} pictureId
   */
  async _end(id, asked, pictureId) {
    const before = this.acknowledged.get(pictureId);
    if (before !== undefined) return this.events.send({ type: "still_ack", id: pictureId, sha256: before });
    if (id === null || !asked?.incoming) return undefined;
    const { incoming } = asked;
    const { begin, chunks } = incoming;
    if (incoming.left > 0) return this._ask(id, incoming);
    const blob = new Blob(/** @type {BlobPart[]} */ (chunks), { type: begin.mime });
    const sha256 = await checksum(await blob.arrayBuffer());
    if (this.asked.get(id)?.incoming !== incoming) return undefined;
    if (sha256 !== begin.sha256) {
      incoming.chunks.fill(null);
      incoming.left = chunks.length;
      return this._ask(id, incoming);
    }
    return this._whole(id, asked, begin, blob);
  }

  /**
   * @param {string} id
   * @param {Asked} asked
   * @param {StillBegin} begin
   * @param {Blob} blob
   */
  _whole(id, asked, begin, blob) {
    const { sha256, width, height, part = "raw" } = begin;
    this.acknowledged.set(begin.id, sha256);
    if (this.acknowledged.size > MOST_REMEMBERED) this.acknowledged.delete([...this.acknowledged.keys()][0] ?? "");
    this.events.send({ type: "still_ack", id: begin.id, sha256 });
    asked.incoming = null;
    if (part === "raw") this._forget(id);
    this.events.done(id, {
      blob, sha256, width, height, part,
      page: begin.page ?? 0,
      verdict: begin.verdict ?? null,
      corners: begin.corners ?? null,
      ppi: begin.ppi ?? null,
      turn: begin.turn ?? 0,
    });
  }

  /**
   * @param {string} id
   * @param {Incoming} incoming
   */
  _ask(id, incoming) {
    incoming.rounds += 1;
    if (incoming.rounds > MOST_ROUNDS) return this._fail(id, "broken", true);
    /** @type {number[]} */
    const missing = [];
    for (let index = 0; index < incoming.chunks.length && missing.length < MOST_NAMED; index += 1) {
      if (incoming.chunks[index] === null) missing.push(index);
    }
    return this.events.send({ type: "still_missing", id: incoming.begin.id, chunks: missing });
  }

  /**
   * @param {string} id
   * @param {Asked} asked
   */
  _wait(id, asked) {
    clearTimeout(asked.timer);
    asked.timer = setTimeout(() => this._fail(id, asked.away ? "line" : "slow", true), LIMIT_MS);
  }

  /**
   * @param {string} id
   * @param {string} code
   * @param {boolean} ours it is we who give it up: the camera is told, so that it is free
   */
  _fail(id, code, ours) {
    if (!this.asked.has(id)) return;
    this._forget(id);
    if (ours) this.events.send({ type: "still_dropped", id });
    this.events.failed(id, code);
  }

  /** @param {string} id */
  _forget(id) {
    clearTimeout(this.asked.get(id)?.timer);
    this.asked.delete(id);
  }
}

/** @param {StillBegin} begin */
function possible(begin) {
  return begin.size >= 1 && begin.size <= MOST_BYTES && begin.chunk_size >= LEAST_CHUNK_BYTES
    && begin.chunks === Math.ceil(begin.size / begin.chunk_size) && PICTURES.has(begin.mime);
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} sha256 in lower-case hex
 */
export async function checksum(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
