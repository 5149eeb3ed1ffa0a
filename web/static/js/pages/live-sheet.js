/** The sheet in the live picture: outlined, with its marks and the pointer, gliding with it from message to message. */

import { Glide } from "../glide.js";
import { sheetIn } from "../placing.js";
import { Markable } from "./markable.js";

/** @typedef {import("../document-messages.js").Page} Page */
/**
 * @typedef {object} LiveSheetOptions
 * @property {HTMLElement} area
 * @property {() => import("../placing.js").Placing} placing where the picture stands in the area
 * @property {import("./markable.js").Drawn} pen
 */

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export class LiveSheet {
  /** @param {LiveSheetOptions} options */
  constructor(options) {
    this.options = options;
    this.glide = new Glide();
    /** @type {Page | null} */
    this.page = null;
    this.drawn = new Markable({
      area: options.area,
      page: () => this.number,
      map: () => this.map(),
      pen: options.pen,
      outline: () => this._outline(),
      more: () => this.glide.isUnderWay(performance.now()),
    });
    new ResizeObserver(() => this.redraw()).observe(options.area);
  }

  /** @param {Page | null} page */
  told(page) {
    this.page = page;
    const view = page?.view === "page" ? 1 : 0;
    this.glide.turnTo(page?.corners ?? null, this.number * 2 + view, performance.now(), STILL.matches);
    this.redraw();
  }

  /** The sheet's number, 0 for none. */
  get number() {
    return this.page?.corners ? this.page.page : 0;
  }

  /** The map as it is drawn now. */
  map() {
    return sheetIn(this.options.placing(), this.glide.at(performance.now()));
  }

  redraw() {
    this.drawn.redraw();
  }

  /** The sheet alone needs no outline. */
  _outline() {
    if (!this.page || this.page.view === "page") return "none";
    return this.page.calm ? "calm" : "moving";
  }
}
