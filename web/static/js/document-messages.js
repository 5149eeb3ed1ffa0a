/**
 * The messages of the data channel `document`, as a viewer sees them. The agent's classes (signaling/document.py) are the
 * same list; tests/wire/document-*.json is read by both. They come from a peer: what is not whole is passed over.
 */

/** @typedef {import("./corners.js").Point} Point */
/** @typedef {import("./corners.js").Corners} Corners */
/** @typedef {"table" | "page"} View */
/** @typedef {"full" | "fewer_frames" | "few_frames" | "stills_only"} LineStep */
/** @typedef {{ id: string, points: Point[] }} Mark */
/**
 * @typedef {{ type: "status", camera: "ok" | "opening" | "lost" | "frozen" | "black", at: string, width?: number, height?: number }} Status
 * @typedef {{ type: "page", page: number, at: string, view: View, corners: Corners | null, hint: string | null, calm: boolean, ppi: number | null }} Page
 * @typedef {{ type: "marks", page: number, marks: Mark[], pointer: Point | null }} Marks
 * @typedef {{ type: "refused", what: string, code: string }} Refused
 * @typedef {{ type: "line", step: LineStep, frames_per_second: number }} Line
 * @typedef {Status | Page | Marks | Refused | Line | import("./stills.js").FromAgent} FromAgent
 */
/**
 * @typedef {{ type: "key_frame" } | { type: "view", view: View, turn?: 0 | 90 | 180 | 270 } | { type: "point", page: number, point: Point } | { type: "point_end" }
 *   | { type: "mark", page: number, id: string, points: Point[] } | { type: "mark_undo" } | { type: "mark_clear" }
 *   | import("./stills.js").ToAgent} ToAgent
 */
/** @typedef {(value: unknown) => boolean} Check */

const MOST_MARKS = 50;
export const MOST_POINTS = 500;
const MOST_CHARACTERS = 64 * 1024;
/** Codes the customer may be shown become keys of texts. */
const CODE = /^[a-z][a-z0-9_]{0,39}$/;

/** @type {Check} */
const text = (value) => typeof value === "string";
/** @type {Check} */
const number = (value) => typeof value === "number" && Number.isFinite(value);
/** @type {Check} */
const count = (value) => Number.isInteger(value) && /** @type {number} */ (value) >= 0;
/** @type {Check} */
const truth = (value) => typeof value === "boolean";
/** @type {Check} */
const code = (value) => typeof value === "string" && CODE.test(value);
/** @type {(check: Check) => Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @type {(check: Check) => Check} */
const orMissing = (check) => (value) => value === undefined || check(value);
/** @type {(check: Check, least: number, most: number) => Check} */
const list = (check, least, most) => (value) =>
  Array.isArray(value) && value.length >= least && value.length <= most && value.every(check);
/** @type {(...words: string[]) => Check} */
const oneOf = (...words) => (value) => typeof value === "string" && words.includes(value);
/** @type {(fields: Record<string, Check>) => Check} */
const whole = (fields) => (value) => typeof value === "object" && value !== null
  && Object.entries(fields).every(([name, check]) => check(/** @type {Record<string, unknown>} */ (value)[name]));

const point = list(number, 2, 2);
const corners = list(point, 4, 4);
const mark = whole({ id: text, points: list(point, 1, MOST_POINTS) });

/** @type {Record<FromAgent["type"], Check>} what a message must have to be believed */
const SHAPES = {
  status: whole({ camera: oneOf("ok", "opening", "lost", "frozen", "black"), at: text, width: orMissing(count), height: orMissing(count) }),
  page: whole({
    page: count, at: text, view: oneOf("table", "page"), corners: orNull(corners), hint: orNull(code), calm: truth, ppi: orNull(count),
  }),
  marks: whole({ page: count, marks: list(mark, 0, MOST_MARKS), pointer: orNull(point) }),
  refused: whole({ what: code, code }),
  line: whole({ step: oneOf("full", "fewer_frames", "few_frames", "stills_only"), frames_per_second: count }),
  still_progress: whole({ id: text, stage: code }),
  still_begin: whole({
    id: text, number: count, sha256: text, size: count, width: count, height: count, mime: text, chunk_size: count, chunks: count,
    capture: orMissing(text), part: orMissing(oneOf("page", "raw")), page: orMissing(count), corners: orMissing(corners),
    ppi: orMissing(count), turn: orMissing(count),
    verdict: orMissing(whole({
      code, hint: orMissing(code), tilt_degrees: orMissing(number), glare_share: orMissing(number), ppi: orMissing(count),
      smallest_text_mm: orMissing(number),
    })),
  }),
  still_end: whole({ id: text }),
  still_failed: whole({ id: text, code }),
};

/**
 * The message in `words`, or null when this version does not know it or it is not whole.
 * @param {string} words
 * @returns {FromAgent | null}
 */
export function decode(words) {
  if (words.length > MOST_CHARACTERS) return null;
  /** @type {unknown} */
  let raw;
  try {
    raw = JSON.parse(words);
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null || !("type" in raw)) return null;
  const message = /** @type {FromAgent} */ (raw);
  return Object.hasOwn(SHAPES, message.type) && SHAPES[message.type](message) ? message : null;
}
