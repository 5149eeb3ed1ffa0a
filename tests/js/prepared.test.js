import assert from "node:assert/strict";
import { test } from "node:test";

import { Peer } from "../../web/static/js/peer.js";
import { Prepared } from "../../web/static/js/prepared.js";

const CONFIGURATION = { iceServers: [], iceTransportPolicy: "all", bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
const TRACKS = { audio: null, video: null };

globalThis.MediaStream ??= class {
  getTracks() {
    return [];
  }
};

/** A peer connection as far as descriptions go. `all` are those made. */
function connections() {
  const all = [];
  const connect = (configuration) => {
    const pc = {
      configuration, closed: false, signalingState: "stable", connectionState: "new", localDescription: null, remote: [],
      addTrack: () => undefined, getTransceivers: () => [],
      setConfiguration: (next) => (pc.configuration = next),
      setRemoteDescription: async ({ type, sdp }) => {
        if (sdp.includes("broken")) throw new Error("no such description");
        pc.remote.push(sdp);
        pc.signalingState = type === "offer" ? "have-remote-offer" : "stable";
      },
      setLocalDescription: async () => {
        pc.signalingState = "stable";
        pc.localDescription = { type: "answer", sdp: "answer" };
      },
      close: () => (pc.closed = true),
    };
    all.push(pc);
    return pc;
  };
  return { all, connect };
}

const offer = (sdp = "v=0\r\n", generation = 7) => ({ type: "description", from: "room", generation, description: { type: "offer", sdp } });
const upcoming = (call, ...offers) => ({ call, ice_servers: [], ice_transport_policy: "all", offers });

const preparedWith = (connect, tell = async () => true, lost = () => undefined) => new Prepared({ tell, lost, connect });

/** A peer of the room's seat, with what it sent. */
function peerOf(connect) {
  const sent = [];
  const peer = new Peer({
    seat: "room", offers: false, configuration: CONFIGURATION, tracks: TRACKS, connect,
    send: (message) => sent.push(message), stream: () => undefined, channel: () => undefined, changed: () => undefined,
  });
  return { peer, sent };
}

test("what was read beforehand is answered once there is a seat, and not read again when it is delivered", async () => {
  const { all, connect } = connections();
  const prepared = preparedWith(connect);
  const { peer, sent } = peerOf(connect);
  await prepared.read(upcoming("one", offer()), TRACKS);

  peer.adopt(prepared.take("one"));
  await new Promise(setImmediate);
  peer.present(1);
  await peer.described(offer());

  assert.deepEqual(sent, [{ type: "description", to: "room", generation: 7, description: { type: "answer", sdp: "answer" } }]);
  assert.equal(all.length, 1);
  assert.equal(all[0].remote.length, 1);
});

test("a newer offer of the room makes a connection of its own", async () => {
  const { all, connect } = connections();
  const prepared = preparedWith(connect);
  const { peer, sent } = peerOf(connect);
  await prepared.read(upcoming("one", offer()), TRACKS);
  peer.adopt(prepared.take("one"));
  await new Promise(setImmediate);
  peer.present(1);

  await peer.described(offer("v=0\r\ns=newer\r\n", 8));

  assert.deepEqual(sent.map(({ generation }) => generation), [7, 8]);
  assert.equal(all.length, 2);
});

test("nothing is answered, and nothing kept, for another call than the one that came", async () => {
  const { all, connect } = connections();
  const prepared = preparedWith(connect);
  await prepared.read(upcoming("one", offer()), TRACKS);

  assert.equal(prepared.take("two"), null);
  assert.deepEqual(all.map(({ closed, localDescription }) => [closed, localDescription]), [[true, null]]);
});

test("the same offer is read once, another one instead, and none when nothing waits", async () => {
  const { all, connect } = connections();
  const prepared = preparedWith(connect);

  await prepared.read(upcoming("one", offer()), TRACKS);
  await prepared.read(upcoming("one", offer()), TRACKS);
  await prepared.read(upcoming("one", offer("v=0\r\ns=other\r\n", 8)), TRACKS);
  await prepared.read(upcoming(null), TRACKS);

  assert.deepEqual(all.map(({ closed }) => closed), [true, true]);
  assert.equal(prepared.take("one"), null);
});

test("an offer that cannot be read is let go: it comes again with the seat", async () => {
  const { all, connect } = connections();
  const prepared = preparedWith(connect);

  await prepared.read(upcoming("one", offer("broken")), TRACKS);

  assert.equal(prepared.take("one"), null);
  assert.deepEqual(all.map(({ closed }) => closed), [true]);
});
