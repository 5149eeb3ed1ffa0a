/** A still in large, in a dialog: zoom, turn, side by side with the camera's picture, pointing, saving. All of it by keys too. */

import { sheetIn } from "../placing.js";
import { element, say } from "./page.js";
import { savePdf, saveJpeg } from "./saving.js";
import { StillPane } from "./still-pane.js";

/** @typedef {import("./still-entry.js").StillEntry} StillEntry */
/** @typedef {import("../stills.js").Still} Still */
/** @typedef {{ redraw: () => void, point: (on: boolean) => void, close: () => void }} Drawing */
/** @typedef {(still: { area: HTMLElement, page: () => number, map: () => import("../placing.js").SheetMap | null }) => Drawing} Attach */
/**
 * @typedef {object} StillViewOptions
 * @property {Attach} attach lets a sheet be marked
 * @property {(entry: StillEntry, by: 1 | -1) => StillEntry | null} beside
 */

/** A straightened page fills its picture. @type {import("../corners.js").Corners} */
const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];
const KEYS = /** @type {Record<string, string>} */ ({
  "+": "still-zoom-in", "-": "still-zoom-out", 0: "still-zoom", r: "still-turn", v: "still-compare", p: "still-point",
  b: "still-before", n: "still-after", j: "still-jpeg", s: "still-pdf",
});

export class StillView {
  /** @param {StillViewOptions} options */
  constructor(options) {
    this.options = options;
    this.dialog = element("still-dialog", HTMLDialogElement);
    this.full = element("still-full", HTMLElement);
    this.first = new StillPane(element("still-first", HTMLElement), () => this._placed());
    this.second = new StillPane(element("still-second", HTMLElement), () => this._placed());
    /** @type {StillEntry | null} */
    this.entry = null;
    /** @type {Drawing[]} */
    this.drawings = [];
    this.pointing = false;
    this._on("still-zoom-in", () => this._zoom(1));
    this._on("still-zoom-out", () => this._zoom(-1));
    this._on("still-zoom", () => [this.first, this.second].forEach((pane) => pane.whole()));
    this._on("still-turn", () => this._turn());
    this._on("still-compare", () => this._compare(this.full.dataset["compare"] !== "yes"));
    this._on("still-point", () => this._point(!this.pointing));
    this._on("still-before", () => this._beside(-1));
    this._on("still-after", () => this._beside(1));
    this._on("still-jpeg", () => this.entry?.best && saveJpeg(this.entry.best, this.entry.number));
    this._on("still-pdf", () => this.entry?.best && void savePdf([{ still: this.entry.best, turn: this.entry.turn }], this.entry.number));
    this.dialog.addEventListener("keydown", (event) => this._key(event));
    this.dialog.addEventListener("close", () => this._closed());
  }

  /**
   * @param {StillEntry} entry
   * @param {boolean} compare
   */
  open(entry, compare) {
    this._letGo();
    this.entry = entry;
    const { best, stills: { page, raw } } = entry;
    if (!best) return;
    element("still-title", HTMLElement).textContent = entry.name;
    const verdict = element("still-verdict", HTMLElement);
    verdict.dataset["state"] = entry.verdict.dataset["state"] ?? "";
    verdict.replaceChildren(...[...entry.verdict.childNodes].map((one) => one.cloneNode(true)), ...this._facts(best));
    if (!this.dialog.open) this.dialog.showModal();
    this.first.show(entry.address(best.part), entry.name, entry.turn);
    if (page && raw) this.second.show(entry.address("raw"), say("tray.compare_number", { number: entry.number }), 0);
    element("still-compare", HTMLElement).hidden = !(page && raw);
    for (const [id, by] of /** @type {const} */ ([["still-before", -1], ["still-after", 1]])) {
      element(id, HTMLElement).toggleAttribute("disabled", this.options.beside(entry, by) === null);
    }
    this.drawings = [this._draw(this.first, best), ...(page && raw ? [this._draw(this.second, raw)] : [])];
    element("still-point", HTMLElement).hidden = best.page === 0;
    this._compare(compare && page !== null && raw !== null);
    this._point(false);
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {Still} still */
  _facts({ verdict }) {
    const least = verdict?.smallest_text_mm;
    if (!least) return [];
    const facts = document.createElement("span");
    facts.className = "quiet";
    facts.textContent = say("tray.smallest_text", { mm: least.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }) });
    return [facts];
  }

  /**
   * @param {StillPane} pane
   * @param {Still} still
   */
  _draw(pane, still) {
    const corners = still.part === "page" ? WHOLE : still.corners;
    return this.options.attach({ area: pane.area, page: () => still.page, map: () => sheetIn(pane.placing(), corners) });
  }

  _placed() {
    element("still-zoom", HTMLElement).textContent = `${Math.round(this.first.scale * 100)} %`;
    for (const drawing of this.drawings) drawing.redraw();
  }

  /** @param {1 | -1} direction */
  _zoom(direction) {
    this.first.zoom(direction);
    this.second.zoom(direction);
  }

  _turn() {
    if (!this.entry) return;
    this.entry.turnTo((this.entry.turn + 90) % 360);
    this.first.turn(this.entry.turn);
  }

  /** @param {boolean} on */
  _compare(on) {
    this.full.dataset["compare"] = on ? "yes" : "no";
    element("still-compare", HTMLElement).setAttribute("aria-pressed", String(on));
  }

  /** @param {boolean} on */
  _point(on) {
    this.pointing = on;
    this.first.held = this.second.held = on;
    for (const drawing of this.drawings) drawing.point(on);
    element("still-point", HTMLElement).setAttribute("aria-pressed", String(on));
    if (on) this.first.area.focus({ preventScroll: true });
  }

  /** @param {1 | -1} by */
  _beside(by) {
    const other = this.entry && this.options.beside(this.entry, by);
    if (other) this.open(other, this.full.dataset["compare"] === "yes");
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const button = document.getElementById(KEYS[event.key.toLowerCase()] ?? "");
    if (!button || button.hidden) return;
    event.preventDefault();
    button.click();
  }

  _closed() {
    this._letGo();
    this.entry = null;
  }

  /** Nothing of the still stays in the dialog. */
  _letGo() {
    this._point(false);
    for (const drawing of this.drawings) drawing.close();
    this.drawings = [];
    this.first.clear();
    this.second.clear();
  }

  /**
   * @param {string} id
   * @param {() => unknown} deed
   */
  _on(id, deed) {
    element(id, HTMLElement).addEventListener("click", () => void deed());
  }
}
