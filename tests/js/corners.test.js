import assert from "node:assert/strict";
import { test } from "node:test";

import { between, inverse, isOn, ontoSheet, perspective, through, WHOLE } from "../../web/static/js/corners.js";
import { Glide } from "../../web/static/js/glide.js";
import { fitted, toArea, toPicture } from "../../web/static/js/placing.js";

/** The same row of numbers each run. @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** A convex quadrilateral with corners near those of a turned rectangle. @param {() => number} next */
function quad(next) {
  const turned = next() * 2 * Math.PI;
  const [width, height] = [0.2 + next() * 0.5, 0.2 + next() * 0.5];
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => {
    const [u, v] = [x * width * (1 + 0.3 * next()), y * height * (1 + 0.3 * next())];
    return [0.5 + u * Math.cos(turned) - v * Math.sin(turned), 0.5 + u * Math.sin(turned) + v * Math.cos(turned)];
  });
}

/** @param {readonly number[]} one @param {readonly number[]} other */
function near(one, other, within = 1e-9) {
  one.forEach((value, index) => assert.ok(Math.abs(value - other[index]) < within, `${one} is not ${other}`));
}

test("the corners of the sheet fall on its corners in the picture, and every place comes back", () => {
  const next = random(7);
  for (let round = 0; round < 500; round += 1) {
    const corners = quad(next);
    const there = perspective(corners);
    const back = inverse(there);
    WHOLE.forEach((corner, index) => near(through(there, corner), corners[index]));
    const place = [next(), next()];
    near(through(back, through(there, place)), place, 1e-7);
  }
});

test("what is straight on the sheet is straight in the picture", () => {
  const next = random(11);
  for (let round = 0; round < 200; round += 1) {
    const there = perspective(quad(next));
    const [from, to] = [[next(), next()], [next(), next()]];
    const [a, b, c] = [from, between([from, from, from, from], [to, to, to, to], 0.37)[0], to].map((point) => through(there, point));
    near([(b[0] - a[0]) * (c[1] - a[1])], [(b[1] - a[1]) * (c[0] - a[0])], 1e-9);
  }
});

test("a sheet seen straight is only moved and made larger", () => {
  const there = perspective([[0.2, 0.1], [0.6, 0.1], [0.6, 0.9], [0.2, 0.9]]);

  near(through(there, [0.5, 0.25]), [0.4, 0.3]);
});

for (const [what, corners] of [
  ["a line", [[0, 0], [1, 1], [2, 2], [3, 3]]],
  ["a point", [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]],
  ["a bow", [[0, 0], [1, 1], [1, 0], [0, 1]]],
  ["a dart", [[0, 0], [1, 0], [0.2, 0.2], [0, 1]]],
]) {
  test(`${what} is no sheet`, () => {
    assert.equal(perspective(corners), null);
  });
}

test("a place beside the sheet is told from one on it, and brought to its edge", () => {
  assert.deepEqual([[0, 1], [0.5, 0.5], [1.01, 0.5], [0.5, -0.01]].map(isOn), [true, true, false, false]);
  assert.deepEqual(ontoSheet([1.4, -0.2]), [1, 0]);
});

const AT = (/** @type {number} */ left) => [[left, 0], [left + 1, 0], [left + 1, 1], [left, 1]];

test("a sheet glides to its next place in about the time between two messages", () => {
  const glide = new Glide();
  glide.turnTo(AT(0), 1, 1000);
  glide.turnTo(AT(12), 1, 2000);

  assert.deepEqual([2000, 2060, 2119.9, 2120].map((now) => Math.round(glide.at(now)[0][0])), [0, 6, 12, 12]);
  assert.deepEqual([2119, 2120].map((now) => glide.isUnderWay(now)), [true, false]);
});

test("told anew on its way, it goes on from where it is drawn", () => {
  const glide = new Glide();
  glide.turnTo(AT(0), 1, 0);
  glide.turnTo(AT(12), 1, 1000);
  glide.turnTo(AT(0), 1, 1060);

  assert.deepEqual([1060, 1120].map((now) => glide.at(now)[0][0]), [6, 3]);
});

test("another sheet, a lost one, and one that may not move stand at once", () => {
  const glide = new Glide();
  glide.turnTo(AT(0), 1, 0);
  glide.turnTo(AT(5), 2, 1000);
  const other = glide.at(1000);
  glide.turnTo(null, 2, 2000);
  const lost = glide.at(2000);
  glide.turnTo(AT(1), 2, 3000);
  glide.turnTo(AT(9), 2, 4000, true);

  assert.deepEqual([other, lost, glide.at(4000)], [AT(5), null, AT(9)]);
});

test("a picture as large as fits: lying and turned upright", () => {
  assert.deepEqual(fitted({ area: [800, 600], picture: [1920, 1080] }), [800, 450]);
  assert.deepEqual(fitted({ area: [800, 600], picture: [1920, 1080], turned: 90 }), [600, 337.5]);
});

test("a place of the picture stands where it is drawn: turned clockwise about the middle, enlarged, moved", () => {
  const placing = { area: [800, 600], picture: [1920, 1080], scale: 2, turned: 90, moved: [10, -20] };

  assert.deepEqual(toArea(placing, [0.5, 0.5]), [410, 280]);
  assert.deepEqual(toArea(placing, [0, 0]), [410 + 337.5, 280 - 600]);
});

test("and is found again from there, however it is turned", () => {
  const next = random(3);
  for (const turned of [0, 90, 180, 270]) {
    for (let round = 0; round < 50; round += 1) {
      const placing = { area: [300 + 900 * next(), 300 + 600 * next()], picture: [4, 3], scale: 1 + 3 * next(), turned, moved: [next() * 90, next() * 90] };
      const place = [next(), next()];
      near(toPicture(placing, toArea(placing, place)), place);
    }
  }
});
