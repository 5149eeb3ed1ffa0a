/**
 * Where a picture stands in the area that shows it: contained, enlarged, turned, moved. No DOM. Places in the picture are
 * fractions of it, places in the area are CSS pixels from its top left.
 */

import { inverse, perspective, through } from "./corners.js";

/** @typedef {import("./corners.js").Point} Point */
/** @typedef {{ toArea: (point: Point) => Point, toSheet: (point: Point) => Point }} SheetMap between the sheet and the area that shows it */
/**
 * @typedef {object} Placing
 * @property {readonly [number, number]} area its width and height
 * @property {readonly [number, number]} picture width and height, in any unit
 * @property {number} [scale]
 * @property {number} [turned] degrees clockwise, a multiple of 90
 * @property {Point} [moved] from the middle of the area
 */

/**
 * The size at scale 1: as large as fits, turned as it is.
 * @param {Placing} placing
 * @returns {[number, number]} width and height before turning, CSS pixels
 */
export function fitted({ area: [width, height], picture: [across, down], turned = 0 }) {
  const sideways = turned % 180 !== 0;
  const share = Math.min(width / (sideways ? down : across), height / (sideways ? across : down));
  return [across * share, down * share];
}

/**
 * @param {Placing} placing
 * @param {Point} point of the picture
 * @returns {Point} of the area
 */
export function toArea(placing, [x, y]) {
  const { area: [width, height], scale = 1, turned = 0, moved = [0, 0] } = placing;
  const [across, down] = fitted(placing);
  const [right, below] = quarters((x - 0.5) * across * scale, (y - 0.5) * down * scale, turned);
  return [width / 2 + moved[0] + right, height / 2 + moved[1] + below];
}

/**
 * @param {Placing} placing
 * @param {Point} point of the area
 * @returns {Point} of the picture
 */
export function toPicture(placing, [x, y]) {
  const { area: [width, height], scale = 1, turned = 0, moved = [0, 0] } = placing;
  const [across, down] = fitted(placing);
  const [right, below] = quarters(x - width / 2 - moved[0], y - height / 2 - moved[1], 360 - turned);
  return [right / (across * scale) + 0.5, below / (down * scale) + 0.5];
}

/**
 * The map of a sheet whose corners stand at these places of the picture; null when there is none to be seen.
 * @param {Placing} placing
 * @param {import("./corners.js").Corners | null} corners
 * @returns {SheetMap | null}
 */
export function sheetIn(placing, corners) {
  const there = corners && perspective(corners);
  if (!there) return null;
  const back = inverse(there);
  return {
    toArea: (point) => toArea(placing, through(there, point)),
    toSheet: (point) => through(back, toPicture(placing, point)),
  };
}

/**
 * Exact quarter turns clockwise (y grows downward).
 * @param {number} x
 * @param {number} y
 * @param {number} degrees
 * @returns {[number, number]}
 */
function quarters(x, y, degrees) {
  const times = ((Math.round(degrees / 90) % 4) + 4) % 4;
  if (times === 1) return [-y, x];
  if (times === 2) return [-x, -y];
  return times === 3 ? [y, -x] : [x, y];
}
