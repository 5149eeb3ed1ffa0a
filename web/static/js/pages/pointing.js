/**
 * The expert's hand over a sheet: mouse, touch or keys, said to the pen. Only while the tool is on. Arrows move on the
 * screen, so they go where one looks, however the sheet is turned.
 */

import { ontoSheet } from "../corners.js";

/** @typedef {import("../corners.js").Point} Point */
/**
 * @typedef {object} PointingOptions
 * @property {HTMLElement} area can have the focus
 * @property {() => number} page
 * @property {() => import("../placing.js").SheetMap | null} map
 * @property {import("../marks.js").Pen} pen
 */

const STEP_PX = 16;
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pointing {
  /** @param {PointingOptions} options */
  constructor(options) {
    this.options = options;
    this.on = false;
    this.heard = new AbortController();
    const { area } = options;
    const how = { signal: this.heard.signal };
    area.addEventListener("pointermove", (event) => this._at(event), how);
    area.addEventListener("pointerdown", (event) => this._press(event), how);
    area.addEventListener("pointerup", (event) => this._release(event), how);
    area.addEventListener("pointercancel", () => this.on && options.pen.release(), how);
    area.addEventListener("pointerleave", (event) => this._leave(event), how);
    area.addEventListener("keydown", (event) => this._key(event), how);
    area.addEventListener("keyup", (event) => event.key === "Shift" && this.on && options.pen.release(), how);
    area.addEventListener("blur", () => this.on && options.pen.release(), how);
  }

  /** @param {boolean} on */
  turn(on) {
    this.on = on;
    this.options.area.classList.toggle("is-pointing", on);
    if (!on) this.options.pen.away();
  }

  close() {
    if (this.on) this.turn(false);
    this.heard.abort();
  }

  /** @param {PointerEvent} event */
  _at(event) {
    if (this.on) this.options.pen.move(this.options.page(), this._place(event));
  }

  /** @param {PointerEvent} event */
  _press(event) {
    if (!this.on || event.button !== 0) return;
    this.options.area.setPointerCapture(event.pointerId);
    this.options.pen.press(this.options.page(), this._place(event));
  }

  /** A finger has no other way to point than to touch: only what it draws is kept. @param {PointerEvent} event */
  _release(event) {
    if (!this.on) return;
    const points = this.options.pen.stroke?.mark.points.length ?? 0;
    this.options.pen.release(event.pointerType !== "touch" || points > 1);
  }

  /** @param {PointerEvent} event */
  _leave(event) {
    if (this.on && event.pointerType !== "touch") this.options.pen.away();
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const { pen } = this.options;
    if (!this.on || event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this._step(arrow, event.shiftKey);
    else if (event.key === "Enter" && !event.repeat) pen.dot();
    else return;
    event.preventDefault();
  }

  /**
   * @param {Point} arrow
   * @param {boolean} draws
   */
  _step([right, down], draws) {
    const { pen, page, map: mapping } = this.options;
    const map = mapping();
    const sheet = page();
    if (!map || sheet === 0) return pen.press(0, null);
    const before = pen.at?.page === sheet ? pen.at.point : null;
    // the first arrow shows the pointer in the middle of the sheet
    if (!before) return pen.move(sheet, [0.5, 0.5]);
    if (draws && !pen.stroke) pen.press(sheet, before);
    const [x, y] = map.toArea(before);
    return pen.move(sheet, ontoSheet(map.toSheet([x + right * STEP_PX, y + down * STEP_PX])));
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point | null} of the sheet, or beside it; null when there is no sheet
   */
  _place(event) {
    const { area, map: mapping } = this.options;
    const box = area.getBoundingClientRect();
    const [x, y] = mapping()?.toSheet([event.clientX - box.left - area.clientLeft, event.clientY - box.top - area.clientTop]) ?? [NaN, NaN];
    return Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null;
  }
}
