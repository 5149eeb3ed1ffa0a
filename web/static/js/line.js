/**
 * Watches the line to one peer: says when first picture and sound are decoded, sees a stall within a second, has the
 * pictures begin anew, mends the path, and notes a lasting loss in the log. Called from outside at every beat; keeps no timer.
 */

import { figures, noFigures, path, summary, usesUdp } from "./stats.js";

/** @typedef {"none" | "opening" | "good" | "stalled"} LineState */
/** @typedef {{ camera: boolean, microphone: boolean }} Expected */
/**
 * @typedef {object} LineOptions
 * @property {import("./peer.js").Peer} peer
 * @property {() => Expected} expects what should come from there just now
 * @property {() => void} askKeyFrame
 * @property {(flows: boolean) => void} flows nothing comes from there any more, or again: so it is with what we send, too
 * @property {boolean} mends whether the other end can restart ICE; an agent builds anew instead
 * @property {(dead: boolean, doubted: number) => string} cause the cause class of a loss, as far as this end can tell; since
 *   when the way to the server is doubted
 * @property {(lost: number) => import("./reach.js").Reached | undefined} reached by which protocol a relay was reached after
 *   nothing came any more
 * @property {() => boolean} online whether a note would reach the server now
 * @property {() => void} doubt nothing comes from there: the way to the server may be dead as well
 * @property {(message: import("./messages.js").FromPeer) => void} send
 * @property {(state: LineState) => void} changed
 */

/** A first picture takes this long at the least, from when the connection stands. */
const FIRST_REPORT_MS = 120;
const BEGINNING_MS = 1000;
const STALL_MS = 700;
const ASK_EVERY_MS = 400;
/** Whoever is sent anything reports of it more often than this. */
const DEAD_MS = 600;
/** Until then the ends look for each other on the ways they know: after a short cut they need no help, it would only keep them. */
const MEND_AFTER_MS = 6000;
/** Who did not offer only asks, and for a whole new connection: the other end, which sees the same, comes first. */
const ASK_ANEW_AFTER_MS = 10_000;
const MEND_EVERY_MS = 6000;
/** What is well again by itself shows it in that time. */
const HELP_AFTER_MS = 1000;
/** The way to the server is doubted then. */
const DOUBT_AFTER_MS = 2500;
const OPENING_LIMIT_MS = 6000;
/** A new connection that stands this long without a picture takes the place of the old one all the same. */
const SUCCEEDS_WITHIN_MS = 4000;
/** A shorter loss is a hiccup and no event. */
const NOTE_AFTER_MS = 3000;
const QUALITY_EVERY_MS = 10_000;

export class Line {
  /** @param {LineOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {LineState} */
    this.state = "none";
    this.bitrate = 0;
    /** @type {number | null} when the loss began that was noted in the log */
    this.noted = null;
    /** @type {import("./connection.js").Connection | null} the one that is watched */
    this.connection = null;
    /** Whether first picture and sound of this connection are decoded. */
    this.first = false;
    /** @type {number | null} when the connection stood */
    this.reached = null;
    this.began = this.moved = this.heard = this.looked = this.asked = this.healed = this.reported = 0;
    /** When the way to the server was doubted for this connection. */
    this.doubted = -Infinity;
    /** When a way opened on which it can be mended. */
    this.helped = 0;
    /** Nothing at all comes. */
    this.dead = false;
    this.expected = "";
    /** Nothing moved since the beat before. */
    this.doubtful = false;
    /** A report is being made. */
    this.looking = false;
    /** @type {import("./connection.js").Connection | null} the one that stands beside it, and is to take its place */
    this.successor = null;
    this.stood = 0;
    /** A report of that one is being made. */
    this.trying = false;
    /** Whether our own end of the way that carried went over UDP. */
    this.udp = true;
    this.last = noFigures();
  }

  /** Whether to look again soon: a loss is to be seen at once, and its end still sooner. */
  get pressing() {
    return this.state === "opening" || this.doubtful || this.options.peer.next?.connected === true;
  }

  /** @param {number} now milliseconds of performance.now() */
  async beat(now) {
    const { peer } = this.options;
    await this._try(now);
    const connection = peer.current;
    if (!connection || peer.epoch === null) {
      this._start(null, now);
      this.noted = null;
      return this._change("none");
    }
    if (connection !== this.connection) this._start(connection, now);
    if (!this.first && !this._mayReport(connection, now)) return this._hurry(now);
    if (this.looking) return;
    this.looking = true;
    const report = await connection.pc.getStats();
    if (connection !== this.connection || connection.ended) return;
    this.looking = false;
    const seen = figures(report);
    this.bitrate = seen.bitrate || this.bitrate;
    if (!this.first) this._awaitFirst(connection, seen, report, now);
    else this._watch(seen, now);
    this.last = seen;
    this._quality(connection, report, now);
  }

  /** What is shown stays until the new connection beside it has a picture, or has had its time. @param {number} now */
  async _try(now) {
    const { peer, expects } = this.options;
    const { next } = peer;
    if (!next?.connected || this.trying) return;
    if (next !== this.successor) [this.successor, this.stood] = [next, now];
    this.trying = true;
    // one that is closed meanwhile gives no report, and its successor is to be tried all the same
    const report = await next.pc.getStats().catch(() => null);
    this.trying = false;
    if (!report || next !== peer.next) return;
    const [seen, expected] = [figures(report), expects()];
    if (hasBegun(expected, seen) || now - this.stood > SUCCEEDS_WITHIN_MS) peer.swap();
    else if (expected.camera && seen.frames === 0) this._ask(now);
  }

  /** Just being set up: what can wait leaves it the processor. @param {number} now */
  begins(now) {
    return this.state === "opening" && now - Math.max(this.began, this.options.peer.since) < BEGINNING_MS;
  }

  /**
   * A report costs the browser's media threads time that setting up needs: none before there is something to see.
   * @param {import("./connection.js").Connection} connection
   * @param {number} now
   */
  _mayReport(connection, now) {
    if (!connection.connected) return false;
    this.reached ??= now;
    return now - this.reached >= FIRST_REPORT_MS;
  }

  /** The server or the network is back: a line that goes on standing still is helped soon, one that is broken now. */
  help() {
    if (this.state !== "stalled") return;
    this.helped = performance.now();
    if (!this._isBroken()) return;
    this.healed = this.helped;
    this._heal();
  }

  /**
   * @param {import("./connection.js").Connection | null} connection
   * @param {number} now
   */
  _start(connection, now) {
    this.connection = connection;
    this.first = false;
    this.reached = null;
    this.began = this.moved = this.heard = this.looked = this.asked = this.healed = this.reported = now;
    this.doubted = -Infinity;
    this.expected = "";
    this.doubtful = this.looking = this.dead = false;
    this.last = noFigures();
    if (connection && this.state === "none") this._change("opening");
  }

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {import("./stats.js").Figures} seen
   * @param {RTCStatsReport} report
   * @param {number} now
   */
  _awaitFirst(connection, seen, report, now) {
    const expected = this.options.expects();
    if (hasBegun(expected, seen)) {
      this.first = true;
      this.moved = now;
      this.udp = usesUdp(report);
      const { peer, send } = this.options;
      const setup = Math.round(now - Math.max(connection.began, peer.since));
      send({ type: "noted", note: { kind: "decoded", peer: peer.seat, generation: connection.generation,
        path: path(report), setup_ms: Math.max(0, setup) } });
      this._flowing(now);
      return;
    }
    if (expected.camera && seen.frames === 0) this._ask(now);
    this._hurry(now);
  }

  /** A connection that does not open is made anew. @param {number} now */
  _hurry(now) {
    if (now - Math.max(this.began, this.options.peer.since) > OPENING_LIMIT_MS && now - this.healed > OPENING_LIMIT_MS) {
      this.healed = now;
      this.options.peer.renew();
    }
  }

  /**
   * @param {import("./stats.js").Figures} seen
   * @param {number} now
   */
  _watch(seen, now) {
    const expected = this.options.expects();
    const key = JSON.stringify(expected);
    if (key !== this.expected) this.moved = now;
    this.expected = key;
    this._listen(seen, now);
    this.doubtful = !alive(expected, seen, this.last);
    // the line may have been cut since the last frame, but that was not before the last report
    if (!this.doubtful) this._flowing(now, Math.max(this.looked, now - seen.silent));
    else if (now - this.moved >= STALL_MS) this._stalled(now);
    this.looked = now;
  }

  /**
   * @param {import("./stats.js").Figures} seen
   * @param {number} now
   */
  _listen(seen, now) {
    const comes = seen.received > this.last.received;
    if (comes) this.heard = now;
    const dead = now - this.heard > DEAD_MS;
    if (dead !== this.dead) this.options.flows(!dead);
    this.dead = dead;
  }

  /**
   * @param {number} now
   * @param {number} [moved] when, as exactly as can be known
   */
  _flowing(now, moved = now) {
    const gap = Math.round(now - this.moved);
    this.moved = moved;
    if (this.noted !== null) {
      const since = this.noted;
      this.noted = null;
      this.options.send({ type: "noted", note: { kind: "resumed", peer: this.options.peer.seat,
        gap_ms: Math.max(gap, Math.round(now - since)) } });
    }
    this._change("good");
  }

  /** @param {number} now */
  _stalled(now) {
    const silent = now - this.moved;
    this._change("stalled");
    // over a dead line the channel would say it again and again, at longer and longer intervals: late when the line is back
    if (now === this.heard) this._ask(now);
    if (silent > DOUBT_AFTER_MS && now - this.doubted > MEND_EVERY_MS) {
      this.doubted = now;
      this.options.doubt();
    }
    if (silent > NOTE_AFTER_MS && this.noted === null && this.options.online()) {
      this.noted = this.moved;
      const reached = this.dead && this.udp ? this.options.reached(this.moved) : undefined;
      this.options.send({ type: "noted", note: { kind: "interrupted", peer: this.options.peer.seat,
        cause: this.options.cause(this.dead, this.doubted), since_ms: Math.round(silent),
        ...(reached ? { relay_protocol: reached } : {}) } });
    }
    // what is said while the server is away would be said once more when it is back
    if (this._isDue(now) && now - this.healed > MEND_EVERY_MS && this.options.online()) {
      this.healed = now;
      this._heal();
    }
  }

  /** @param {number} now */
  _isDue(now) {
    if (this.helped > this.moved && now - this.helped > HELP_AFTER_MS) return true;
    const { mends, peer } = this.options;
    // An agent builds anew beside what stands, and does not see by itself that nothing arrives.
    const patience = !mends || peer.options.offers ? MEND_AFTER_MS : ASK_ANEW_AFTER_MS;
    return this._isBroken() || now - this.moved > patience;
  }

  /** Beyond coming back by itself. An agent's line may do so even then; where the other end offers, it is that one's to see. */
  _isBroken() {
    const state = this.connection?.pc.connectionState;
    return this.options.mends && (state === "closed" || (state === "failed" && this.options.peer.options.offers));
  }

  _heal() {
    const { peer, mends } = this.options;
    if (mends && peer.current?.pc.connectionState !== "closed") void peer.mend();
    else peer.renew();
  }

  /** @param {number} now */
  _ask(now) {
    if (now - this.asked < ASK_EVERY_MS) return;
    this.asked = now;
    this.options.askKeyFrame();
  }

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {RTCStatsReport} report
   * @param {number} now
   */
  _quality(connection, report, now) {
    if (!this.first || now - this.reported < QUALITY_EVERY_MS) return;
    this.reported = now;
    if (!this.dead) this.udp = usesUdp(report);
    this.options.send({ type: "quality", peer: this.options.peer.seat, generation: connection.generation, stats: summary(report) });
  }

  /** @param {LineState} state */
  _change(state) {
    if (state === this.state) return;
    this.state = state;
    this.options.changed(state);
  }
}

/**
 * First picture and sound are decoded, as far as they are expected.
 * @param {Expected} expected
 * @param {import("./stats.js").Figures} seen
 */
function hasBegun({ camera, microphone }, seen) {
  return (!camera || seen.frames > 0) && (!microphone || seen.samples > 0);
}

/**
 * @param {Expected} expected
 * @param {import("./stats.js").Figures} seen
 * @param {import("./stats.js").Figures} last
 */
function alive(expected, seen, last) {
  if (expected.camera) return seen.frames > last.frames;
  return !expected.microphone || seen.bytes > last.bytes;
}
