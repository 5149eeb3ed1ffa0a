import assert from "node:assert/strict";
import { test } from "node:test";

import { Seat } from "../../web/static/js/seat.js";

/** The ICE policies by other seat, once `own` has asked for its ticket. */
async function policies(own, policy) {
  const seat = new Seat({
    seat: own,
    url: "ws://server/call",
    ticket: async () => ({ ticket: "t", ice_servers: [], ice_transport_policy: policy, call: "c" }),
    tracks: { audio: null, video: null },
    shown: { camera: true, microphone: true },
    events: {},
    openSocket: () => ({ send: () => undefined, close: () => undefined }),
  });
  await seat.call.open();
  return Object.fromEntries([...seat.others].map(([name, { peer }]) => [name, peer.options.configuration.iceTransportPolicy]));
}

test("media goes by relays when the ticket says so", async () => {
  assert.deepEqual(await policies("expert", "relay"), { camera: "relay", room: "relay" });
  assert.deepEqual(await policies("expert", "all"), { camera: "all", room: "all" });
});

test("the screen reaches the camera in its own room directly", async () => {
  assert.deepEqual(await policies("room", "relay"), { camera: "all", expert: "relay", expert2: "relay" });
});
