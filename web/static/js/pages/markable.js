/**
 * A sheet one can point at and draw on, wherever it is shown: live, or as a still in large. Drawn over an area of the page
 * through a map that its owner knows; the owner says `redraw` when anything moved. With a pen's `hand` it also listens.
 *
 * const sheet = new Markable({ area, page: () => still.page, map: () => sheetIn(placing, corners), pen });
 */

/** @typedef {import("../corners.js").Point} Point */
/** @typedef {{ marks: (page: number) => import("../document-messages.js").Mark[], pointer: (page: number) => Point | null }} Drawn */
/**
 * @typedef {object} MarkableOptions
 * @property {HTMLElement} area what the sheet is shown in; positioned, for the drawing lies over it
 * @property {() => number} page the sheet's number, 0 for none
 * @property {() => import("../placing.js").SheetMap | null} map
 * @property {Drawn} pen
 * @property {() => "none" | "calm" | "moving"} [outline]
 * @property {() => boolean} [more] it is still gliding: the next picture of the screen draws it again
 */

const SVG = "http://www.w3.org/2000/svg";
const TICK_SHARE = 0.14;
const TICK_PX = 30;
/** @type {readonly Point[]} */
const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];
/** Each line has an edge below it, so that it shows on white paper and on a dark table. */
const LINES = /** @type {const} */ (["outline", "ticks", "strokes", "dots"]);

export class Markable {
  /** @param {MarkableOptions} options */
  constructor(options) {
    this.options = options;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "sheet-drawing");
    this.svg.setAttribute("aria-hidden", "true");
    /** @type {Map<string, SVGPathElement[]>} */
    this.paths = new Map(LINES.map((name) => [name, [this._path(`${name} edge`), this._path(`${name} ink`)]]));
    this.pointer = this._pointer();
    options.area.append(this.svg);
    this.frame = 0;
  }

  /** Draws it anew with the next picture of the screen. */
  redraw() {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this._draw());
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.svg.remove();
  }

  _draw() {
    this.frame = 0;
    const { page, map: mapping, pen, outline, more } = this.options;
    const map = mapping();
    const sheet = map ? page() : 0;
    const marks = map ? pen.marks(sheet) : [];
    const shape = map && outline ? outline() : "none";
    this.svg.dataset["sheet"] = String(sheet);
    this.svg.dataset["outline"] = shape;
    this._line("outline", map && shape !== "none" ? ring(CORNERS.map(map.toArea)) : "");
    this._line("ticks", map && shape !== "none" ? ticks(CORNERS.map(map.toArea)) : "");
    this._line("strokes", map ? marks.filter(({ points }) => points.length > 1).map(({ points }) => line(points.map(map.toArea))).join("") : "");
    this._line("dots", map ? marks.filter(({ points }) => points.length === 1).map(({ points }) => dot(points.map(map.toArea))).join("") : "");
    this._place(map ? pen.pointer(sheet) : null);
    if (more?.()) this.redraw();
  }

  /**
   * @param {string} name
   * @param {string} d
   */
  _line(name, d) {
    for (const path of this.paths.get(name) ?? []) if (path.getAttribute("d") !== d) path.setAttribute("d", d);
  }

  /** @param {Point | null} point */
  _place(point) {
    const map = this.options.map();
    this.pointer.toggleAttribute("data-there", point !== null && map !== null);
    if (!point || !map) return;
    const [x, y] = map.toArea(point);
    this.pointer.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  }

  /** @param {string} name */
  _path(name) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    this.svg.append(path);
    return path;
  }

  /** A ring with its middle: what one points at is seen inside it. */
  _pointer() {
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "pointer");
    for (const [name, radius] of /** @type {const} */ ([["edge", 20], ["ink", 20], ["edge middle", 4], ["ink middle", 4]])) {
      const circle = document.createElementNS(SVG, "circle");
      circle.setAttribute("class", name);
      circle.setAttribute("r", String(radius));
      group.append(circle);
    }
    this.svg.append(group);
    return group;
  }
}

/** @param {readonly Point[]} points */
function line(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** @param {readonly Point[]} points */
function ring(points) {
  return `${line(points)}Z`;
}

/** A line of no length has round ends. @param {readonly Point[]} points */
function dot(points) {
  return `${line(points)}h0.01`;
}

/** The corners, as one draws them round a picture: a short way along both sides. @param {readonly Point[]} points */
function ticks(points) {
  return points.map((corner, index) => {
    const [before, after] = [points[(index + 3) % 4] ?? corner, points[(index + 1) % 4] ?? corner];
    return line([along(corner, before), corner, along(corner, after)]);
  }).join("");
}

/**
 * @param {Point} from
 * @param {Point} to
 * @returns {Point}
 */
function along([x0, y0], [x1, y1]) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const share = Math.min(TICK_SHARE, TICK_PX / length);
  return [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share];
}
