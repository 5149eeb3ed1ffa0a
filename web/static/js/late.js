/**
 * Deeds done while the server is away: kept on this machine with their own time, sent when it is back, each under its one
 * key, so that it is done once however often it is sent. Codes only; nothing of a customer is in them. They survive a reload.
 */

import { Refusal } from "./api.js";
import { backoff } from "./backoff.js";

/** @typedef {{ key: string, account: string, session: string, deed: string, body: object, at: string }} Kept */
/**
 * @typedef {object} LateOptions
 * @property {Pick<Storage, "getItem" | "setItem">} memory
 * @property {string} account whose deeds are sent from here: another person's wait for that person
 * @property {(kept: Kept) => Promise<unknown>} send refuses with a `Refusal`
 * @property {(kept: Kept) => void} sent
 * @property {(kept: Kept, refusal: Refusal) => void} refused for good; the server keeps it beside the log
 */

const KEY = "etapalvelu.late";
/** The server is away, or wants something else first (a new sign-in, a page loaded anew): the deed stays. */
const PASSING = new Set([0, 401, 429, 502, 503, 504]);

/** @param {unknown} error */
export function unreachable(error) {
  return error instanceof Refusal && [0, 502, 503, 504].includes(error.status);
}

export class Late {
  /** @param {LateOptions} options */
  constructor(options) {
    this.options = options;
    this.tries = 0;
    /** How many seconds the server wants us to wait. */
    this.asked = 0;
    this.sending = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Omit<Kept, "account">} deed */
  keep(deed) {
    this._write([...this._all(), { ...deed, account: this.options.account }]);
    void this.send();
  }

  /**
   * Whether a deed of this session waits here.
   * @param {string} session
   */
  waits(session) {
    return session !== "" && this._own().some((kept) => kept.session === session);
  }

  /** Sends what waits, oldest first, and goes on trying while the server is away. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      for (const kept of this._own()) if (!await this._sendOne(kept)) return this._later();
      this.tries = 0;
    } finally {
      this.sending = false;
    }
  }

  /**
   * @param {Kept} kept
   * @returns {Promise<boolean>} whether it waits no longer
   */
  async _sendOne(kept) {
    try {
      await this.options.send(kept);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.asked = error.after;
      if (PASSING.has(error.status) || error.code === "csrf") return false;
      this._drop(kept);
      this.options.refused(kept, error);
      return true;
    }
    this._drop(kept);
    this.options.sent(kept);
    return true;
  }

  _later() {
    this.timer = setTimeout(() => void this.send(), backoff(this.tries, Math.random, this.asked));
    this.tries += 1;
  }

  _own() {
    return this._all().filter((kept) => kept.account === this.options.account);
  }

  /** @param {Kept} kept */
  _drop(kept) {
    this._write(this._all().filter(({ key }) => key !== kept.key));
  }

  /** @returns {Kept[]} */
  _all() {
    try {
      const read = JSON.parse(this.options.memory.getItem(KEY) ?? "[]");
      return Array.isArray(read) ? read : [];
    } catch {
      return [];
    }
  }

  /** @param {Kept[]} all */
  _write(all) {
    this.options.memory.setItem(KEY, JSON.stringify(all));
  }
}
