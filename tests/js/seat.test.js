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
  clearTimeout(seat.call.limit);
  return Object.fromEntries([...seat.others].map(([name, { peer }]) => [name, peer.options.configuration.iceTransportPolicy]));
}

test("media goes by relays when the ticket says so", async () => {
  assert.deepEqual(await policies("expert", "relay"), { camera: "relay", room: "relay" });
  assert.deepEqual(await policies("expert", "all"), { camera: "all", room: "all" });
});

test("the screen reaches the camera in its own room directly", async () => {
  assert.deepEqual(await policies("room", "relay"), { camera: "all", expert: "relay", expert2: "relay" });
});

/** Which seats' offers have been read by a screen to which the server said this. */
async function read(messages) {
  const heard = [];
  const seat = new Seat({
    seat: "room",
    url: "ws://server/call",
    ticket: async () => ({ ticket: "t", ice_servers: [], ice_transport_policy: "all", call: "c" }),
    tracks: { audio: null, video: null },
    shown: { camera: true, microphone: true },
    events: { service: () => undefined },
    openSocket: () => ({ send: () => undefined, close: () => undefined }),
  });
  await seat.call.open();
  for (const [name, { peer }] of seat.others) {
    peer.prepare = () => undefined;
    peer.present = (epoch) => void (peer.epoch = epoch);
    peer.described = async () => void heard.push(name);
  }
  for (const message of messages) seat.call.socket.onmessage({ data: JSON.stringify(message) });
  seat.close();
  return heard;
}

const welcome = (...present) => ({
  type: "welcome", seat: "room", epoch: 1, heartbeat_seconds: 3, resume: "r", present: present.map((seat) => ({ seat, epoch: 1 })),
});
const fromCamera = { type: "description", from: "camera", generation: 1, description: { type: "offer", sdp: "v=0\r\n" } };

test("a screen that waits looks at the paper at once", async () => {
  assert.deepEqual(await read([welcome("camera"), fromCamera]), ["camera"]);
});

test("with an expert there, the people come first", async () => {
  assert.deepEqual(await read([welcome("camera", "expert"), fromCamera]), []);
});

/** What a screen does about its connections when new credentials are there, each going through a relay or not. */
async function renewed(own, isRelayed) {
  const seat = new Seat({
    seat: own,
    url: "ws://server/call",
    ticket: async () => ({ ticket: "t", ice_servers: [], ice_transport_policy: "all", call: "c", ice_seconds: 100 }),
    tracks: { audio: null, video: null },
    shown: { camera: true, microphone: true },
    events: {},
    openSocket: () => ({ send: () => undefined, close: () => undefined }),
  });
  await seat.call.open();
  clearTimeout(seat.call.limit);
  seat.renewal.stop();
  const done = [];
  for (const [name, { peer }] of seat.others) {
    peer.configure = async () => isRelayed;
    peer.mend = async () => void done.push(`${name}: new path`);
    peer.renew = () => done.push(`${name}: new connection`);
  }
  assert.equal(await seat._renew(), 100);
  return done;
}

test("with new credentials who offered makes a new path, and asks the agent for a connection", async () => {
  assert.deepEqual(await renewed("room", true), ["camera: new connection", "expert: new path", "expert2: new path"]);
  assert.deepEqual(await renewed("expert", true), ["camera: new connection"]);
  assert.deepEqual(await renewed("room", false), []);
});
