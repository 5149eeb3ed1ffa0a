import assert from "node:assert/strict";
import { test } from "node:test";

import { PointedAt } from "../../web/static/js/pointed.js";

/** @param {[number, number] | null} pointer @param {string[]} ids */
const marks = (pointer, ...ids) => ({ type: "marks", page: 1, marks: ids.map((id) => ({ id, points: [[0.5, 0.5]] })), pointer });

test("where one points is told once, in thirds of the sheet", () => {
  const told = [0.1, 0.5, 0.9].map((y) => new PointedAt().heard(marks([0.5, y]), 0));
  const hand = new PointedAt();
  const moving = [0, 50, 100, 4000].map((now) => hand.heard(marks([0.5, now / 5000]), now));

  assert.deepEqual([told, moving], [["top", "middle", "bottom"], ["top", null, null, null]]);
});

test("a hand that was away for a while points anew, one that only passed the edge does not", () => {
  const hand = new PointedAt();

  const told = [[0, [0.5, 0.1]], [1000, null], [1500, [0.5, 0.9]], [1600, null], [8000, [0.5, 0.9]]].map(([now, point]) => hand.heard(marks(point), now));

  assert.deepEqual(told, ["top", null, null, null, "bottom"]);
});

test("a mark is told when it comes, not when it grows or another goes", () => {
  const hand = new PointedAt();

  const told = [marks(null, "a"), marks(null, "a"), marks(null), marks(null, "b")].map((one, step) => hand.heard(one, step * 100));

  assert.deepEqual(told, ["marked", null, null, "marked"]);
});

test("a stroke drawn where one pointed already is told by the pointing", () => {
  const hand = new PointedAt();

  const told = [marks([0.5, 0.5]), marks([0.5, 0.5], "a"), marks([0.6, 0.5], "a")].map((one, step) => hand.heard(one, step * 100));

  assert.deepEqual(told, ["middle", null, null]);
});
