/**
 * The tray of stills. Pictures live in this page's memory alone and are let go when the wrap-up ends. What is shown has
 * passed its checksum.
 */

import { element, notify, say } from "./page.js";

export class Tray {
  constructor() {
    this.list = element("stills", HTMLOListElement);
    this.dialog = element("still-dialog", HTMLDialogElement);
    this.full = element("still-full", HTMLElement);
    /** @type {Map<string, HTMLLIElement>} */
    this.places = new Map();
    this.count = 0;
    this.dialog.addEventListener("close", () => this.full.replaceChildren());
  }

  get size() {
    return this.count;
  }

  /** @param {string} id */
  begin(id) {
    const place = document.createElement("li");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", say("expert.capturing"));
    place.append(bar);
    this.places.set(id, place);
    this.list.prepend(place);
    this._empty();
  }

  /**
   * @param {string} id
   * @param {number} share
   */
  progress(id, share) {
    const bar = this.places.get(id)?.querySelector("progress");
    if (bar) bar.value = share;
  }

  /**
   * @param {string} id
   * @param {import("../stills.js").Still} still
   */
  done(id, still) {
    const place = this.places.get(id);
    if (!place) return;
    this.count += 1;
    const picture = document.createElement("img");
    picture.src = URL.createObjectURL(still.blob);
    picture.dataset["still"] = still.sha256;
    picture.alt = say("expert.still_number", { number: this.count });
    const button = document.createElement("button");
    button.type = "button";
    button.className = "still";
    button.append(picture);
    button.addEventListener("click", () => this._show(picture.src, picture.alt));
    place.replaceChildren(button);
    notify(say("expert.still_done", { number: this.count }), { kind: "good" });
  }

  /**
   * @param {string} id
   * @param {string} code
   */
  failed(id, code) {
    this.places.get(id)?.remove();
    this.places.delete(id);
    this._empty();
    notify(say(`still.${code}`), { kind: "warn" });
  }

  /** Nothing of the customer stays. */
  clear() {
    if (this.dialog.open) this.dialog.close();
    for (const picture of this.list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
    this.list.replaceChildren();
    this.places.clear();
    this.count = 0;
    this._empty();
  }

  /**
   * @param {string} address
   * @param {string} words
   */
  _show(address, words) {
    const picture = document.createElement("img");
    picture.src = address;
    picture.alt = words;
    this.full.replaceChildren(picture);
    this.dialog.showModal();
  }

  _empty() {
    element("no-stills", HTMLElement).hidden = this.list.childElementCount > 0;
  }
}
