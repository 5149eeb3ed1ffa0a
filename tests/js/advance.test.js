import assert from "node:assert/strict";
import { test } from "node:test";

import { Peer } from "../../web/static/js/peer.js";
import { Prepared } from "../../web/static/js/prepared.js";

globalThis.MediaStream ??= class {
  addTrack() {}
  removeTrack() {}
  getTracks() {
    return [];
  }
};
globalThis.RTCRtpReceiver ??= class {
  static getCapabilities() {
    return { codecs: [] };
  }
};

const settled = () => new Promise(setImmediate);

/** A peer connection as far as descriptions, senders and states go. `all` are those made. */
function connections() {
  const all = [];
  const connect = () => {
    const lines = [];
    const line = (kind, active) => {
      const parameters = { encodings: [{ active }] };
      const sender = {
        track: null,
        getParameters: () => structuredClone(parameters),
        setParameters: async (next) => void Object.assign(parameters, next),
        replaceTrack: async (track) => void (sender.track = track),
      };
      const one = { sender, receiver: { track: { kind } }, direction: "sendrecv", currentDirection: null, setCodecPreferences() {} };
      lines.push(one);
      return one;
    };
    const pc = {
      closed: false, signalingState: "stable", connectionState: "new", iceGatheringState: "complete", localDescription: null,
      active: () => lines.filter(({ direction }) => direction === "sendrecv").map(({ sender }) => sender.getParameters().encodings[0].active),
      addTransceiver: (what, { direction, sendEncodings }) => {
        line(what.kind ?? what, sendEncodings?.[0].active ?? true).direction = direction;
      },
      addTrack: () => undefined,
      addEventListener: () => undefined,
      getTransceivers: () => lines,
      createDataChannel: (label) => ({ label, readyState: "connecting" }),
      setConfiguration: () => undefined,
      setRemoteDescription: async ({ type }) => {
        pc.signalingState = type === "offer" ? "have-remote-offer" : "stable";
        if (type === "offer") for (const kind of ["audio", "video"]) line(kind, true);
      },
      setLocalDescription: async () => {
        const type = pc.signalingState === "have-remote-offer" ? "answer" : "offer";
        pc.signalingState = type === "answer" ? "stable" : "have-local-offer";
        pc.localDescription = { type, sdp: `${type}\r\n` };
      },
      become: (state) => {
        pc.connectionState = state;
        pc.onconnectionstatechange?.();
      },
      close: () => (pc.closed = true),
    };
    all.push(pc);
    return pc;
  };
  return { all, connect };
}

/** The room's peer for the expert's seat, which offers; what it sent, and what it was told to show. */
function offering() {
  const { all, connect } = connections();
  const sent = [];
  const shown = [];
  const channels = [];
  const peer = new Peer({
    seat: "expert", offers: true, first: 6, configuration: {}, tracks: { audio: null, video: null }, connect,
    send: (message) => sent.push(message),
    stream: (_peer, stream) => shown.push(stream !== null),
    channel: (_peer, channel) => channels.push(channel.label),
    changed: () => undefined,
  });
  return { all, sent, shown, channels, peer };
}

const answer = { type: "answer", sdp: "v=0\r\n" };

/** An offer in advance that somebody has answered. */
async function answered() {
  const room = offering();
  room.peer.prepare();
  await settled();
  await room.peer.described({ generation: 7, description: answer });
  room.all[0].become("connected");
  return room;
}

test("an offer in advance may be answered, and sends nothing of us", async () => {
  const { all, sent, shown, channels } = await answered();

  assert.deepEqual(sent.map(({ in_advance, generation }) => [in_advance, generation]), [[true, 7]]);
  assert.deepEqual(all[0].active(), [false, false]);
  assert.deepEqual([shown, channels], [[], []]);
});

test("whoever answered it and sits down is shown at once, over the same line", async () => {
  const { all, sent, shown, channels, peer } = await answered();

  peer.present(1, 7);
  await settled();

  assert.equal(all.length, 1);
  assert.deepEqual([all[0].active(), shown, channels, sent.length], [[true, true], [true], ["text"], 1]);
});

test("whose seat is sure is shown and sees us before they sit, and the line stays when they do", async () => {
  const { all, sent, shown, channels, peer } = await answered();

  peer.promised(6);
  await settled();
  const before = [all[0].active(), shown.length];
  peer.promised(7);
  await settled();
  const promised = [all[0].active(), [...shown], [...channels]];
  peer.present(1, 7);
  await settled();

  assert.deepEqual(before, [[false, false], 0]);
  assert.deepEqual(promised, [[true, true], [true], ["text"]]);
  assert.deepEqual([all.length, shown, channels, sent.length], [1, [true], ["text"], 1]);
});

test("whose seat was sure, and who does not come after all, is shown no more", async () => {
  const { all, sent, shown, peer } = await answered();
  peer.promised(7);

  peer.absent();
  await settled();

  assert.deepEqual(all.map(({ closed }) => closed), [true, false]);
  assert.deepEqual([shown, all[1].active(), sent.at(-1).in_advance], [[true, false], [false, false], true]);
});

test("another one than was awaited gets a line of their own", async () => {
  const { all, shown, peer } = await answered();
  peer.promised(7);

  peer.present(1);
  await settled();

  assert.deepEqual([all.map(({ closed }) => closed), shown], [[true, false], [true, false]]);
});

for (const [whom, number] of [["nobody is said to have answered", undefined], ["another offer was answered", 6]]) {
  test(`the line is not for one of whom ${whom}: they get an offer of their own`, async () => {
    const { all, sent, shown, peer } = await answered();

    peer.present(1, number);
    await settled();

    assert.deepEqual(all.map(({ closed }) => closed), [true, false]);
    assert.deepEqual(sent.map(({ in_advance, generation }) => [in_advance, generation]), [[true, 7], [undefined, 8]]);
    assert.deepEqual([all[0].active(), all[1].active(), shown.includes(true)], [[false, false], [true, true], false]);
  });
}

test("an offer that nobody has answered waits for whoever sits down", async () => {
  const { all, sent, channels, peer } = offering();
  peer.prepare();
  await settled();

  peer.present(1);
  await settled();

  assert.deepEqual([all.length, sent.length, all[0].active(), channels], [1, 1, [true, true], ["text"]]);
});

for (const state of ["disconnected", "failed", "closed"]) {
  test(`a line that is ${state} before anybody sits there makes way for a new offer`, async () => {
    const { all, sent } = await answered();

    all[0].become(state);
    await settled();

    assert.deepEqual(all.map(({ closed }) => closed), [true, false]);
    assert.deepEqual(sent.map(({ in_advance, generation }) => [in_advance, generation]), [[true, 7], [true, 8]]);
  });
}

test("a line that does not stand in time makes way for a new offer, and one that does stays", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const stands = await answered();
  const never = offering();
  never.peer.prepare();
  await settled();
  await never.peer.described({ generation: 7, description: answer });

  context.mock.timers.tick(5000);
  await settled();

  assert.deepEqual([stands.all.length, never.all.map(({ closed }) => closed)], [1, [true, false]]);
});

test("a line that broke as its answerer sat down is made anew for them", async () => {
  const { all, peer } = await answered();
  all[0].connectionState = "failed";

  peer.present(1, 7);
  await settled();

  assert.deepEqual(all.map(({ closed }) => closed), [true, false]);
});

test("the offer in advance is told again when the server may have lost it, and not when it is answered", async () => {
  const { sent, peer } = offering();
  peer.prepare();
  await settled();

  peer.tellAgain();
  await peer.described({ generation: 7, description: answer });
  peer.tellAgain();

  assert.deepEqual(sent.map(({ in_advance, generation }) => [in_advance, generation]), [[true, 7], [true, 7]]);
});

const offer = { type: "description", from: "room", generation: 7, in_advance: true, description: { type: "offer", sdp: "v=0\r\n" } };
const upcoming = { call: "one", ice_servers: [], ice_transport_policy: "all", offers: [offer] };
const TRACKS = { audio: null, video: null };

function preparing(tell = async () => true) {
  const { all, connect } = connections();
  const told = [];
  let lost = 0;
  const prepared = new Prepared({
    connect, lost: () => (lost += 1),
    tell: (message) => {
      told.push(message);
      return tell();
    },
  });
  return { all, told, prepared, lost: () => lost };
}

test("an offer that may be answered is, with nothing of us, and the line is ready for the seat", async () => {
  const { all, told, prepared } = preparing();
  await prepared.read(upcoming, TRACKS);
  const before = all[0].active();
  const shown = [];
  const room = new Peer({
    seat: "room", offers: false, configuration: {}, tracks: TRACKS,
    send: (message) => shown.push(message), stream: (_peer, stream) => shown.push(stream !== null), channel: () => undefined,
    changed: () => undefined,
  });

  room.adopt(/** @type {any} */ (prepared.take("one")));
  await settled();

  assert.deepEqual(told, [{ call: "one", to: "room", generation: 7, description: { type: "answer", sdp: "answer\r\n" } }]);
  assert.deepEqual([before, all[0].active(), shown], [[false, false], [true, true], [true]]);
});

test("our own picture goes as soon as the session is ours, and for no other", async () => {
  const { all, prepared } = preparing();
  await prepared.read(upcoming, TRACKS);

  prepared.begin("two");
  await settled();
  const before = all[0].active();
  prepared.begin("one");
  await settled();

  assert.deepEqual([before, all[0].active()], [[false, false], [true, true]]);
});

test("an answer that is not awaited any more leaves nothing behind", async () => {
  const { all, prepared } = preparing(async () => false);

  await prepared.read(upcoming, TRACKS);

  assert.deepEqual([all[0].closed, prepared.take("one")], [true, null]);
});

test("what is not told yet is not used: the offer comes again with the seat", async () => {
  let deliver = (/** @type {boolean} */ _heard) => undefined;
  const { all, prepared } = preparing(() => new Promise((resolve) => (deliver = resolve)));
  const reading = prepared.read(upcoming, TRACKS);
  await settled();

  assert.equal(prepared.take("one"), null);
  deliver(true);
  await reading;

  assert.deepEqual([all[0].closed, prepared.ready], [true, false]);
});

test("a line that breaks before the click is told, and another one may be made", async () => {
  const { all, prepared, lost } = preparing();
  await prepared.read(upcoming, TRACKS);

  all[0].become("failed");

  assert.deepEqual([all[0].closed, lost(), prepared.take("one")], [true, 1, null]);
});
