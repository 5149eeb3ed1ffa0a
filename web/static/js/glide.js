/** A sheet told of some times a second, drawn as if it were told always: its corners glide to where they were seen last. */

import { between } from "./corners.js";

/** @typedef {import("./corners.js").Corners} Corners */

/** About the time between two messages. */
const GLIDE_MS = 120;

export class Glide {
  constructor() {
    /** @type {Corners | null} */
    this.from = null;
    /** @type {Corners | null} */
    this.to = null;
    this.sheet = 0;
    this.began = 0;
    this.lasts = 0;
  }

  /**
   * @param {Corners | null} corners
   * @param {number} sheet another sheet does not glide out of the last one, nor one view into another
   * @param {number} now
   * @param {boolean} still nothing may move but with the sheet itself
   */
  turnTo(corners, sheet, now, still = false) {
    const before = this.at(now);
    this.lasts = corners && before && sheet === this.sheet && !still ? GLIDE_MS : 0;
    this.from = before ?? corners;
    this.to = corners;
    this.sheet = sheet;
    this.began = now;
  }

  /**
   * @param {number} now
   * @returns {Corners | null}
   */
  at(now) {
    if (!this.to || !this.from || !this.isUnderWay(now)) return this.to;
    return between(this.from, this.to, (now - this.began) / this.lasts);
  }

  /** @param {number} now */
  isUnderWay(now) {
    return now - this.began < this.lasts;
  }
}
