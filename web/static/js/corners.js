/**
 * A sheet on the table, seen askew: the perspective map between the sheet (the unit square, (0, 0) its top left) and its
 * four corners in a picture. No DOM. What is marked on the sheet stays on it because it goes through this map.
 */

/** @typedef {readonly [number, number]} Point */
/** @typedef {readonly [Point, Point, Point, Point]} Corners top left, top right, bottom right, bottom left of the sheet */
/** @typedef {readonly [number, number, number, number, number, number, number, number, number]} Matrix row by row */

/** @type {Corners} a picture that is the sheet itself */
export const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];
/** Below this share of the picture a sheet is a line, and has no inside to point at. */
const LEAST_AREA = 1e-6;

/**
 * The map from the sheet to its corners; null when they are not the corners of a convex quadrilateral.
 * @param {Corners} corners
 * @returns {Matrix | null}
 */
export function perspective(corners) {
  if (!isConvex(corners)) return null;
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners;
  const [dx1, dy1, dx2, dy2] = [x1 - x2, y1 - y2, x3 - x2, y3 - y2];
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const across = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / across;
  const h = (dx1 * sy - sx * dy1) / across;
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}

/**
 * The way back: from the picture to the sheet.
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function inverse([a, b, c, d, e, f, g, h, i]) {
  // the adjugate: a factor common to all nine does not matter
  return [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
}

/**
 * @param {Matrix} matrix
 * @param {Point} point
 * @returns {Point}
 */
export function through([a, b, c, d, e, f, g, h, i], [x, y]) {
  const depth = g * x + h * y + i;
  return [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
}

/** @param {Point} point of the sheet */
export function isOn([x, y]) {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1;
}

/**
 * The nearest place on the sheet.
 * @param {Point} point
 * @returns {Point}
 */
export function ontoSheet([x, y]) {
  return [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
}

/**
 * Part of the way from one place of the sheet to another.
 * @param {Corners} from
 * @param {Corners} to
 * @param {number} share 0 to 1
 * @returns {Corners}
 */
export function between(from, to, share) {
  const [a, b, c, d] = from;
  const [e, f, g, h] = to;
  return [middle(a, e, share), middle(b, f, share), middle(c, g, share), middle(d, h, share)];
}

/**
 * @param {Point} from
 * @param {Point} to
 * @param {number} share
 * @returns {Point}
 */
function middle([x0, y0], [x1, y1], share) {
  return [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share];
}

/** @param {Corners} corners */
function isConvex(corners) {
  const turns = corners.map((corner, index) => {
    const [x1, y1] = corners[(index + 1) % 4] ?? corner;
    const [x2, y2] = corners[(index + 2) % 4] ?? corner;
    return (x1 - corner[0]) * (y2 - y1) - (y1 - corner[1]) * (x2 - x1);
  });
  return turns.every((turn) => turn > LEAST_AREA) || turns.every((turn) => turn < -LEAST_AREA);
}
