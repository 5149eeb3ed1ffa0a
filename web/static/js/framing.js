/**
 * How a camera's picture is turned and cropped, in numbers alone. A crop is shares of the turned picture; null is all of it.
 */

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Crop */
/** @typedef {{ width: number, height: number, frames_per_second: number }} Mode */
/** @typedef {0 | 90 | 180 | 270} Turn */
/** @typedef {{ source: string, mode: Mode | null, crop: Crop | null, turn: Turn }} CameraSettings */
/** @typedef {{ x: number, y: number }} Point shares of the picture */
/** @typedef {{ left: number, top: number, width: number, height: number }} Percents */

/** Less of a picture than this is a slip of the hand; the server refuses it too. */
const LEAST_SHARE = 0.05;
const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

/**
 * The settings with the picture turned a quarter further; the crop stays on what it was on.
 * @param {CameraSettings} settings
 * @param {1 | -1} quarters clockwise or back
 * @returns {CameraSettings}
 */
export function turned(settings, quarters) {
  const turn = /** @type {Turn} */ ((settings.turn + quarters * 90 + 360) % 360);
  if (!settings.crop) return { ...settings, turn };
  const { left, top, right, bottom } = settings.crop;
  const crop = quarters === 1
    ? { left: 1 - bottom, top: left, right: 1 - top, bottom: right }
    : { left: top, top: 1 - right, right: bottom, bottom: 1 - left };
  return { ...settings, turn, crop: rounded(crop) };
}

/**
 * The crop that was drawn from one corner to the other; null where it is all of the picture, undefined where it is too small.
 * @param {Point} from
 * @param {Point} to
 * @returns {Crop | null | undefined}
 */
export function drawn(from, to) {
  const left = within(Math.min(from.x, to.x));
  const top = within(Math.min(from.y, to.y));
  return checked({ left, top, right: within(Math.max(from.x, to.x)), bottom: within(Math.max(from.y, to.y)) });
}

/**
 * The crop as fields have it, in hundredths.
 * @param {Crop | null} crop
 * @returns {Percents}
 */
export function percents(crop) {
  const { left, top, right, bottom } = crop ?? WHOLE;
  return { left: hundredths(left), top: hundredths(top), width: hundredths(right - left), height: hundredths(bottom - top) };
}

/**
 * The crop that the fields say, as far as it lies in the picture; undefined where it is too small.
 * @param {Percents} fields
 * @returns {Crop | null | undefined}
 */
export function ofPercents({ left, top, width, height }) {
  if (![left, top, width, height].every(Number.isFinite)) return undefined;
  return checked({
    left: within(left / 100), top: within(top / 100), right: within((left + width) / 100), bottom: within((top + height) / 100),
  });
}

/**
 * @param {Mode | null} mode
 * @returns {string} as lists of modes name it; empty for the best there is
 */
export function modeName(mode) {
  return mode ? `${mode.width}x${mode.height}@${mode.frames_per_second}` : "";
}

/**
 * @param {string} name
 * @returns {Mode | null}
 */
export function modeOf(name) {
  const [, width, height, rate] = name.match(/^(\d+)x(\d+)@(\d+)$/) ?? [];
  return width && height && rate ? { width: Number(width), height: Number(height), frames_per_second: Number(rate) } : null;
}

/**
 * @param {CameraSettings} one
 * @param {CameraSettings} other
 */
export function alike(one, other) {
  return one.source === other.source && one.turn === other.turn && modeName(one.mode) === modeName(other.mode)
    && JSON.stringify(percents(one.crop)) === JSON.stringify(percents(other.crop));
}

/** @param {Crop} crop */
function checked(crop) {
  const exact = rounded(crop);
  if (exact.right - exact.left < LEAST_SHARE || exact.bottom - exact.top < LEAST_SHARE) return undefined;
  return exact.left === 0 && exact.top === 0 && exact.right === 1 && exact.bottom === 1 ? null : exact;
}

/**
 * @param {Crop} crop
 * @returns {Crop}
 */
function rounded({ left, top, right, bottom }) {
  return { left: hundredths(left) / 100, top: hundredths(top) / 100, right: hundredths(right) / 100, bottom: hundredths(bottom) / 100 };
}

/** @param {number} share */
function hundredths(share) {
  return Math.round(share * 100);
}

/** @param {number} share */
function within(share) {
  return Math.min(1, Math.max(0, share));
}
