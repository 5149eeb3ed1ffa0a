/** Turning and cropping in numbers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { alike, drawn, modeName, modeOf, ofPercents, percents, turned } from "../../web/static/js/framing.js";

/** @type {import("../../web/static/js/framing.js").CameraSettings} */
const WHOLE = { source: "", mode: null, crop: null, turn: 0 };
const CORNER = { left: 0, top: 0, right: 0.3, bottom: 0.2 };

test("a crop turns with the picture and stays on what it was on", () => {
  const once = turned({ ...WHOLE, crop: CORNER }, 1);
  assert.deepEqual(once, { ...WHOLE, turn: 90, crop: { left: 0.8, top: 0, right: 1, bottom: 0.3 } });
  assert.deepEqual(turned(once, 1).crop, { left: 0.7, top: 0.8, right: 1, bottom: 1 });
});

test("four turns either way, and one there and back, change nothing", () => {
  for (const way of /** @type {const} */ ([1, -1])) {
    let settings = { ...WHOLE, crop: CORNER };
    for (let quarter = 0; quarter < 4; quarter += 1) settings = turned(settings, way);
    assert.deepEqual(settings, { ...WHOLE, crop: CORNER });
    assert.deepEqual(turned(turned({ ...WHOLE, crop: CORNER }, way), way === 1 ? -1 : 1), { ...WHOLE, crop: CORNER });
  }
});

test("a crop may be drawn from any corner, and beyond the picture", () => {
  const wanted = { left: 0.1, top: 0.2, right: 1, bottom: 0.6 };
  assert.deepEqual(drawn({ x: 0.1, y: 0.2 }, { x: 1.4, y: 0.6 }), wanted);
  assert.deepEqual(drawn({ x: 1.4, y: 0.6 }, { x: 0.1, y: 0.2 }), wanted);
});

test("a click is no crop, and all of the picture is none either", () => {
  assert.equal(drawn({ x: 0.5, y: 0.5 }, { x: 0.52, y: 0.9 }), undefined);
  assert.equal(drawn({ x: -0.1, y: 0 }, { x: 1, y: 1.2 }), null);
});

test("fields say a crop in hundredths, and what they say is read back", () => {
  assert.deepEqual(percents(null), { left: 0, top: 0, width: 100, height: 100 });
  assert.deepEqual(percents(CORNER), { left: 0, top: 0, width: 30, height: 20 });
  assert.deepEqual(ofPercents(percents(CORNER)), CORNER);
  assert.equal(ofPercents({ left: 0, top: 0, width: 100, height: 100 }), null);
});

test("fields that say too little, nothing, or more than there is", () => {
  assert.equal(ofPercents({ left: 0, top: 0, width: 3, height: 50 }), undefined);
  assert.equal(ofPercents({ left: NaN, top: 0, width: 30, height: 50 }), undefined);
  assert.deepEqual(ofPercents({ left: 50, top: 0, width: 80, height: 50 }), { left: 0.5, top: 0, right: 1, bottom: 0.5 });
});

test("a mode's name is read back, and what is no mode is the best there is", () => {
  const mode = { width: 1920, height: 1080, frames_per_second: 15 };
  assert.deepEqual(modeOf(modeName(mode)), mode);
  assert.equal(modeName(null), "");
  assert.equal(modeOf(""), null);
  assert.equal(modeOf("large"), null);
});

test("settings are alike when nothing that is shown of them differs", () => {
  assert.ok(alike({ ...WHOLE, crop: { ...CORNER } }, { ...WHOLE, crop: CORNER }));
  assert.ok(!alike(WHOLE, { ...WHOLE, turn: 90 }));
  assert.ok(!alike(WHOLE, { ...WHOLE, crop: CORNER }));
  assert.ok(!alike(WHOLE, { ...WHOLE, source: "test:" }));
  assert.ok(!alike(WHOLE, { ...WHOLE, mode: { width: 640, height: 480, frames_per_second: 30 } }));
});
