/** The camera's picture on the page, turned as it will be, with the part that is used; a new part is drawn with the mouse. */

import { drawn } from "../framing.js";

/** @typedef {import("../framing.js").CameraSettings} CameraSettings */
/** @typedef {import("../framing.js").Crop} Crop */
/** @typedef {import("../framing.js").Point} Point */

export class CameraPicture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ cropped: (crop: Crop | null) => void }} events
   */
  constructor(canvas, events) {
    this.canvas = canvas;
    this.events = events;
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    /** @type {CameraSettings} */
    this.settings = { source: "", mode: null, crop: null, turn: 0 };
    /** @type {{ from: Point, to: Point } | null} */
    this.drawing = null;
    canvas.addEventListener("pointerdown", (event) => this._begin(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    canvas.addEventListener("pointerup", (event) => this._end(event));
    canvas.addEventListener("pointercancel", () => this._drop());
  }

  /** @param {CameraSettings} settings */
  frame(settings) {
    this.settings = settings;
    this._draw();
  }

  /** @param {Blob} jpeg all that the camera sees */
  async show(jpeg) {
    const bitmap = await createImageBitmap(jpeg);
    this.bitmap?.close();
    this.bitmap = bitmap;
    this._draw();
  }

  /** Nothing of what was seen stays on the page. */
  forget() {
    this.bitmap?.close();
    this.bitmap = null;
    this.drawing = null;
    this.canvas.width = this.canvas.height = 1;
  }

  _draw() {
    const brush = this.canvas.getContext("2d");
    if (!this.bitmap || !brush) return;
    const { turn } = this.settings;
    const lies = turn % 180 === 0;
    const [width, height] = lies ? [this.bitmap.width, this.bitmap.height] : [this.bitmap.height, this.bitmap.width];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    brush.setTransform(1, 0, 0, 1, width / 2, height / 2);
    brush.rotate((turn * Math.PI) / 180);
    brush.drawImage(this.bitmap, -this.bitmap.width / 2, -this.bitmap.height / 2);
    brush.setTransform(1, 0, 0, 1, 0, 0);
    const crop = this.drawing ? drawn(this.drawing.from, this.drawing.to) : this.settings.crop;
    if (crop) this._outline(brush, crop, width, height);
  }

  /**
   * @param {CanvasRenderingContext2D} brush
   * @param {Crop} crop
   * @param {number} width
   * @param {number} height
   */
  _outline(brush, crop, width, height) {
    const [left, top] = [crop.left * width, crop.top * height];
    const [across, down] = [(crop.right - crop.left) * width, (crop.bottom - crop.top) * height];
    const colours = getComputedStyle(this.canvas);
    const outside = new Path2D();
    outside.rect(0, 0, width, height);
    outside.rect(left, top, across, down);
    brush.fillStyle = colours.getPropertyValue("--drawn-edge");
    brush.globalAlpha = 0.6;
    brush.fill(outside, "evenodd");
    brush.globalAlpha = 1;
    for (const [line, colour] of /** @type {const} */ ([[7, "--drawn-edge"], [3, "--drawn-outline"]])) {
      brush.lineWidth = line;
      brush.strokeStyle = colours.getPropertyValue(colour);
      brush.strokeRect(left, top, across, down);
    }
  }

  /** @param {PointerEvent} event */
  _begin(event) {
    if (!this.bitmap || event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    const from = this._place(event);
    this.drawing = { from, to: from };
  }

  /** @param {PointerEvent} event */
  _move(event) {
    if (!this.drawing) return;
    this.drawing.to = this._place(event);
    this._draw();
  }

  /** @param {PointerEvent} event */
  _end(event) {
    if (!this.drawing) return;
    const crop = drawn(this.drawing.from, this._place(event));
    this._drop();
    if (crop !== undefined) this.events.cropped(crop);
  }

  _drop() {
    this.drawing = null;
    this._draw();
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  _place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }
}
