/**
 * The live document on the expert's page: the sheet's outline and what is said of it, the whole table or the sheet alone,
 * and the tool that points and marks. One for the page; each session begins it and ends it.
 */

import { advice, Guidance } from "../guidance.js";
import { Pen } from "../marks.js";
import { LiveSheet } from "./live-sheet.js";
import { Markable } from "./markable.js";
import { element, notify, say, says } from "./page.js";
import { Pointing } from "./pointing.js";

/** @typedef {import("../document-messages.js").ToAgent} ToAgent */
/** @typedef {import("../document-messages.js").Page} Page */

/** Pixels for an inch: from here on small print is readable, and from here on ordinary text. */
const FINE_PPI = 150;
const FAIR_PPI = 70;
/** The agent shows what was chosen within this time; longer, and somebody else chose. */
const FOLLOW_MS = 700;
/** A figure that changes by less than this says nothing new. */
const PPI_STEP = 10;

export class ExpertDocument {
  /** @param {import("./expert-paper.js").Paper} paper */
  constructor(paper) {
    this.paper = paper;
    /** @type {(message: ToAgent) => void} */
    this.send = () => undefined;
    /** @type {Page | null} */
    this.page = null;
    /** What was chosen, here or elsewhere. @type {"table" | "page"} */
    this.view = "table";
    this.agreed = 0;
    this.live = false;
    /** @type {import("../document-messages.js").Line | null} */
    this.line = null;
    /** Stills in large, marked with the same pen. @type {Set<Markable>} */
    this.stills = new Set();
    this.ppi = 0;
    this.pen = new Pen({
      send: (message) => this.send(message),
      changed: () => this._changed(),
      refused: (code) => this._refused(code),
    });
    this.sheet = new LiveSheet({ area: paper.area, placing: () => paper.placing(), pen: this.pen });
    this.hand = new Pointing({ area: paper.area, page: () => this.sheet.number, map: () => this.sheet.map(), pen: this.pen });
    this.guidance = new Guidance(() => this._words());
    paper.placed = () => this.sheet.redraw();
    document.addEventListener("keydown", (event) => this._escape(event));
    this._changed();
  }

  /** @returns {import("../document.js").SheetEvents} */
  get events() {
    return {
      page: (page) => this._page(page),
      marks: (marks) => this.pen.heard(marks),
      refused: (refused) => this._answered(refused),
      thin: (line) => {
        this.line = line;
        this._thin();
      },
    };
  }

  /** @param {(message: ToAgent) => void} send over this session's channel */
  begin(send) {
    this.end();
    this.send = send;
  }

  /** Nothing of the session stays. */
  end() {
    this.send = () => undefined;
    this.point(false);
    this.pen.forget();
    this.view = "table";
    this.live = false;
    this.line = null;
    this._page(null);
    this._thin();
  }

  /**
   * A still in large can be pointed at and marked too, as long as its sheet lies there. Its owner says `redraw` when the
   * still is shown elsewhere, and `close` when it is shown no more.
   * @param {{ area: HTMLElement, page: () => number, map: () => import("../placing.js").SheetMap | null }} still
   */
  attach(still) {
    const drawn = new Markable({ ...still, pen: this.pen });
    const hand = new Pointing({ ...still, pen: this.pen });
    this.stills.add(drawn);
    drawn.redraw();
    return {
      redraw: () => drawn.redraw(),
      point: (/** @type {boolean} */ on) => hand.turn(on),
      close: () => {
        this.stills.delete(drawn);
        hand.close();
        drawn.close();
      },
    };
  }

  /** A picture that stands still, is black or does not come shows no sheet, whatever was said of it before. @param {boolean} live */
  cameraIs(live) {
    this.live = live;
    this._page(this.page);
    this._thin();
  }

  /** The whole table or the sheet alone, for everybody. */
  switchView() {
    this.view = this.view === "page" ? "table" : "page";
    this.agreed = performance.now();
    this.send({ type: "view", view: this.view });
    this._words();
  }

  /** The sheet alone is turned for everybody, the table only here. */
  turn() {
    if (this.page?.view === "page") this.send({ type: "view", view: "page", turn: 90 });
    else this.paper.turn();
  }

  /** @param {boolean} on */
  point(on) {
    this.hand.turn(on);
    this.paper.held = on;
    if (on) this.paper.area.focus({ preventScroll: true });
    this._changed();
  }

  /** @param {Page | null} page */
  _page(page) {
    if (page) this._follow(page);
    this.page = page;
    const shown = this.live ? page : null;
    const ppi = shown?.ppi ?? 0;
    if (Math.abs(ppi - this.ppi) >= PPI_STEP || ppi === 0) this.ppi = ppi;
    this.paper.shows(page?.view === "page");
    this.sheet.told(shown);
    if (shown) this.guidance.want(advice(shown), performance.now());
    else this.guidance.stop();
    this._words();
  }

  /** Another expert may have chosen. Without a sheet there is nothing but the table to see, whatever was chosen. @param {Page} page */
  _follow({ view, corners }) {
    const now = performance.now();
    if (view === this.view || !corners) this.agreed = now;
    else if (now - this.agreed > FOLLOW_MS) this.view = view;
  }

  _words() {
    const { shown } = this.guidance;
    const waits = this.live && this.view === "page" && this.page?.view === "table" && this.page.page === 0;
    const state = element("paper-state", HTMLElement);
    state.dataset["state"] = shown === null ? "" : shown === "good" ? "good" : "warn";
    said(state, [shown && say(`paper.${shown}`), waits && say("paper.view_waits")].filter(Boolean).join(" "));
    const level = this.ppi >= FINE_PPI ? "fine" : this.ppi >= FAIR_PPI || shown === "good" ? "fair" : "low";
    said(element("paper-ppi", HTMLElement), this.ppi ? say(`paper.ppi_${level}`, { ppi: Math.round(this.ppi) }) : "");
    element("view", HTMLElement).setAttribute("aria-pressed", String(this.view === "page"));
  }

  _changed() {
    this.sheet?.redraw();
    for (const still of this.stills) still.redraw();
    const on = this.hand?.on ?? false;
    element("point", HTMLElement).setAttribute("aria-pressed", String(on));
    element("point-help", HTMLElement).hidden = !on;
    const there = this.pen?.canUndo ?? false;
    for (const id of ["mark-undo", "mark-clear"]) element(id, HTMLElement).hidden = !there && !on;
  }

  /** @param {import("../document-messages.js").Refused} refused */
  _answered(refused) {
    if (refused.what !== "view") return this.pen.answered(refused);
    this.view = this.page?.view ?? "table";
    this._words();
    return this._refused(refused.code);
  }

  /** @param {string} code */
  _refused(code) {
    notify(say(says(`refused.${code}`) ? `refused.${code}` : "refused.other"), { kind: "warn" });
  }

  /** How much the line carries, as long as there is a picture to carry. */
  _thin() {
    const { line } = this;
    const words = !this.live || !line || line.step === "full" ? "" : say(`thin.${line.step}`, { frames: line.frames_per_second });
    said(element("paper-line", HTMLElement), words);
  }

  /** @param {KeyboardEvent} event */
  _escape(event) {
    if (event.key !== "Escape" || !this.hand.on || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.point(false);
  }
}

/**
 * A live region is read aloud when it is written: it is written when the words are others.
 * @param {HTMLElement} place
 * @param {string} words
 */
function said(place, words) {
  if (place.textContent !== words) place.textContent = words;
}
