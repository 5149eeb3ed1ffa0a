/** The document in large: zoom, turn, drag. The turn is remembered, for the next paper usually lies the same way. */

import { fitted } from "../placing.js";

const STEPS = [1, 1.25, 1.5, 2, 3, 4];
const NUDGE_PX = 60;
const REMEMBERED = "etapalvelu.turn";

export class Paper {
  /**
   * @param {HTMLElement} area
   * @param {HTMLVideoElement} video
   * @param {(percent: number) => void} zoomed
   */
  constructor(area, video, zoomed) {
    this.area = area;
    this.video = video;
    this.zoomed = zoomed;
    /** Told whenever the picture stands elsewhere. @type {() => void} */
    this.placed = () => undefined;
    /** The hand that drags is wanted for something else. */
    this.held = false;
    /** A sheet sent straightened is turned where it is straightened, not here. */
    this.straight = false;
    this.step = 0;
    this.turned = Number(localStorage.getItem(REMEMBERED) ?? 0) % 360;
    this.x = 0;
    this.y = 0;
    /** @type {{ x: number, y: number } | null} */
    this.grip = null;
    area.addEventListener("pointerdown", (event) => this._grab(event));
    area.addEventListener("pointermove", (event) => this._drag(event));
    area.addEventListener("pointerup", () => void (this.grip = null));
    area.addEventListener("pointercancel", () => void (this.grip = null));
    area.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    area.addEventListener("keydown", (event) => this._key(event));
    video.addEventListener("resize", () => this._place());
    new ResizeObserver(() => this._place()).observe(area);
  }

  /** @param {1 | -1} direction */
  zoom(direction) {
    this.step = Math.max(0, Math.min(STEPS.length - 1, this.step + direction));
    this._place();
  }

  turn() {
    this.turned = (this.turned + 90) % 360;
    localStorage.setItem(REMEMBERED, String(this.turned));
    this.x = this.y = 0;
    this._place();
  }

  /** The whole paper again. */
  whole() {
    this.step = this.x = this.y = 0;
    this._place();
  }

  /** @param {boolean} straight */
  shows(straight) {
    if (straight === this.straight) return;
    this.straight = straight;
    this.whole();
  }

  /** @returns {import("../placing.js").Placing} */
  placing() {
    const { clientWidth, clientHeight } = this.area;
    return {
      area: [clientWidth, clientHeight],
      picture: [this.video.videoWidth || 16, this.video.videoHeight || 9],
      scale: STEPS[this.step] ?? 1,
      turned: this.straight ? 0 : this.turned,
      moved: [this.x, this.y],
    };
  }

  _place() {
    const placing = this.placing();
    const { area: [width, height], scale = 1, turned = 0 } = placing;
    const [across, down] = fitted(placing);
    const [seenWidth, seenHeight] = turned % 180 !== 0 ? [down, across] : [across, down];
    const roomX = Math.max(0, (seenWidth * scale - width) / 2);
    const roomY = Math.max(0, (seenHeight * scale - height) / 2);
    this.x = Math.max(-roomX, Math.min(roomX, this.x));
    this.y = Math.max(-roomY, Math.min(roomY, this.y));
    this.video.style.width = `${across}px`;
    this.video.style.height = `${down}px`;
    this.video.style.transform =
      `translate(-50%, -50%) translate(${this.x}px, ${this.y}px) scale(${scale}) rotate(${turned}deg)`;
    this.area.classList.toggle("is-zoomed", scale > 1);
    this.zoomed(Math.round(scale * 100));
    this.placed();
  }

  /** @param {PointerEvent} event */
  _grab(event) {
    if (this.step === 0 || this.held) return;
    this.grip = { x: event.clientX - this.x, y: event.clientY - this.y };
    this.area.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  _drag(event) {
    if (!this.grip) return;
    this.x = event.clientX - this.grip.x;
    this.y = event.clientY - this.grip.y;
    this._place();
  }

  /** @param {WheelEvent} event */
  _wheel(event) {
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1 : -1);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (this.held) return;
    const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (x === 0 && y === 0) return;
    event.preventDefault();
    this.x += (x ?? 0) * NUDGE_PX;
    this.y += (y ?? 0) * NUDGE_PX;
    this._place();
  }
}
