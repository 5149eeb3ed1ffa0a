import assert from "node:assert/strict";
import { test } from "node:test";

import { Line } from "../../web/static/js/line.js";

const BEGUN = 10_000;

/** A line to a pretended person; `frames` is what was decoded so far, `done` what the line did about it. */
async function watched() {
  const done = [];
  const seen = { frames: 1 };
  const report = () => new Map([["v", {
    type: "inbound-rtp", kind: "video", id: "v", framesDecoded: seen.frames, bytesReceived: seen.frames, packetsReceived: seen.frames,
  }]]);
  const current = { generation: 1, connected: true, began: 0, ended: false, pc: { connectionState: "connected", getStats: async () => report() } };
  const peer = { seat: "room", epoch: 1, since: 0, current, mend: async () => void done.push("mend"), renew: () => done.push("renew") };
  const line = new Line({
    peer,
    expects: () => ({ camera: true, microphone: false }),
    askKeyFrame: () => done.push("ask"),
    mends: true,
    cause: () => "unknown",
    online: () => true,
    doubt: () => done.push("doubt"),
    send: ({ note }) => note && done.push([note.kind, note.since_ms ?? note.gap_ms]),
    changed: (state) => done.push(state),
  });
  await line.beat(0);
  await line.beat(9_750);
  seen.frames = 2;
  await line.beat(BEGUN);
  done.length = 0;
  return { line, seen, done };
}

test("nothing is asked of a connection before a first picture can be there, nor of others beside it", async () => {
  let reports = 0;
  const pc = { connectionState: "connecting", getStats: async () => (reports += 1, new Map()) };
  const current = { generation: 1, connected: false, began: 0, ended: false, pc };
  const line = new Line({
    peer: { seat: "room", epoch: 1, since: 0, current, renew: () => assert.fail("renewed") },
    expects: () => ({ camera: true, microphone: true }),
    askKeyFrame: () => undefined, mends: true, cause: () => "unknown", online: () => true, doubt: () => undefined,
    send: () => undefined, changed: () => undefined,
  });

  await line.beat(10);
  current.connected = true;
  for (const now of [60, 100, 170]) await line.beat(now);
  assert.equal(reports, 0);
  assert.ok(line.begins(170));
  await line.beat(180);
  assert.equal(reports, 1);
  assert.ok(!line.begins(1500));
});

test("a stall is seen within a second, mended, and noted once with the time of the loss", async () => {
  const { line, seen, done } = await watched();

  for (let now = 250; now <= 4000; now += 250) await line.beat(BEGUN + now);
  seen.frames = 3;
  await line.beat(BEGUN + 4250);

  assert.deepEqual(done.filter((what) => what !== "ask"), [
    "stalled", "doubt", "mend", ["interrupted", 3250], ["resumed", 4250], "good",
  ]);
  assert.ok(done.filter((what) => what === "ask").length > 5);
});

test("a line that stands still is helped at once when the server is back; one that flows is left alone", async () => {
  const { line, seen, done } = await watched();

  line.help();
  await line.beat(BEGUN + 1000);
  line.help();
  seen.frames = 3;
  await line.beat(BEGUN + 1250);
  line.help();

  assert.deepEqual(done.filter((what) => what !== "ask"), ["stalled", "mend", "good"]);
});
