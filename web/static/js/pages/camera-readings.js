/** What was measured of the camera's picture, in words: light, sharpness, the table, the test sheet. */

import { element, say } from "./page.js";

/** @typedef {{ ppi: number, mtf50: number, line_pairs: number, smallest_text_mm: number, grade: "good" | "enough" | "poor" }} Target */
/** @typedef {{ light: number, sharpness: number, needs_mat: boolean, target: Target | null }} Readings */

const DARK = 0.35;
const BURNT = 0.985;
/** A picture this much less sharp than the best of late is told so. */
const WAS_SHARPER = 0.85;
const BADGES = { good: "good", enough: "warn", poor: "bad" };

export class CameraReadings {
  constructor() {
    this.best = 0;
  }

  /** The figure compares pictures of one table only: another part of it, or another camera, begins anew. */
  anew() {
    this.best = 0;
  }

  /** @param {Readings} readings */
  show({ light, sharpness, needs_mat, target }) {
    element("mat", HTMLElement).hidden = !needs_mat;
    meter("light", light, say(light < DARK ? "camera.light_dark" : light > BURNT ? "camera.light_burnt" : "camera.light_good"));
    this.best = Math.max(this.best, sharpness);
    const share = this.best > 0 ? sharpness / this.best : 0;
    const key = share < WAS_SHARPER ? "camera.sharpness_less" : "camera.sharpness_best";
    meter("sharpness", share, say(key, { percent: Math.round(share * 100) }));
    element("target", HTMLElement).hidden = target === null;
    put("target-none", target === null ? say("camera.target_none") : "");
    if (target) showTarget(target);
  }

  /** Nothing is seen, so nothing is known. */
  forget() {
    this.best = 0;
    element("mat", HTMLElement).hidden = true;
    element("target", HTMLElement).hidden = true;
    put("target-none", "–");
    for (const name of ["light", "sharpness"]) meter(name, 0, "–");
  }
}

/** @param {Target} target */
function showTarget(target) {
  const grade = element("grade", HTMLElement);
  grade.className = `camera-grade notice notice-${BADGES[target.grade]}`;
  put("grade", say(`camera.grade_${target.grade}`));
  put("line-pairs", say("camera.per_mm", { figure: figure(target.line_pairs) }));
  put("half", say("camera.per_mm", { figure: figure(target.mtf50) }));
  put("ppi", say("camera.per_inch", { figure: figure(target.ppi) }));
  put("smallest", say("camera.millimetres", { figure: figure(target.smallest_text_mm) }));
}

/**
 * @param {string} name
 * @param {number} value
 * @param {string} words
 */
function meter(name, value, words) {
  element(name, HTMLMeterElement).value = value;
  put(`${name}-words`, words);
}

/**
 * What did not change is not said again to who listens.
 * @param {string} id
 * @param {string} words
 */
function put(id, words) {
  const place = element(id, HTMLElement);
  if (place.textContent !== words) place.textContent = words;
}

/** @param {number} value */
function figure(value) {
  return value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
}
