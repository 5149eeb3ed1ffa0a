import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { DocumentChannel } from "../../web/static/js/document.js";
import { decode } from "../../web/static/js/document-messages.js";

const WIRE = new URL("../wire/", import.meta.url);
const FROM_VIEWER = ["capture", "key_frame", "mark", "mark_clear", "mark_undo", "point", "point_end", "still_ack", "still_dropped", "still_missing", "view", "view-turn"];

/** @param {string} name */
const sample = (name) => readFileSync(new URL(`document-${name}.json`, WIRE), "utf8");
const names = readdirSync(WIRE).filter((name) => name.startsWith("document-")).map((name) => name.slice("document-".length, -".json".length));
const PAGE = JSON.parse(sample("page"));

for (const name of names.filter((one) => !FROM_VIEWER.includes(one))) {
  test(`the camera's ${name} is read as it was written`, () => {
    assert.deepEqual(decode(sample(name)), JSON.parse(sample(name)));
  });
}

for (const [what, text] of [
  ["nothing", ""],
  ["no JSON", "{"],
  ["null", "null"],
  ["a list", "[]"],
  ["a message of a later version", '{"type": "of_a_later_version"}'],
  ["a name every object has", '{"type": "constructor"}'],
  ["too long", JSON.stringify({ ...PAGE, more: "x".repeat(70_000) })],
  ["three corners", JSON.stringify({ ...PAGE, corners: PAGE.corners.slice(1) })],
  ["a corner nowhere", JSON.stringify({ ...PAGE, corners: [["0", 1], ...PAGE.corners.slice(1)] })],
  ["a hint that is markup", JSON.stringify({ ...PAGE, hint: "<b>" })],
  ["another view", JSON.stringify({ ...PAGE, view: "sky" })],
  ["a mark of nothing", '{"type": "marks", "page": 1, "marks": [{"id": "a", "points": []}], "pointer": null}'],
  ["more marks than there may be", JSON.stringify({ type: "marks", page: 1, marks: Array(51).fill({ id: "a", points: [[0, 0]] }), pointer: null })],
  ["a camera in an unknown state", '{"type": "status", "camera": "sleepy", "at": ""}'],
]) {
  test(`${what} is no message and no error`, () => {
    assert.equal(decode(text), null);
  });
}

/** A channel with everything it tells, on a pretended data channel. */
function channel() {
  const told = [];
  const sent = [];
  const data = { readyState: "open", send: (text) => sent.push(JSON.parse(text)) };
  const names = ["page", "marks", "refused", "thin"];
  const document = new DocumentChannel({
    camera: (state) => told.push(["camera", state]),
    progress: () => undefined,
    done: () => undefined,
    failed: (_id, code) => told.push(["failed", code]),
    sheet: Object.fromEntries(names.map((name) => [name, (message) => told.push([name, message])])),
  });
  document.use(data);
  return { document, data, told, sent, hear: (text) => data.onmessage({ data: text }) };
}

test("each word of the agent comes to who asked for it, and what is none is passed over", () => {
  const { document, told, hear } = channel();
  const before = document.frames;

  ["status", "page", "marks", "refused", "line"].forEach((name) => hear(sample(name)));
  ["{", '{"type": "of_a_later_version"}', "7"].forEach(hear);

  assert.deepEqual(told, [
    ["camera", "ok"], ["page", PAGE], ["marks", JSON.parse(sample("marks"))], ["refused", JSON.parse(sample("refused"))],
    ["thin", JSON.parse(sample("line"))],
  ]);
  assert.deepEqual([before, document.frames], [15, 8]);
});

test("a picture that stands still or is black is told, and silence on top of it too", () => {
  const { document, told, hear } = channel();

  for (const camera of ["frozen", "frozen", "black"]) hear(JSON.stringify({ type: "status", camera, at: "" }));
  document.tick(performance.now() + 2000);
  document.tick(performance.now() + 4000);

  assert.deepEqual(told.map(([, state]) => state), ["frozen", "black", "away"]);
});

test("when the channel goes nobody knows of a sheet any more, and nothing is said into the void", () => {
  const { document, data, told, sent, hear } = channel();
  hear(sample("status"));
  hear(sample("page"));

  data.readyState = "closed";
  data.onclose();
  document.send({ type: "mark_undo" });

  assert.deepEqual(told.slice(-1), [["page", null]]);
  assert.deepEqual([document.page, document.capture(), sent], [null, null, []]);
  document.tick(performance.now() + 4000);
  assert.deepEqual(told.slice(-1), [["camera", "away"]]);
});

test("a channel that follows another keeps the camera where it was", () => {
  const { document, data, told, hear } = channel();
  hear(sample("status"));
  data.onclose();

  const next = { readyState: "open", send: () => undefined };
  document.use(next);
  next.onmessage({ data: sample("status") });
  document.tick(performance.now() + 1000);

  assert.deepEqual(told, [["camera", "ok"], ["page", null]]);
});

test("who leaves the call sees the camera go at once", () => {
  const { document, told, hear } = channel();
  hear(sample("status"));

  document.close();
  document.close();

  assert.deepEqual(told, [["camera", "ok"], ["page", null], ["camera", "away"]]);
});

test("an older channel that closes takes nothing with it", () => {
  const { document, data, told } = channel();
  document.use({ readyState: "open", send: () => undefined });

  data.onclose();

  assert.deepEqual(told, []);
});
