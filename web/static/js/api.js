/**
 * Deeds to the server. A deed gets its key once and keeps it through every retry, so that a retry is harmless (and a
 * lost answer is not a second deed). A refusal comes back as a `Refusal` with the server's code and words.
 */

import { backoff, seconds } from "./backoff.js";

export class Refusal extends Error {
  /**
   * @param {number} status 0 when the server could not be reached
   * @param {string} code
   * @param {string} words in the person's language, may be empty
   * @param {number} [after] in how many seconds the server wants to be asked again
   */
  constructor(status, code, words, after = 0) {
    super(words || code);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.words = words;
    this.after = after;
  }
}

/**
 * @typedef {object} ApiOptions
 * @property {string} csrf
 * @property {() => string} language
 * @property {typeof fetch} [fetch]
 * @property {(ms: number) => Promise<void>} [pause]
 */

const BASE = "/api/v1";
const PAUSES_MS = [300, 1000, 3000];
/** A person who waits for an answer is told rather than kept waiting for longer. */
const PATIENCE_SECONDS = 5;
/** @typedef {{ key?: string, at?: string, tries?: number, limit?: number }} How `at`: done then, and reported only now */
const TRY_AGAIN = new Set([0, 502, 503, 504]);
const LIMIT_MS = 8000;

export class Api {
  /** @param {ApiOptions} options */
  constructor(options) {
    this.options = options;
  }

  /**
   * @template T
   * @param {string} path
   * @param {unknown} [body]
   * @param {How} [how]
   * @returns {Promise<T | null>} null when there is no content
   */
  async post(path, body = {}, how = {}) {
    const { key = crypto.randomUUID(), tries = PAUSES_MS.length } = how;
    for (let tried = 0; ; tried += 1) {
      try {
        return await this._once(path, body, { ...how, key });
      } catch (error) {
        const pause = tried < tries ? PAUSES_MS[tried] : undefined;
        if (!(error instanceof Refusal) || !TRY_AGAIN.has(error.status) || pause === undefined) throw error;
        if (error.after > PATIENCE_SECONDS) throw error;
        await (this.options.pause ?? sleep)(Math.max(pause, error.after > 0 ? backoff(0, Math.random, error.after) : 0));
      }
    }
  }

  /**
   * A question; asked once, since the next one will be newer.
   * @param {string} path
   * @returns {Promise<unknown>}
   */
  get(path) {
    return this._ask(path, { method: "GET" });
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {How & { key: string }} how
   */
  _once(path, body, { key, at, limit }) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key, ...(at ? { "Done-At": at } : {}) };
    return this._ask(path, { method: "POST", headers, body: JSON.stringify(body) }, limit);
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   * @param {number} [limit] milliseconds
   */
  async _ask(path, { headers, ...request }, limit = LIMIT_MS) {
    const response = await this._fetch(path, {
      ...request,
      headers: {
        "Accept": "application/json", "Accept-Language": this.options.language(), "X-CSRF-Token": this.options.csrf, ...headers,
      },
      credentials: "same-origin", signal: AbortSignal.timeout(limit),
    });
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Refusal(response.status, String(answer.code ?? "failed"), String(answer.detail ?? ""), seconds(answer.retry_after ?? response.headers.get("Retry-After")));
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   */
  async _fetch(path, request) {
    try {
      return await (this.options.fetch ?? fetch)(BASE + path, request);
    } catch {
      throw new Refusal(0, "unreachable", "");
    }
  }
}

/** @param {number} ms */
function sleep(ms) {
  return /** @type {Promise<void>} */ (new Promise((resolve) => setTimeout(resolve, ms)));
}
