import assert from "node:assert/strict";
import { test } from "node:test";

import { Line } from "../../web/static/js/line.js";

const BEGUN = 10_000;

/**
 * A line to a pretended person; `frames` is what was decoded so far, `received` all that came, `silent` how long no packet
 * has come, and `done` what the line did about it.
 */
async function watched({ offers = true, mends = true, local = { protocol: "udp" } } = {}) {
  const done = [];
  const seen = { frames: 1, received: 1, silent: 0, reports: 0, online: true };
  const report = () => new Map([
    ["t", { type: "transport", id: "t", bytesReceived: seen.received, selectedCandidatePairId: "p" }],
    ["p", { type: "candidate-pair", id: "p", localCandidateId: "l" }],
    ["l", { type: "local-candidate", id: "l", ...local }],
    ["v", { type: "inbound-rtp", kind: "video", id: "v", framesDecoded: seen.frames, bytesReceived: seen.frames,
      timestamp: 1_000_000, lastPacketReceivedTimestamp: 1_000_000 - seen.silent }],
  ]);
  const current = { generation: 1, connected: true, began: 0, ended: false, pc: { connectionState: "connected", getStats: async () => (seen.reports += 1, report()) } };
  const peer = { seat: "room", epoch: 1, since: 0, current, options: { offers }, mend: async () => void done.push("mend"), renew: () => done.push("renew") };
  const line = new Line({
    peer,
    expects: () => ({ camera: true, microphone: false }),
    askKeyFrame: () => done.push("ask"),
    flows: (flows) => done.push(flows ? "flows" : "dead"),
    mends,
    cause: (dead, doubted) => `${dead ? "dead" : "alive"} ${doubted - BEGUN}`,
    reached: () => seen.reached,
    online: () => seen.online,
    doubt: () => done.push("doubt"),
    send: ({ note }) => note && done.push(
      [note.kind, note.since_ms ?? note.gap_ms, note.cause, note.relay_protocol].filter((one) => one !== undefined)),
    changed: (state) => done.push(state),
  });
  await line.beat(0);
  await line.beat(9_750);
  Object.assign(seen, { frames: 2, received: 2 });
  await line.beat(BEGUN);
  done.length = 0;
  return { line, seen, done, current, peer };
}

test("nothing is asked of a connection before a first picture can be there, nor of others beside it", async () => {
  let reports = 0;
  const pc = { connectionState: "connecting", getStats: async () => (reports += 1, new Map()) };
  const current = { generation: 1, connected: false, began: 0, ended: false, pc };
  const line = new Line({
    peer: { seat: "room", epoch: 1, since: 0, current, renew: () => assert.fail("renewed") },
    expects: () => ({ camera: true, microphone: true }),
    askKeyFrame: () => undefined, flows: () => undefined, mends: true, cause: () => "unknown", reached: () => undefined, online: () => true, doubt: () => undefined,
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

test("a stall is seen within a second, mended when it lasts, and noted once with the time of the loss", async () => {
  const { line, seen, done } = await watched();

  for (let now = 250; now <= 7000; now += 250) await line.beat(BEGUN + now);
  seen.frames = 3;
  seen.received = 3;
  await line.beat(BEGUN + 7250);

  assert.deepEqual(done, [
    "dead", "stalled", "doubt", ["interrupted", 3250, "dead 2750"], "mend", "flows", ["resumed", 7250], "good",
  ]);
});

test("what was doubted is told of a connection that is just begun, too", async () => {
  const { line, done, current, peer } = await watched();
  peer.current = { ...current, generation: 2 };

  for (let now = 0; now <= 4000; now += 250) await line.beat(BEGUN + now);

  const [, since, cause] = done.find(([kind]) => kind === "interrupted");
  assert.deepEqual([since, cause, done.filter((one) => one === "doubt").length], [3250, "dead 3250", 1]);
});

test("how a relay is reached since is told of a dead line that went over UDP here", async () => {
  const ways = [{ protocol: "udp" }, { protocol: "udp", relayProtocol: "tcp" }, { protocol: "tcp" }, { protocol: "udp", relayProtocol: "udp" }];
  const told = [];
  for (const local of ways) {
    const { line, seen, done } = await watched({ local });
    for (let now = 250; now <= 2000; now += 250) await line.beat(BEGUN + now);
    seen.reached = "tcp";
    for (let now = 2250; now <= 3250; now += 250) await line.beat(BEGUN + now);
    told.push(done.find(([kind]) => kind === "interrupted"));
  }

  assert.deepEqual(told.map(([, , , protocol]) => protocol), ["tcp", undefined, undefined, "tcp"]);
});

test("who did not offer waits longer, for the other end comes first; while the server is away nobody says anything", async () => {
  const asking = await watched({ offers: false });
  const offline = await watched();
  offline.seen.online = false;

  for (let now = 250; now <= 9500; now += 250) await Promise.all([asking.line.beat(BEGUN + now), offline.line.beat(BEGUN + now)]);
  const before = asking.done.includes("mend");
  await asking.line.beat(BEGUN + 10_250);

  assert.deepEqual([before, asking.done.at(-1)], [false, "mend"]);
  assert.deepEqual(offline.done, ["dead", "stalled", "doubt", "doubt"]);
});

test("an agent, which cannot see that nothing arrives, is asked for a new connection as soon as a path is looked for", async () => {
  const { line, done } = await watched({ offers: false, mends: false });

  for (let now = 250; now <= 6000; now += 250) await line.beat(BEGUN + now);
  const early = done.includes("renew");
  await line.beat(BEGUN + 6250);

  assert.deepEqual([early, done.includes("renew"), done.includes("mend")], [false, true, false]);
});

test("a loss is reckoned from the last packet, and looked for more often as soon as nothing moves", async () => {
  const { line, seen, done } = await watched();

  Object.assign(seen, { frames: 3, silent: 200 });
  await line.beat(BEGUN + 250);
  const before = line.pressing;
  await line.beat(BEGUN + 500);
  const doubtful = line.pressing;
  await line.beat(BEGUN + 700);
  const early = [...done];
  await line.beat(BEGUN + 750);

  assert.deepEqual([before, doubtful, line.pressing], [false, true, true]);
  assert.deepEqual([early, done], [["dead"], ["dead", "stalled"]]);
});

test("nothing is asked over a dead line; with the first sign of life both pictures begin anew", async () => {
  const { line, seen, done } = await watched();

  for (let now = 250; now <= 2000; now += 50) await line.beat(BEGUN + now);
  const silent = [...done];
  for (let now = 2050; now <= 2500; now += 50) {
    seen.received += 1;
    await line.beat(BEGUN + now);
  }
  seen.frames = 3;
  await line.beat(BEGUN + 2550);

  assert.deepEqual(silent, ["dead", "stalled"]);
  assert.deepEqual(done, ["dead", "stalled", "flows", "ask", "ask", "good"]);
});

test("a picture that stands still on a living line is asked for, and ours goes on", async () => {
  const { line, seen, done } = await watched();

  for (let now = 50; now <= 1150; now += 50) {
    seen.received += 1;
    await line.beat(BEGUN + now);
  }

  assert.deepEqual(done, ["stalled", "ask", "ask"]);
});

test("what is shown stays until the connection beside it has a picture, which is asked for, or has had its time", async () => {
  const shown = [];
  for (const decodes of [true, false]) {
    const { line, seen, done, current, peer } = await watched();
    const beside = { frames: 0 };
    const next = { ...current, generation: 2, connected: false, pc: { connectionState: "connected", getStats: async () => new Map([
      ["v", { type: "inbound-rtp", kind: "video", id: "v", framesDecoded: beside.frames }]]) } };
    Object.assign(peer, { next, swap: () => (done.push("swap"), Object.assign(peer, { current: next, next: null })) });
    const beat = async (now) => {
      seen.frames += 1;
      seen.received += 1;
      await line.beat(BEGUN + now);
    };

    await beat(250);
    const early = line.pressing;
    next.connected = true;
    for (let now = 500; now <= 4500; now += 250) {
      if (decodes && now === 1500) beside.frames = 1;
      if (!done.includes("swap")) await beat(now);
      else shown.push(now);
    }
    const before = [...done];
    await beat(4550);

    assert.deepEqual([early, before.filter((one) => one !== "ask"), before.includes("ask")], [false, decodes ? ["swap"] : [], true]);
    assert.deepEqual(done.filter((one) => one === "swap"), ["swap"]);
    assert.equal(line.pressing, false);
  }
  assert.equal(shown[0], 1750);
});

test("a report that fails is asked for again", async () => {
  const { line, done, current, peer } = await watched();
  let asked = 0;
  const next = { ...current, generation: 2, connected: true, pc: { connectionState: "connected", getStats: async () => {
    asked += 1;
    if (asked === 1) throw new DOMException("closed", "InvalidStateError");
    return new Map([["v", { type: "inbound-rtp", kind: "video", id: "v", framesDecoded: 1 }]]);
  } } };
  Object.assign(peer, { next, swap: () => done.push("swap") });

  await line.beat(BEGUN + 50);
  const before = done.includes("swap");
  await line.beat(BEGUN + 100);

  assert.deepEqual([before, done.includes("swap"), asked], [false, true, 2]);
});

test("a connection that is made anew while its picture is waited for is not shown", async () => {
  const { line, done, current, peer } = await watched();
  const other = { ...current, generation: 3, connected: false };
  const next = { ...current, generation: 2, connected: true, pc: { connectionState: "connected",
    getStats: async () => (Object.assign(peer, { next: other }), new Map([
      ["v", { type: "inbound-rtp", kind: "video", id: "v", framesDecoded: 1 }]])) } };
  Object.assign(peer, { next, swap: () => done.push("swap") });

  await line.beat(BEGUN + 50);
  await line.beat(BEGUN + 100);

  assert.equal(done.includes("swap"), false);
});

test("one report at a time is made", async () => {
  const { line, seen } = await watched();
  const before = seen.reports;

  await Promise.all([line.beat(BEGUN + 250), line.beat(BEGUN + 300)]);
  const busy = seen.reports - before;
  await line.beat(BEGUN + 350);

  assert.deepEqual([busy, seen.reports - before], [1, 2]);
});

test("a line that goes on standing still when the server is back is helped; one that flows is left alone", async (t) => {
  const clock = t.mock.method(performance, "now", () => BEGUN + 1000);
  const { line, seen, done } = await watched();

  line.help();
  await line.beat(BEGUN + 1000);
  line.help();
  await line.beat(BEGUN + 1900);
  const early = [...done];
  await line.beat(BEGUN + 2050);
  seen.frames = seen.received = 3;
  await line.beat(BEGUN + 2100);
  clock.mock.mockImplementation(() => BEGUN + 2100);
  line.help();
  await line.beat(BEGUN + 2300);

  assert.deepEqual(early, ["dead", "stalled"]);
  assert.deepEqual(done, ["dead", "stalled", "mend", "flows", "good"]);
});

test("a line that is broken is helped at once", async (t) => {
  t.mock.method(performance, "now", () => BEGUN + 1000);
  const { line, done, current } = await watched();

  await line.beat(BEGUN + 1000);
  current.pc.connectionState = "failed";
  line.help();

  assert.deepEqual(done, ["dead", "stalled", "mend"]);
});
