import assert from "node:assert/strict";
import { test } from "node:test";

import { Reach, isRelay } from "../../web/static/js/reach.js";

const UDP = "turn:relay:3478?transport=udp";
const TCP = "turn:relay:3478?transport=tcp";
const TLS = "turns:relay:5349?transport=tcp";

/** A look at relays of which only these addresses answer; `asked` are the addresses of each connection, all closed at the end. */
function reach(urls, answering) {
  const asked = [];
  const open = new Set();
  const made = new Reach(({ iceServers, iceTransportPolicy }) => {
    assert.equal(iceTransportPolicy, "relay");
    const all = iceServers.flatMap((server) => server.urls);
    asked.push(all);
    const connection = {
      onicecandidate: null,
      createDataChannel: () => ({}),
      setLocalDescription: async () => {
        if (all.some((url) => answering.includes(url))) setTimeout(() => connection.onicecandidate?.({ candidate: { type: "relay" } }), 1);
      },
      close: () => open.delete(connection),
    };
    open.add(connection);
    return connection;
  });
  made.servers = [{ urls, username: "u", credential: "c" }];
  return { made, asked, open };
}

for (const [answering, seen] of [[[UDP, TCP, TLS], "udp"], [[UDP], "udp"], [[TCP, TLS], "tcp"], [[TLS], "tcp"], [[], "none"]]) {
  test(`where ${answering.length} of the ways answer the relay is reached by ${seen}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { made, asked, open } = reach([UDP, TCP, TLS], answering);

    const looking = made.look();
    const before = made.since(0);
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise(setImmediate);
      t.mock.timers.tick(turn === 0 ? 1 : 1000);
    }
    await looking;

    assert.deepEqual([before, made.since(0)], [undefined, seen]);
    assert.deepEqual(asked, [[UDP], [TCP, TLS]]);
    assert.equal(open.size, 0);
  });
}

test("lines that die together are looked at once, and what was seen before a loss says nothing of it", async (t) => {
  const { made, asked } = reach([UDP, TCP], [UDP, TCP]);
  const now = t.mock.method(performance, "now", () => 5000);

  await Promise.all([made.look(), made.look()]);
  await made.look();
  const once = asked.length;
  now.mock.mockImplementation(() => 7000);
  const [same, next] = [made.since(4400), made.since(6400)];
  await made.look();

  assert.deepEqual([once, same, next, asked.length, made.since(6400)], [2, "udp", undefined, 4, "udp"]);
});

test("a look that is overtaken by the next one tells nothing of it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const now = t.mock.method(performance, "now", () => 5000);
  const answering = [];
  const { made } = reach([UDP, TCP], answering);

  const first = made.look();
  now.mock.mockImplementation(() => 6500);
  answering.push(UDP);
  const second = made.look();
  for (const milliseconds of [1, 1800, 1800]) {
    await new Promise(setImmediate);
    t.mock.timers.tick(milliseconds);
  }
  await Promise.all([first, second]);

  assert.equal(made.since(6000), "udp");
});

test("a relay without both ways is not asked: there is nothing to compare", async () => {
  for (const urls of [[UDP], [TCP, TLS], "stun:relay:3478", []]) {
    const { made, asked } = reach(urls, [UDP, TCP, TLS]);
    await made.look();
    assert.deepEqual([made.since(0), asked], [undefined, []]);
  }
});

test("a relay is named by turn or turns", () => {
  assert.deepEqual([UDP, TLS, "stun:relay", "https://turn:1"].map(isRelay), [true, true, false, false]);
});
