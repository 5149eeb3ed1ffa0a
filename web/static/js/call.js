/**
 * One's own seat at the signaling server: the socket, its welcome, its resuming. Knows nothing of media.
 * A lost socket is no news for the call: connections live on, and what is sent meanwhile waits in `waiting`.
 */

import { backoff, seconds } from "./backoff.js";
import { decode, encode, SUBPROTOCOL } from "./messages.js";

/** @typedef {import("./messages.js").FromPeer} FromPeer */
/** @typedef {import("./messages.js").FromServer} FromServer */
/** @typedef {"opening" | "open" | "lost" | "ended"} CallState */

/**
 * @typedef {object} CallOptions
 * @property {string} url
 * @property {() => Promise<{ ticket: string, answered?: number }>} ticket a fresh seat ticket, and the generation of the offer
 *   that was answered before; asked for again when the seat cannot be resumed
 * @property {(message: FromServer) => void} received
 * @property {(state: CallState, why: string) => void} changed
 * @property {(url: string, protocol: string) => WebSocket} [openSocket]
 * @property {() => number} [random]
 */

/** A socket that is not welcomed in this time is tried anew: over a line that was cut it would come minutes late. */
const OPENING_LIMIT_MS = 3000;
/** A socket this young is not doubted. */
const FRESH_MS = 2000;
/** Whoever reaches the server at all is welcomed sooner. */
const AWAY_MS = 1500;
const MOST_WAITING = 300;
/** A seat that was kept this long was worth having: the next loss is tried again at once. */
const STEADY_MS = 5000;
/** Refusals that pass by themselves: the seat is still ours. */
const PASSING = new Set(["server_restarting", "server_fault", "try_again", "too_many", "hello_timeout"]);
/** Refusals of the token or of what we said: a fresh ticket begins anew. All others are final. */
const STALE = new Set(["expired", "used", "malformed", "forged", "seat_lost", "bad_message", "unknown_type", "too_deep", "too_big"]);
/** The server does not understand this page. Again and again: the page is of another version. */
const MISREAD = new Set(["bad_message", "unknown_type"]);
const MOST_MISREAD = 2;

export class Call {
  /** @param {CallOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {CallState} */
    this.state = "opening";
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {string | null} */
    this.resume = null;
    /** @type {FromPeer[]} */
    this.waiting = [];
    this.tries = 0;
    /** How many seconds the server wants us to wait before the next attempt. */
    this.asked = 0;
    this.misread = 0;
    /** An attempt is under way that has no socket yet. */
    this.asking = false;
    /** When the seat was taken last, by performance.now(). */
    this.since = Infinity;
    this.welcomed = false;
    /** A fresh seat is being taken: what is said now is read as soon as it is ours. */
    this.taking = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.limit = undefined;
  }

  /** Takes the seat. Never rejects: failures are tried again until `leave`. */
  async open() {
    if (this.state === "ended" || this.asking) return;
    clearTimeout(this.timer);
    this.asking = true;
    /** @type {FromPeer} */
    let hello;
    try {
      hello = this.resume
        ? { type: "hello", resume: this.resume }
        : { type: "hello", ...await this.options.ticket() };
    } catch (error) {
      this.asking = false;
      this._refusedTicket(error);
      return;
    }
    this.asking = false;
    if (this._ended()) return;
    const make = this.options.openSocket ?? ((url, protocol) => new WebSocket(url, protocol));
    const socket = make(this.options.url, SUBPROTOCOL);
    this.socket = socket;
    this.welcomed = false;
    // one that was opened early may be open by now
    if (socket.readyState === 1) this._greet(socket, hello);
    else socket.onopen = () => this._greet(socket, hello);
    socket.onmessage = (event) => this._received(socket, String(event.data));
    socket.onclose = () => this._closed(socket);
    this.limit = setTimeout(() => this._tooLate(socket), OPENING_LIMIT_MS);
  }

  /**
   * Sends now, or as soon as the seat is resumed. Statistics are of the moment and do not wait.
   * @param {FromPeer} message
   */
  send(message) {
    if (this.socket?.readyState === 1 && (this.welcomed || this.taking)) this.socket.send(encode(message));
    else if (message.type !== "quality" && this.waiting.length < MOST_WAITING) this.waiting.push(message);
  }

  /**
   * The line under the socket may be dead without the browser knowing: the machine slept or was off the network, or a peer
   * fell silent. The seat is resumed over a new socket, which costs nobody anything where the old one was good.
   */
  refresh() {
    if (this.state === "open" ? !this.welcomed || performance.now() - this.since < FRESH_MS : this.state !== "lost") return;
    this._forsake();
    void this.open();
  }

  /** Whether the server could not be reached when it was doubted. @param {number} doubted by performance.now() */
  wasAway(doubted) {
    return !this.welcomed || this.since - doubted > AWAY_MS || !navigator.onLine;
  }

  /** Gives the seat up for good. */
  leave() {
    if (this.state === "ended") return;
    if (this.socket && this.welcomed) this.socket.send(encode({ type: "bye" }));
    this._end("bye");
  }

  /**
   * @param {WebSocket} socket
   * @param {string} text
   */
  _received(socket, text) {
    const message = decode(text);
    if (message === null || socket !== this.socket) return;
    if (message.type === "welcome") this._welcome(message);
    this.options.received(message);
    if (message.type === "welcome") this._flush();
    if (message.type === "call_closed") this._end("call_closed");
    if (message.type === "error") this._refused(message);
  }

  /**
   * @param {WebSocket} socket
   * @param {FromPeer} hello
   */
  _greet(socket, hello) {
    socket.send(encode(hello));
    if (socket !== this.socket || this.resume) return;
    this.taking = true;
    this._flush();
  }

  /** @param {import("./messages.js").Welcome} message */
  _welcome(message) {
    this.resume = message.resume;
    this.taking = false;
    this.welcomed = true;
    this.since = performance.now();
    clearTimeout(this.limit);
    this._change("open", "");
  }

  _flush() {
    for (const message of this.waiting.splice(0)) this.send(message);
  }

  /**
   * When the seat cannot be resumed, what waited belongs to connections that are to be made anew.
   * @param {import("./messages.js").ServerError} error
   */
  _refused({ code, retry_after: after }) {
    this.asked = seconds(after);
    if (PASSING.has(code)) return;
    if (!STALE.has(code)) return this._end(code);
    if (MISREAD.has(code) && (this.misread += 1) >= MOST_MISREAD) return this._end("outdated");
    this.resume = null;
    this.waiting.length = 0;
  }

  /** @param {WebSocket} socket */
  _closed(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.welcomed = this.taking = false;
    clearTimeout(this.limit);
    if (performance.now() - this.since > STEADY_MS) this.tries = this.misread = 0;
    this.since = Infinity;
    this._later("socket");
  }

  /** @param {WebSocket} socket */
  _tooLate(socket) {
    if (socket !== this.socket || this.welcomed) return;
    this._forsake();
    this._later("socket");
  }

  /** Whatever becomes of the socket, it is ours no more. */
  _forsake() {
    const { socket } = this;
    clearTimeout(this.limit);
    this.socket = null;
    this.welcomed = this.taking = false;
    socket?.close();
  }

  /** @param {unknown} error */
  _refusedTicket(error) {
    const status = typeof error === "object" && error !== null && "status" in error ? Number(error.status) : 0;
    if ([401, 403, 404, 409].includes(status)) this._end("no_ticket");
    else {
      this.asked = typeof error === "object" && error !== null && "after" in error ? seconds(error.after) : 0;
      this._later("ticket");
    }
  }

  /** @param {string} why */
  _later(why) {
    if (this.state === "ended") return;
    const pause = backoff(this.tries, this.options.random, this.asked);
    this.asked = 0;
    this.tries += 1;
    this._change("lost", why);
    this.timer = setTimeout(() => void this.open(), pause);
  }

  /** @param {string} why */
  _end(why) {
    clearTimeout(this.timer);
    clearTimeout(this.limit);
    const socket = this.socket;
    this.socket = null;
    this.welcomed = this.taking = false;
    this.waiting.length = 0;
    this._change("ended", why);
    socket?.close(1000);
  }

  _ended() {
    return this.state === "ended";
  }

  /**
   * @param {CallState} state
   * @param {string} why
   */
  _change(state, why) {
    if (this.state === state) return;
    this.state = state;
    this.options.changed(state, why);
  }
}
