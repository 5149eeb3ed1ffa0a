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
