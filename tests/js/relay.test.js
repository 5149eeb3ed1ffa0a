import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Peer } from "../../web/static/js/peer.js";
import { Renewal } from "../../web/static/js/relay.js";
import { relayed } from "../../web/static/js/stats.js";

/** Lets timers of so many seconds run, and what hangs on them. */
async function pass(seconds) {
  mock.timers.tick(seconds * 1000);
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

test("credentials are renewed twice within their time, again and again, until it is over", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const times = [100, 100, 50];
  let renewed = 0;
  const renewal = new Renewal(async () => times[renewed++] ?? null);

  renewal.good(100);
  await pass(39);
  assert.equal(renewed, 0);
  await pass(1);
  assert.equal(renewed, 1);
  await pass(40);
  assert.equal(renewed, 2);
  renewal.stop();
  await pass(1000);
  assert.equal(renewed, 2);
  mock.timers.reset();
});

test("while the service is away it is tried again soon", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const renewal = new Renewal(async () => {
    asked += 1;
    if (asked < 3) throw new Error("away");
    return 100;
  });

  renewal.good(100);
  await pass(40);
  await pass(5);
  await pass(5);
  assert.equal(asked, 3);
  await pass(39);
  assert.equal(asked, 3);
  renewal.stop();
  mock.timers.reset();
});

test("without credentials there is nothing to renew", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const renewal = new Renewal(async () => {
    asked += 1;
    return null;
  });

  renewal.good(null);
  await pass(100_000);
  assert.equal(asked, 0);
  renewal.good(10);
  await pass(5);
  await pass(100_000);
  assert.equal(asked, 1);
  mock.timers.reset();
});

const report = (ours, theirs) => new Map(Object.entries({
  transport: { id: "transport", type: "transport", selectedCandidatePairId: "pair" },
  pair: { id: "pair", type: "candidate-pair", localCandidateId: "ours", remoteCandidateId: "theirs" },
  ours: { id: "ours", type: "local-candidate", candidateType: ours },
  theirs: { id: "theirs", type: "remote-candidate", candidateType: theirs },
}));

test("either end tells whether we go through a relay", () => {
  const ends = [["relay", "host"], ["host", "relay"], ["host", "srflx"]];

  assert.deepEqual(ends.map(([ours, theirs]) => relayed(report(ours, theirs))), [true, true, false]);
  assert.equal(relayed(new Map()), false);
});

/** A peer with a connection that keeps what it is told. */
function peer(offers) {
  const told = [];
  const made = new Peer({
    seat: "expert", offers, configuration: {}, tracks: null, send: () => undefined, stream: () => undefined,
    channel: () => undefined, changed: () => undefined,
  });
  made.current = { configure: async (one) => told.push(one) > 0, close: () => told.push("closed"), restartIce: async () => undefined };
  made.prepare = () => told.push("offered anew");
  return { made, told };
}

test("new credentials reach what is connected and what comes", async () => {
  const { made, told } = peer(true);
  made.epoch = 1;

  assert.equal(await made.configure({ iceServers: ["new"] }), true);
  assert.deepEqual(told, [{ iceServers: ["new"] }]);
  assert.deepEqual(made.options.configuration, { iceServers: ["new"] });
});

test("an offer that waits is made anew with them", async () => {
  const { made, told } = peer(true);

  assert.equal(await made.configure({}), false);
  assert.deepEqual(told, ["closed", "offered anew"]);
});

test("where nothing is connected they are kept", async () => {
  const { made } = peer(false);
  made.current = null;

  assert.equal(await made.configure({ iceServers: [] }), false);
  assert.deepEqual(made.options.configuration, { iceServers: [] });
});
