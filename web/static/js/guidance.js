/**
 * What the customer is asked to do with the paper: one thing at a time, and each stands long enough to be read. The agent
 * has thought twice already before it says another hint; here nothing flickers because a picture and a sentence take time.
 */

/**
 * @typedef {"cut" | "glare" | "too_far" | "tilted" | "blurred" | "dark" | "turn" | "no_page" | "hand" | "mat" | "good"} Advice
 */
/** @typedef {(advice: Advice | null) => void} Shown */

/** @type {ReadonlySet<string>} those there is a picture and a sentence for */
const ADVICE = new Set(["cut", "glare", "too_far", "tilted", "blurred", "dark", "turn", "no_page", "hand", "mat", "good"]);
const LEAST_MS = 2500;
/** "Good" is short to read, and what is wrong again should not wait. */
const LEAST_GOOD_MS = 1200;
/** What was said last stays while it is looked again. */
const EMPTY_AFTER_MS = 1500;

/**
 * @param {import("./document-messages.js").Page | null} page
 * @returns {Advice | null} nothing while the sheet is moved or just gone, nor for a hint of a later agent, which has no words here
 */
export function advice(page) {
  if (!page) return null;
  // a sheet that was just laid down is there, although nobody has judged it yet
  const hint = page.page > 0 && page.hint === "no_page" ? null : page.hint;
  if (hint !== null) return ADVICE.has(hint) ? /** @type {Advice} */ (hint) : null;
  return page.page > 0 && page.calm ? "good" : null;
}

export class Guidance {
  /** @param {Shown} show */
  constructor(show) {
    this.show = show;
    /** @type {Advice | null} */
    this.shown = null;
    /** @type {Advice | null} */
    this.wanted = null;
    this.since = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * @param {Advice | null} wanted
   * @param {number} now milliseconds
   */
  want(wanted, now) {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    clearTimeout(this.timer);
    this.timer = undefined;
    if (wanted === this.shown) return;
    const least = this.shown === null ? 0 : this.shown === "good" ? LEAST_GOOD_MS : LEAST_MS;
    const wait = Math.max(this.since + least - now, wanted === null ? EMPTY_AFTER_MS : 0);
    if (wait <= 0) this._turn(now);
    else this.timer = setTimeout(() => this._turn(now + wait), wait);
  }

  /** Nothing is asked any more, at once. */
  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.wanted = null;
    if (this.shown !== null) this._turn(-Infinity);
  }

  /** @param {number} now */
  _turn(now) {
    this.timer = undefined;
    this.shown = this.wanted;
    this.since = now;
    this.show(this.shown);
  }
}
