/**
 * The expert's pen: where one points and what one draws on the sheet, said to the agent no oftener than it may be, and
 * what the agent tells back that stands there. No DOM. All places are fractions of the sheet.
 */

import { MOST_POINTS } from "./document-messages.js";
import { isOn, ontoSheet } from "./corners.js";

/** @typedef {import("./corners.js").Point} Point */
/** @typedef {import("./document-messages.js").Marks} Marks */
/** @typedef {import("./document-messages.js").Mark} Mark */
/**
 * @typedef {object} PenOptions
 * @property {(message: import("./document-messages.js").ToAgent) => void} send
 * @property {() => void} changed something is to be drawn anew
 * @property {(code: string) => void} refused in words to the person
 * @property {() => number} [now] milliseconds
 */

/** The agent takes at most 20 places a second. */
const POINT_EVERY_MS = 55;
/** A stroke is said while it grows, less often: it is said whole each time. */
const STROKE_EVERY_MS = 150;
/** Nearer than this to the last one a point tells nothing. */
const LEAST_STEP = 0.002;
/** A refusal is told once, not with each move of the hand. */
const REFUSED_EVERY_MS = 4000;

export class Pen {
  /** @param {PenOptions} options */
  constructor(options) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    /** What stands on the sheet, by the agent's word. @type {Marks} */
    this.told = { type: "marks", page: 0, marks: [], pointer: null };
    /** What was drawn here and not told back yet. @type {{ page: number, mark: Mark }[]} */
    this.ahead = [];
    /** @type {{ page: number, mark: Mark } | null} */
    this.stroke = null;
    /** Where one points here. @type {{ page: number, point: Point } | null} */
    this.at = null;
    /** What was wiped last, so that it can be had back. @type {{ page: number, marks: Mark[] } | null} */
    this.wiped = null;
    this.pointed = this.drew = this.refusedAt = -Infinity;
    this.pointing = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Marks} marks */
  heard(marks) {
    this.told = marks;
    const known = new Set(marks.marks.map(({ id }) => id));
    this.ahead = this.ahead.filter(({ page, mark }) => page === marks.page && !known.has(mark.id));
    if (this.wiped && (marks.page !== this.wiped.page || marks.marks.length > 0)) this.wiped = null;
    this.options.changed();
  }

  /** @param {import("./document-messages.js").Refused} refused */
  answered({ what, code }) {
    if (what === "mark") this.ahead = [];
    if (what === "mark" && this.stroke && code !== "too_many") this.stroke = null;
    this._refuse(code);
    this.options.changed();
  }

  /**
   * What is to be drawn on this sheet, own strokes before they are told back included.
   * @param {number} page
   * @returns {Mark[]}
   */
  marks(page) {
    const own = [...this.ahead, ...(this.stroke ? [this.stroke] : [])].filter((one) => one.page === page).map(({ mark }) => mark);
    const ids = new Set(own.map(({ id }) => id));
    const told = this.told.page === page ? this.told.marks : [];
    return [...told.filter(({ id }) => !ids.has(id)), ...own];
  }

  /**
   * Where to draw the pointer on this sheet: one's own hand knows first.
   * @param {number} page
   * @returns {Point | null}
   */
  pointer(page) {
    if (this.at) return this.at.page === page ? this.at.point : null;
    return this.told.page === page && page !== 0 ? this.told.pointer : null;
  }

  /**
   * The hand is here; beside the sheet it points at nothing.
   * @param {number} page
   * @param {Point | null} point
   */
  move(page, point) {
    if (this.stroke && this.stroke.page !== page) this.stroke = null;
    if (this.stroke && point) this._grow(ontoSheet(point));
    this.at = page > 0 && point && (this.stroke || isOn(point)) ? { page, point: ontoSheet(point) } : null;
    this._soon();
    this.options.changed();
  }

  /**
   * Begins a stroke.
   * @param {number} page
   * @param {Point | null} point
   */
  press(page, point) {
    if (page === 0 || !point) return this._refuse("page_gone");
    if (!isOn(point)) return this._refuse("outside_page");
    this.stroke = { page, mark: { id: crypto.randomUUID().replaceAll("-", ""), points: [rounded(point)] } };
    return this.move(page, point);
  }

  /** Ends the stroke. @param {boolean} [kept] a stroke not kept was none, only a touch */
  release(kept = true) {
    if (!this.stroke) return;
    const { stroke } = this;
    this.stroke = null;
    if (kept) {
      this.ahead.push(stroke);
      this._draw(stroke);
    }
    this.options.changed();
  }

  /** A dot where one points. */
  dot() {
    if (!this.at) return this._refuse("page_gone");
    this.press(this.at.page, this.at.point);
    return this.release();
  }

  /** Nobody points here any more. */
  away() {
    this.release();
    this.at = null;
    this._soon();
    this.options.changed();
  }

  /** Takes the newest mark away; right after a wiping, gives back what was wiped. */
  undo() {
    if (!this.wiped) return this.options.send({ type: "mark_undo" });
    for (const mark of this.wiped.marks) this._draw({ page: this.wiped.page, mark });
    this.wiped = null;
  }

  clear() {
    const { page, marks } = this.told;
    this.ahead = [];
    this.options.send({ type: "mark_clear" });
    if (marks.length > 0) this.wiped = { page, marks };
    this.options.changed();
  }

  get canUndo() {
    return this.told.marks.length > 0 || this.wiped !== null;
  }

  /** The session is over: nothing of it stays, and nothing more is said. */
  forget() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.told = { type: "marks", page: 0, marks: [], pointer: null };
    this.ahead = [];
    this.stroke = this.at = this.wiped = null;
    this.pointing = false;
    this.options.changed();
  }

  /** @param {Point} point */
  _grow(point) {
    if (!this.stroke) return;
    const { mark } = this.stroke;
    const last = mark.points.at(-1) ?? point;
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < LEAST_STEP) return;
    // a very long stroke keeps its shape, told by every second point
    if (mark.points.length >= MOST_POINTS) mark.points = mark.points.filter((_, index) => index % 2 === 0);
    mark.points.push(rounded(point));
  }

  /** Says where the hand is, now or as soon as it may be said. */
  _soon() {
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.pointed + POINT_EVERY_MS - this.now());
    if (wait === 0) this._say();
    else this.timer = setTimeout(() => this._say(), wait);
  }

  _say() {
    this.timer = undefined;
    const { at, stroke } = this;
    if (at) this.options.send({ type: "point", page: at.page, point: rounded(at.point) });
    else if (this.pointing) this.options.send({ type: "point_end" });
    if (at || this.pointing) this.pointed = this.now();
    this.pointing = at !== null;
    if (stroke && stroke.mark.points.length > 1 && this.now() - this.drew >= STROKE_EVERY_MS) this._draw(stroke);
  }

  /** @param {{ page: number, mark: Mark }} stroke */
  _draw({ page, mark }) {
    this.drew = this.now();
    this.options.send({ type: "mark", page, id: mark.id, points: mark.points });
  }

  /** @param {string} code */
  _refuse(code) {
    if (this.now() - this.refusedAt < REFUSED_EVERY_MS) return;
    this.refusedAt = this.now();
    this.options.refused(code);
  }
}

/**
 * As exact as a hand is: a tenth of a millimetre and less on a sheet.
 * @param {Point} point
 * @returns {Point}
 */
function rounded([x, y]) {
  return [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4];
}
