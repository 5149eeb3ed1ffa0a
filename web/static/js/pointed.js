/** What a person who does not see the screen is told of the expert's pointing: in words, once, and not with each move. */

/** @typedef {"top" | "middle" | "bottom" | "marked"} Pointed */

/** A hand that was away this long points anew. */
const ANEW_MS = 5000;

export class PointedAt {
  constructor() {
    this.seen = -Infinity;
    /** @type {ReadonlySet<string>} */
    this.known = new Set();
  }

  /**
   * @param {import("./document-messages.js").Marks} marks
   * @param {number} now milliseconds
   * @returns {Pointed | null} what is new
   */
  heard({ marks, pointer }, now) {
    const marked = marks.some(({ id }) => !this.known.has(id));
    this.known = new Set(marks.map(({ id }) => id));
    const anew = now - this.seen > ANEW_MS;
    if (pointer || marked) this.seen = now;
    // a stroke that grows is pointed along: the words about the place came when it began
    if (marked && (anew || !pointer)) return "marked";
    if (!pointer || !anew) return null;
    return pointer[1] < 1 / 3 ? "top" : pointer[1] < 2 / 3 ? "middle" : "bottom";
  }
}
