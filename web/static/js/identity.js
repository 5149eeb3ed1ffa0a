/**
 * Who is at the other end of an encrypted line. A connection is encrypted between two certificates; their fingerprints are
 * read from the connection itself, never from the server. Two people who compare the six digits made of both know that nobody
 * stands between them; one whose certificate changes within a connection is cut off.
 */

/** @typedef {import("./messages.js").SeatName} SeatName */
/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {{ own: string, met: string }} Ends SHA-256 of the own certificate and of the one met, in small hex letters */
/** @typedef {{ show: boolean } | { trusted: false }} IdentityWord what the pages tell each other on the channel `text` */
/** @typedef {{ connection: Connection, ends: Ends | null, looked: number, said: boolean }} Watch */
/**
 * @typedef {object} IdentityEvents
 * @property {(seat: SeatName) => void} stopped the line is cut: it is not certain who is at its other end
 * @property {(seat: SeatName, show: boolean) => void} compare the other side wants the digits shown, or put away
 */

const BEAT_MS = 250;
const LOOK_EVERY_MS = 2000;
/** The service writes down one word about each line in 5 s. */
const SAY_EVERY_MS = 5500;
const ROUNDS = 200_000;
const LABEL = "etapalvelu.call.v1 identity";

export class Identities {
  /**
   * @param {import("./seat.js").Seat} seat
   * @param {IdentityEvents} events
   */
  constructor(seat, events) {
    this.seat = seat;
    this.events = events;
    /** @type {Map<SeatName, Watch>} */
    this.watches = new Map();
    /** Lines that were cut, with the epoch of who sat there. @type {Map<SeatName, number | null>} */
    this.stopped = new Map();
    /** @type {Map<SeatName, number>} */
    this.saidAt = new Map();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  open() {
    this.seat.options.events.distrusted = (seat) => this.stop(seat, { note: false });
    this.timer = setInterval(() => this.beat(performance.now()), BEAT_MS);
  }

  close() {
    clearInterval(this.timer);
    this.watches.clear();
    this.stopped.clear();
  }

  /** The six digits of the line to `seat`; null while there is none. @param {SeatName} seat */
  async code(seat) {
    const ends = this.watches.get(seat)?.ends;
    return ends && !this.stopped.has(seat) ? sixDigits(ends.own, ends.met) : null;
  }

  /**
   * Has the other side show the digits, too, or put them away.
   * @param {SeatName} seat
   * @param {boolean} show
   */
  show(seat, show) {
    this.seat.others.get(seat)?.text?.identity({ show });
  }

  /**
   * Cuts the line and keeps it cut until somebody else sits there.
   * @param {SeatName} seat
   * @param {{ note: boolean }} how note: it is for us to have it logged
   */
  stop(seat, { note }) {
    const other = this.seat.others.get(seat);
    if (!other || this.stopped.has(seat)) return;
    this.stopped.set(seat, other.peer.epoch);
    this.watches.delete(seat);
    other.text?.identity({ trusted: false });
    // nothing more goes out; the connection itself closes at the next beat, when the word has gone
    void other.peer.use({ audio: null, video: null });
    this.seat.options.events.stream(seat, null);
    if (note) this.seat.call.send({ type: "noted", note: { kind: "interrupted", peer: seat, cause: "identity", since_ms: 0 } });
    this.events.stopped(seat);
  }

  /** @param {number} now milliseconds of performance.now() */
  beat(now) {
    for (const [seat, { peer, line, text }] of this.seat.others) {
      if (text) text.events.identity = (word) => this._told(seat, word);
      if (this._isStopped(seat, peer)) continue;
      if (peer.current?.stranger || peer.next?.stranger) this.stop(seat, { note: true });
      else if (line.connection && line.first && !line.connection.ended) void this._look(seat, line.connection, now);
    }
  }

  /**
   * @param {SeatName} seat
   * @param {import("./peer.js").Peer} peer
   */
  _isStopped(seat, peer) {
    const epoch = this.stopped.get(seat);
    if (epoch === undefined) return false;
    if (peer.epoch !== null && peer.epoch !== epoch) return !this.stopped.delete(seat);
    if (peer.current || peer.next) peer.close();
    // whoever offers there may go on offering: it is not even read
    if (!peer.options.offers) peer.generation = Infinity;
    return true;
  }

  /**
   * @param {SeatName} seat
   * @param {Connection} connection
   * @param {number} now
   */
  async _look(seat, connection, now) {
    let watch = this.watches.get(seat);
    if (watch?.connection !== connection) {
      watch = { connection, ends: null, looked: -Infinity, said: false };
      this.watches.set(seat, watch);
    }
    if (watch.ends === null || now - watch.looked >= LOOK_EVERY_MS) {
      watch.looked = now;
      const seen = ends(await connection.pc.getStats()) ?? described(connection.pc);
      if (connection.ended || this.watches.get(seat) !== watch || !seen) return;
      if (watch.ends && (watch.ends.own !== seen.own || watch.ends.met !== seen.met)) return this.stop(seat, { note: true });
      watch.ends = seen;
    }
    this._say(seat, watch, now);
  }

  /** Once for each connection, and only when it is heard now: said late it would be of another one. */
  _say(/** @type {SeatName} */ seat, /** @type {Watch} */ watch, /** @type {number} */ now) {
    const last = this.saidAt.get(seat) ?? -Infinity;
    if (watch.said || !watch.ends || this.seat.call.state !== "open" || now - last < SAY_EVERY_MS) return;
    watch.said = true;
    this.saidAt.set(seat, now);
    this.seat.call.send({ type: "noted", note: { kind: "secured", peer: seat, generation: watch.connection.generation, ...watch.ends } });
  }

  /**
   * @param {SeatName} seat
   * @param {IdentityWord} word
   */
  _told(seat, word) {
    if ("trusted" in word) this.stop(seat, { note: false });
    else this.events.compare(seat, word.show);
  }
}

/**
 * Both certificates of the transport in use, as the browser met them; null where it tells none.
 * @param {RTCStatsReport} report
 * @returns {Ends | null}
 */
export function ends(report) {
  const entries = [.../** @type {Iterable<Record<string, unknown>>} */ (report.values())];
  const transport = entries.find((entry) => entry["type"] === "transport" && entry["remoteCertificateId"]);
  const own = hex(report.get(String(transport?.["localCertificateId"])));
  const met = hex(report.get(String(transport?.["remoteCertificateId"])));
  return own && met ? { own, met } : null;
}

/**
 * The same as the descriptions say: the browser itself has held the certificates against them.
 * @param {RTCPeerConnection} pc
 * @returns {Ends | null}
 */
function described({ currentLocalDescription, currentRemoteDescription }) {
  const [own, met] = [currentLocalDescription, currentRemoteDescription].map((one) => fingerprints(one?.sdp ?? "")[0]);
  return own && met ? { own, met } : null;
}

/**
 * Every SHA-256 fingerprint in a description, each once.
 * @param {string} sdp
 * @returns {string[]}
 */
export function fingerprints(sdp) {
  const found = [...sdp.matchAll(/^a=fingerprint:sha-256 ([0-9a-f:]+)\s*$/gim)].map((match) => plain(String(match[1])));
  return [...new Set(found)].sort();
}

/**
 * Truth that a later description of a connection speaks for somebody else than the one before.
 * @param {string} before empty when there was none
 * @param {string} sdp
 */
export function isStranger(before, sdp) {
  return before !== "" && fingerprints(before).join() !== fingerprints(sdp).join();
}

/**
 * The six digits of a line, the same from both its ends: docs/protocol.md, "Six digits".
 * @param {string} one
 * @param {string} other
 */
export async function sixDigits(one, other) {
  const text = new TextEncoder();
  const secret = await crypto.subtle.importKey("raw", text.encode([one, other].sort().join("")), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt: text.encode(LABEL), iterations: ROUNDS }, secret, 64);
  return String(new DataView(bits).getBigUint64(0) % 1_000_000n).padStart(6, "0");
}

/** @param {{ fingerprint?: string, fingerprintAlgorithm?: string } | undefined} certificate */
function hex(certificate) {
  return certificate?.fingerprintAlgorithm?.toLowerCase() === "sha-256" ? plain(certificate.fingerprint ?? "") : "";
}

/** @param {string} fingerprint with colons, in letters of either size */
function plain(fingerprint) {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
