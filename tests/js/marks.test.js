import assert from "node:assert/strict";
import { test } from "node:test";

import { Pen } from "../../web/static/js/marks.js";

const TOLD = { type: "marks", page: 3, marks: [{ id: "a", points: [[0.1, 0.1]] }], pointer: null };

/** A pen with a clock of its own; what it said, and how it was refused. */
function pen(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let clock = 1000;
  const said = [];
  const refused = [];
  const own = new Pen({ send: (message) => said.push(message), changed: () => undefined, refused: (code) => refused.push(code), now: () => clock });
  const pass = (milliseconds) => {
    clock += milliseconds;
    t.mock.timers.tick(milliseconds);
  };
  return { pen: own, said, refused, pass };
}

test("the pointer is said at most 20 times a second, and the last place always", (t) => {
  const { pen: own, said, pass } = pen(t);

  for (let step = 0; step <= 100; step += 1) {
    own.move(3, [step / 100, 0.5]);
    pass(10);
  }
  pass(100);

  assert.ok(said.length <= 20, `${said.length}`);
  assert.deepEqual([said[0], said.at(-1)], [{ type: "point", page: 3, point: [0, 0.5] }, { type: "point", page: 3, point: [1, 0.5] }]);
});

test("beside the sheet nobody points, and that is said once", (t) => {
  const { pen: own, said, pass } = pen(t);

  own.move(3, [0.5, 0.5]);
  pass(60);
  for (const x of [1.1, 1.2, 1.3]) {
    own.move(3, [x, 0.5]);
    pass(60);
  }
  own.move(3, null);
  pass(60);

  assert.deepEqual(said.slice(1), [{ type: "point_end" }]);
});

test("a stroke is said while it grows and whole at its end, kept on the sheet", (t) => {
  const { pen: own, said, pass } = pen(t);

  own.press(3, [0.2, 0.5]);
  for (let step = 1; step <= 20; step += 1) {
    pass(30);
    own.move(3, [0.2 + step * 0.06, 0.5]);
  }
  own.release();
  const strokes = said.filter(({ type }) => type === "mark");

  assert.ok(strokes.length >= 3 && strokes.length <= 6, `${strokes.length}`);
  assert.equal(new Set(strokes.map(({ id }) => id)).size, 1);
  assert.match(strokes[0].id, /^[a-z0-9]{32}$/);
  assert.deepEqual([strokes.at(-1).points[0], strokes.at(-1).points.at(-1)], [[0.2, 0.5], [1, 0.5]]);
});

test("a stroke stays drawn until the agent has it, and is drawn once", (t) => {
  const { pen: own, said } = pen(t);
  own.heard(TOLD);

  own.press(3, [0.5, 0.5]);
  own.release();
  const before = own.marks(3).map(({ id }) => id);
  const mark = { id: said.at(-1).id, points: said.at(-1).points };
  own.heard({ ...TOLD, marks: [...TOLD.marks, mark] });

  assert.deepEqual([before, own.marks(3).map(({ id }) => id), own.ahead], [["a", mark.id], ["a", mark.id], []]);
});

test("a touch that is no stroke leaves nothing", (t) => {
  const { pen: own, said } = pen(t);

  own.press(3, [0.5, 0.5]);
  own.release(false);

  assert.deepEqual([said.filter(({ type }) => type === "mark"), own.marks(3)], [[], []]);
});

test("a stroke begun beside the sheet, or on none, is refused in words, once in a while", (t) => {
  const { pen: own, said, refused, pass } = pen(t);

  own.press(3, [1.2, 0.5]);
  own.press(3, [1.2, 0.5]);
  pass(5000);
  own.press(0, [0.5, 0.5]);
  pass(5000);
  own.dot();

  assert.deepEqual([refused, said], [["outside_page", "page_gone", "page_gone"], []]);
});

test("what the agent refuses is wiped here and told", (t) => {
  const { pen: own, refused } = pen(t);
  own.press(3, [0.5, 0.5]);
  own.release();

  own.answered({ type: "refused", what: "mark", code: "page_gone" });

  assert.deepEqual([own.marks(3), refused], [[], ["page_gone"]]);
});

test("a sheet that comes in the middle of a stroke ends it", (t) => {
  const { pen: own } = pen(t);

  own.press(3, [0.5, 0.5]);
  own.move(4, [0.6, 0.5]);

  assert.deepEqual([own.stroke, own.marks(3), own.marks(4)], [null, [], []]);
});

test("a very long stroke keeps its ends and stays within what may be said", (t) => {
  const { pen: own, said, pass } = pen(t);

  own.press(3, [0, 0]);
  for (let step = 1; step <= 2000; step += 1) {
    pass(2);
    own.move(3, [(step % 200) / 200, step / 2000]);
  }
  own.release();

  assert.ok(said.at(-1).points.length <= 500);
  assert.deepEqual([said.at(-1).points[0], said.at(-1).points.at(-1)], [[0, 0], [0, 1]]);
});

test("one's own hand is drawn before the agent's word of it, and another's when one does not point", (t) => {
  const { pen: own } = pen(t);
  own.heard({ ...TOLD, pointer: [0.9, 0.9] });
  const theirs = own.pointer(3);

  own.move(3, [0.2, 0.2]);

  assert.deepEqual([theirs, own.pointer(3), own.pointer(4)], [[0.9, 0.9], [0.2, 0.2], null]);
});

test("the newest mark is taken away; what was wiped can be had back until something new is drawn", (t) => {
  const { pen: own, said } = pen(t);
  own.heard(TOLD);

  own.undo();
  own.clear();
  own.heard({ ...TOLD, marks: [] });
  const could = own.canUndo;
  own.undo();
  own.heard(TOLD);
  own.undo();

  assert.deepEqual(said, [
    { type: "mark_undo" }, { type: "mark_clear" }, { type: "mark", page: 3, id: "a", points: [[0.1, 0.1]] }, { type: "mark_undo" },
  ]);
  assert.equal(could, true);
});

test("after the session nothing is left and nothing is said", (t) => {
  const { pen: own, said, pass } = pen(t);
  own.heard(TOLD);
  own.move(3, [0.1, 0.1]);
  own.move(3, [0.2, 0.2]);

  own.forget();
  pass(1000);

  assert.deepEqual([said.length, own.marks(3), own.pointer(3), own.canUndo], [1, [], null, false]);
});
