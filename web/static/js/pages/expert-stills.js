/**
 * The tray of stills. Pictures live in this page's memory alone and are let go when the wrap-up ends. What is shown has
 * passed its checksum.
 */

import { Countdown } from "../countdown.js";
import { element, notify, say } from "./page.js";
import { savePdf } from "./saving.js";
import { StillEntry } from "./still-entry.js";
import { StillView } from "./still-view.js";

/** @typedef {import("../stills.js").Still} Still */
/**
 * @typedef {object} TrayOptions
 * @property {import("./still-view.js").Attach} attach lets a still be pointed at and marked
 */

export class Tray {
  /** @param {TrayOptions} options */
  constructor(options) {
    this.list = element("stills", HTMLOListElement);
    this.save = element("save-pdf", HTMLButtonElement);
    this.ending = element("tray-ending", HTMLElement);
    /** Takes one more page, in place of one that failed. @type {(() => void) | null} */
    this.again = null;
    /** In the order of the PDF. @type {StillEntry[]} */
    this.entries = [];
    this.count = 0;
    /** What the expert turns a page by, on top of what the camera says: the next one usually lies the same way. */
    this.habit = 0;
    /** @type {Countdown | undefined} */
    this.countdown = undefined;
    /** @type {AbortController | undefined} */
    this.heard = undefined;
    this.view = new StillView({ attach: options.attach, beside: (entry, by) => this._beside(entry, by) });
    this.view.dialog.addEventListener("close", () => this._turned());
    this.save.addEventListener("click", () => void this._save());
    /** @type {StillEntry | undefined} */
    this.dragged = undefined;
    this.list.addEventListener("dragstart", (event) => void (this.dragged = this._under(event)));
    this.list.addEventListener("dragend", () => void (this.dragged = undefined));
    this.list.addEventListener("dragover", (event) => this._dragged(event));
    this._changed();
  }

  /** How many pages there are to keep or lose. */
  get size() {
    return this.entries.filter(({ best }) => best !== null).length;
  }

  /** @param {string} id */
  begin(id) {
    this.count += 1;
    const entry = new StillEntry(id, this.count, {
      open: (one, compare) => this.view.open(one, compare),
      move: (one, by) => this._move(one, by),
      drop: (one) => this._drop(one),
      again: (one) => this._again(one),
      changed: () => this._changed(),
    });
    this.entries.push(entry);
    this.list.append(entry.place);
    entry.place.scrollIntoView({ block: "nearest", inline: "end" });
    this._changed();
  }

  /**
   * @param {string} id
   * @param {{ stage: import("../stills.js").StillStage, share: number }} how
   */
  progress(id, how) {
    this._entry(id)?.progress(how);
  }

  /**
   * @param {string} id
   * @param {Still} still
   */
  done(id, still) {
    const entry = this._entry(id);
    if (!entry) return;
    const isFirst = entry.best === null;
    entry.add(still);
    if (!isFirst) return;
    entry.turnTo((still.turn + this.habit) % 360);
    entry.suggested = still.turn;
    entry.place.draggable = true;
    this._changed();
    notify(say("expert.still_done", { number: entry.number }), { kind: "good" });
  }

  /**
   * @param {string} id
   * @param {string} code
   */
  failed(id, code) {
    const entry = this._entry(id);
    if (!entry) return;
    entry.failed(code, this.again !== null && code !== "not_allowed");
    notify(entry.place.querySelector(".still-failure")?.textContent ?? "", { kind: "warn" });
    this._changed();
  }

  /**
   * The session is over: the pages go after so long, which is told in words, with a warning in the last minute.
   * @param {number} milliseconds
   * @param {() => void} over
   */
  endsIn(milliseconds, over) {
    this.again = null;
    for (const entry of this.entries.filter(({ best }) => best === null)) this._drop(entry);
    this.countdown = new Countdown({ milliseconds, tell: (left) => this._tellEnd(left), over });
    this.heard = new AbortController();
    document.addEventListener("visibilitychange", () => this.countdown?.look(), { signal: this.heard.signal });
  }

  /** Nothing of the customer stays. */
  clear() {
    this.countdown?.stop();
    this.heard?.abort();
    this.view.close();
    for (const entry of this.entries) entry.forget();
    this.entries = [];
    this.count = 0;
    this.habit = 0;
    this.ending.hidden = true;
    this._changed();
  }

  /** @param {import("../countdown.js").Left} left */
  _tellEnd({ unit, number }) {
    const words = unit === "minutes" ? say("tray.ends_minutes", { minutes: number }) : say("tray.ends_seconds", { seconds: number });
    this.ending.hidden = false;
    this.ending.dataset["state"] = unit === "minutes" ? "" : "warn";
    const place = element("tray-ending-words", HTMLElement);
    if (place.textContent !== words) place.textContent = words;
  }

  /** @param {string} id */
  _entry(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /**
   * @param {StillEntry} entry
   * @param {1 | -1} by
   */
  _beside(entry, by) {
    const shown = this.entries.filter(({ best }) => best !== null);
    return shown[shown.indexOf(entry) + by] ?? null;
  }

  /**
   * @param {StillEntry} entry
   * @param {1 | -1} by
   */
  _move(entry, by) {
    const other = this._beside(entry, by);
    if (!other) return;
    const focused = document.activeElement;
    this._put(entry, other, by === 1);
    if (focused instanceof HTMLElement) focused.focus();
    notify(say("tray.moved", { number: entry.number, place: this.entries.indexOf(entry) + 1 }));
  }

  /**
   * @param {StillEntry} entry
   * @param {StillEntry} other
   * @param {boolean} after
   */
  _put(entry, other, after) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.entries.splice(this.entries.indexOf(other) + (after ? 1 : 0), 0, entry);
    if (after) other.place.after(entry.place);
    else other.place.before(entry.place);
    this._changed();
  }

  /** @param {DragEvent} event */
  _dragged(event) {
    const other = this._under(event);
    if (!this.dragged || !other) return;
    event.preventDefault();
    if (this.dragged !== other) this._put(this.dragged, other, this.entries.indexOf(this.dragged) < this.entries.indexOf(other));
  }

  /** @param {DragEvent} event */
  _under(event) {
    const at = event.target instanceof Element ? event.target.closest("li") : null;
    return this.entries.find(({ place, best }) => place === at && best !== null);
  }

  /** @param {StillEntry} entry */
  _drop(entry) {
    const had = entry.place.contains(document.activeElement);
    entry.forget();
    this.entries = this.entries.filter((one) => one !== entry);
    this._changed();
    if (had) element("capture", HTMLElement).focus({ preventScroll: true });
  }

  /** @param {StillEntry} entry */
  _again(entry) {
    this._drop(entry);
    this.again?.();
  }

  /** What was turned in large tells how the next page lies. */
  _turned() {
    const last = this.entries.filter(({ best }) => best !== null).at(-1);
    if (last) this.habit = (last.turn - last.suggested + 360) % 360;
  }

  _chosen() {
    return this.entries.flatMap(({ best, chosen, turn }) => (best && chosen.checked ? [{ still: best, turn }] : []));
  }

  _save() {
    return savePdf(this._chosen(), null);
  }

  _changed() {
    const shown = this.entries.filter(({ best }) => best !== null);
    shown.forEach((entry, index) => entry.ends(index === 0, index === shown.length - 1));
    const chosen = this._chosen().length;
    this.save.hidden = shown.length === 0;
    this.save.disabled = chosen === 0;
    element("save-pdf-words", HTMLElement).textContent = say(chosen === 1 ? "tray.save_one" : "tray.save_many", { count: chosen });
    element("no-stills", HTMLElement).hidden = this.entries.length > 0;
  }
}
