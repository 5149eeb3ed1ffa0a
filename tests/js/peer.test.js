import assert from "node:assert/strict";
import { test } from "node:test";

import { Peer } from "../../web/static/js/peer.js";

/** The end that offers, in its third generation; `done` is what it did. */
function offering({ isMending }) {
  const done = [];
  const nothing = () => undefined;
  const peer = new Peer({
    seat: "expert", offers: true, configuration: {}, tracks: null,
    send: nothing, stream: nothing, channel: nothing, changed: nothing,
  });
  Object.assign(peer, { epoch: 1, generation: 3, current: { isMending }, _offer: () => done.push("offer") });
  return { peer, done };
}

test("asked for a new connection it makes one, but none for one that is past", () => {
  const { peer, done } = offering({ isMending: false });

  peer.restarted(2);
  peer.restarted(3);

  assert.deepEqual(done, ["offer"]);
});

test("a new path that is looked for under the connection comes first", () => {
  const { peer, done } = offering({ isMending: true });

  peer.restarted(3);
  peer.current.isMending = false;
  peer.restarted(3);

  assert.deepEqual(done, ["offer"]);
});

/** A peer with one connection that is shown and one beside it; `done` is what became of them. */
function replaced({ tracks = null } = {}) {
  const done = [];
  const nothing = () => undefined;
  const peer = new Peer({
    seat: "camera", offers: false, configuration: {}, tracks,
    send: nothing, stream: (_peer, stream) => done.push(stream), channel: nothing, changed: () => done.push("changed"),
  });
  const connection = (name) => ({ connected: true, stream: name, pc: { connectionState: "connected" }, close: () => done.push(`${name} closed`),
    use: () => done.push(`${name} used`), sendKeyFrame: () => done.push(`${name} key frame`) });
  Object.assign(peer, { epoch: 1, generation: 2, current: connection("old"), next: connection("new") });
  return { peer, done };
}

test("a new connection that stands does not take the place of one that works by itself, but of one that is dead", () => {
  const { peer, done } = replaced();

  peer._changed(peer.next);
  const before = [...done];
  peer.current.pc.connectionState = "disconnected";
  peer._changed(peer.current);

  assert.deepEqual(before, ["changed"]);
  assert.deepEqual(done, ["changed", "new", "old closed", "changed"]);
  assert.deepEqual([peer.current.stream, peer.next, peer.past], ["new", null, null]);
  peer.swap();
  assert.deepEqual(done.length, 4);
});

test("the other end may see us over the old connection for a moment more, as we are now, and no longer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { peer, done } = replaced({ tracks: { audio: null, video: null } });

  await peer.sendKeyFrame();
  peer.swap();
  await peer.use({ audio: null, video: null });
  const before = [...done];
  t.mock.timers.tick(2000);

  assert.deepEqual(before, ["old key frame", "new key frame", "new", "old used", "new used"]);
  assert.deepEqual(done.slice(before.length), ["old closed"]);
  assert.equal(peer.past, null);
});

test("who leaves takes the old connection along", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { peer, done } = replaced({ tracks: { audio: null, video: null } });

  peer.swap();
  peer.close();
  t.mock.timers.tick(2000);

  assert.deepEqual(done, ["new", "old closed", "new closed", null]);
});
