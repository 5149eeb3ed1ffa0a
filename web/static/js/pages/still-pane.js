/** A still in large: zoomed, turned, moved by hand or keys. How it stands is told as a placing, for marks on it. */

import { fitted } from "../placing.js";

const STEPS = [1, 1.5, 2, 3, 4, 6];
const NUDGE_PX = 60;
/** @type {Record<string, readonly [number, number]>} */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class StillPane {
  /**
   * @param {HTMLElement} area
   * @param {() => void} placed told whenever the picture stands elsewhere
   */
  constructor(area, placed) {
    this.area = area;
    this.placed = placed;
    this.picture = document.createElement("img");
    this.picture.draggable = false;
    area.append(this.picture);
    this.step = this.turned = this.x = this.y = 0;
    /** The hand is wanted for something else. */
    this.held = false;
    /** @type {{ x: number, y: number } | null} */
    this.grip = null;
    area.addEventListener("pointerdown", (event) => this._grab(event));
    area.addEventListener("pointermove", (event) => this.grip && this._move(event.clientX - this.grip.x, event.clientY - this.grip.y));
    area.addEventListener("pointerup", () => void (this.grip = null));
    area.addEventListener("pointercancel", () => void (this.grip = null));
    area.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    area.addEventListener("keydown", (event) => this._key(event));
    this.picture.addEventListener("load", () => this._place());
    new ResizeObserver(() => this._place()).observe(area);
  }

  /**
   * @param {string} address
   * @param {string} words
   * @param {number} turned
   */
  show(address, words, turned) {
    this.picture.src = address;
    this.picture.alt = words;
    this.turned = turned;
    this.whole();
  }

  clear() {
    this.picture.removeAttribute("src");
    this.picture.alt = "";
  }

  /** @param {number} turned */
  turn(turned) {
    this.turned = turned;
    this._move(0, 0);
  }

  /** @param {1 | -1} direction */
  zoom(direction) {
    const before = this.scale;
    this.step = Math.max(0, Math.min(STEPS.length - 1, this.step + direction));
    const grown = this.scale / before;
    this._move(this.x * grown, this.y * grown);
  }

  whole() {
    this.step = 0;
    this._move(0, 0);
  }

  get scale() {
    return STEPS[this.step] ?? 1;
  }

  /** @returns {import("../placing.js").Placing} */
  placing() {
    const { area, picture, scale, turned } = this;
    return {
      area: [area.clientWidth, area.clientHeight],
      picture: [picture.naturalWidth || 1, picture.naturalHeight || 1],
      scale,
      turned,
      moved: [this.x, this.y],
    };
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  _move(x, y) {
    this.x = x;
    this.y = y;
    this._place();
  }

  _place() {
    const placing = this.placing();
    const { area: [width, height] } = placing;
    const [across, down] = fitted(placing);
    const [wide, high] = this.turned % 180 === 0 ? [across, down] : [down, across];
    const room = [(wide * this.scale - width) / 2, (high * this.scale - height) / 2].map((one) => Math.max(0, one));
    const [roomX = 0, roomY = 0] = room;
    this.x = Math.max(-roomX, Math.min(roomX, this.x));
    this.y = Math.max(-roomY, Math.min(roomY, this.y));
    this.picture.style.width = `${across}px`;
    this.picture.style.height = `${down}px`;
    this.picture.style.transform =
      `translate(-50%, -50%) translate(${this.x}px, ${this.y}px) scale(${this.scale}) rotate(${this.turned}deg)`;
    this.area.classList.toggle("is-zoomed", roomX + roomY > 0);
    this.placed();
  }

  /** @param {PointerEvent} event */
  _grab(event) {
    if (this.held || event.button !== 0) return;
    this.grip = { x: event.clientX - this.x, y: event.clientY - this.y };
    this.area.setPointerCapture(event.pointerId);
  }

  /** @param {WheelEvent} event */
  _wheel(event) {
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1 : -1);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const arrow = ARROWS[event.key];
    if (this.held || !arrow || this.step === 0) return;
    event.preventDefault();
    this._move(this.x + arrow[0] * NUDGE_PX, this.y + arrow[1] * NUDGE_PX);
  }
}
