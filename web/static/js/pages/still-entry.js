/** One capture in the tray: how far it is, its page and the camera's picture, what is wrong with them, its place in the PDF. */

import { say, says } from "./page.js";

/** @typedef {import("../stills.js").Still} Still */
/**
 * @typedef {object} EntryDeeds
 * @property {(entry: StillEntry, compare: boolean) => void} open
 * @property {(entry: StillEntry, by: 1 | -1) => void} move
 * @property {(entry: StillEntry) => void} drop takes it out of the tray
 * @property {(entry: StillEntry) => void} again
 * @property {() => void} changed
 */

export class StillEntry {
  /**
   * @param {string} id
   * @param {number} number
   * @param {EntryDeeds} deeds
   */
  constructor(id, number, deeds) {
    this.id = id;
    this.number = number;
    this.deeds = deeds;
    /** @type {{ page: Still | null, raw: Still | null }} */
    this.stills = { page: null, raw: null };
    /** How the expert wants it turned, clockwise. */
    this.turn = 0;
    /** How the camera thinks it stands upright. */
    this.suggested = 0;
    /** @type {string[]} */
    this.addresses = [];
    this.place = document.createElement("li");
    this.place.className = "still-entry";
    this.place.dataset["state"] = "coming";
    this.pictures = piece("div", "still-pictures");
    this.state = piece("div", "still-state");
    this.verdict = piece("p", "still-verdict");
    this.controls = piece("div", "still-controls");
    this.chosen = document.createElement("input");
    this.chosen.type = "checkbox";
    this.chosen.checked = true;
    this.chosen.addEventListener("change", () => deeds.changed());
    const side = piece("div", "still-side");
    side.append(this.verdict, this.state, this.controls);
    this.place.append(this.pictures, side);
    this.progress({ stage: "calm", share: 0 });
  }

  /** The picture that counts: the page where there is one. */
  get best() {
    return this.stills.page ?? this.stills.raw;
  }

  /** What it is called. */
  get name() {
    return say("expert.still_number", { number: this.number });
  }

  /** @param {{ stage: import("../stills.js").StillStage, share: number }} how */
  progress({ stage, share }) {
    let bar = this.state.querySelector("progress");
    const words = this.state.querySelector("p") ?? piece("p", "");
    if (!bar) {
      bar = document.createElement("progress");
      bar.max = 1;
      this.state.replaceChildren(words, bar);
    }
    const said = say(`tray.stage_${stage}`);
    if (words.textContent !== said) words.textContent = said;
    bar.setAttribute("aria-label", said);
    if (stage === "sending" || stage === "raw") bar.value = share;
    else bar.removeAttribute("value");
  }

  /** @param {Still} still */
  add(still) {
    const isFirst = this.best === null;
    this.stills[still.part] = still;
    const compares = !isFirst;
    this.pictures.append(this._button(still, compares));
    if (still.part === "raw") this.state.replaceChildren();
    if (!isFirst) return;
    this.place.dataset["state"] = "here";
    this.place.setAttribute("aria-label", this.name);
    this._judge(still.verdict);
    this._control();
  }

  /**
   * Nothing more comes. What came before stays.
   * @param {string} code
   * @param {boolean} again whether it can be taken again
   */
  failed(code, again) {
    const words = piece("p", "still-failure");
    if (this.best) {
      words.append(say("tray.raw_missing"));
      return this.state.replaceChildren(words);
    }
    this.place.dataset["state"] = "failed";
    words.append(symbol("bad"), says(`still.${code}`) ? say(`still.${code}`) : say("still.broken"));
    const buttons = piece("div", "still-controls");
    if (again) buttons.append(button(say("tray.again"), "", () => this.deeds.again(this)));
    buttons.append(button(say("tray.drop"), "", () => this.deeds.drop(this)));
    return this.state.replaceChildren(words, buttons);
  }

  /** @param {number} degrees */
  turnTo(degrees) {
    this.turn = degrees;
    const page = this.pictures.querySelector("img");
    if (page) page.dataset["turn"] = String(degrees);
  }

  /**
   * Which of the two buttons make sense here.
   * @param {boolean} isFirst
   * @param {boolean} isLast
   */
  ends(isFirst, isLast) {
    const [earlier, later] = this.controls.querySelectorAll(".still-move");
    earlier?.toggleAttribute("disabled", isFirst);
    later?.toggleAttribute("disabled", isLast);
  }

  /** Let go of the pictures. */
  forget() {
    for (const address of this.addresses) URL.revokeObjectURL(address);
    this.place.remove();
  }

  /** @param {"page" | "raw"} part */
  address(part) {
    return this.pictures.querySelector(`img[data-part=${part}]`)?.getAttribute("src") ?? "";
  }

  /**
   * @param {Still} still
   * @param {boolean} compares
   */
  _button(still, compares) {
    const picture = document.createElement("img");
    picture.src = URL.createObjectURL(still.blob);
    this.addresses.push(picture.src);
    picture.dataset["still"] = still.sha256;
    picture.dataset["part"] = still.part;
    picture.alt = compares ? say("tray.compare_number", { number: this.number }) : this.name;
    picture.decoding = "async";
    const place = document.createElement("button");
    place.type = "button";
    place.className = compares ? "still still-second" : "still";
    place.append(picture);
    place.addEventListener("click", () => this.deeds.open(this, compares));
    return place;
  }

  /** @param {import("../stills.js").Verdict | null} verdict */
  _judge(verdict) {
    if (!verdict) return;
    const good = verdict.code === "readable";
    this.verdict.dataset["state"] = good ? "good" : "warn";
    this.verdict.append(symbol(good ? "good" : "warn"), verdictWords(verdict));
  }

  _control() {
    const label = document.createElement("label");
    label.className = "check";
    label.append(this.chosen, say("tray.choose"));
    const { number } = this;
    const moves = piece("div", "still-moves");
    moves.append(
      button(say("tray.earlier", { number }), "back", () => this.deeds.move(this, -1)),
      button(say("tray.later", { number }), "next", () => this.deeds.move(this, 1)),
    );
    this.controls.append(label, moves);
    for (const one of moves.children) one.classList.add("still-move");
  }
}

/**
 * How a page looks, and what to do when that is not well.
 * @param {import("../stills.js").Verdict} verdict
 */
function verdictWords({ code, ppi }) {
  if (code === "readable") return ppi ? say("tray.readable_ppi", { ppi }) : say("tray.readable");
  return says(`tray.verdict_${code}`) ? say(`tray.verdict_${code}`, { ppi: ppi ?? "?" }) : say("tray.verdict_other");
}

/**
 * @param {string} tag
 * @param {string} name
 */
function piece(tag, name) {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

/**
 * @param {string} words
 * @param {string} icon stands alone with the words as its name; without one the words are shown
 * @param {() => void} deed
 */
function button(words, icon, deed) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button";
  if (icon) {
    made.setAttribute("aria-label", words);
    made.append(symbol(icon));
  } else made.append(words);
  made.addEventListener("click", deed);
  return made;
}

/** @param {string} name */
function symbol(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  drawing.append(use);
  return drawing;
}
