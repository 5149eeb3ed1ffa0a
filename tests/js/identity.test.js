import assert from "node:assert/strict";
import { test } from "node:test";

import { ends, fingerprints, Identities, isStranger, sixDigits } from "../../web/static/js/identity.js";

const [ONE, OTHER] = ["9b1f".repeat(16), "03c8".repeat(16)];
const colons = (hex) => hex.match(/../g).join(":").toUpperCase();
const sdp = (...prints) => ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", ...prints.map((print) => `a=fingerprint:sha-256 ${colons(print)}`), ""].join("\r\n");

test("the six digits are those of the protocol's example, whichever end computes them", async () => {
  assert.equal(await sixDigits(ONE, OTHER), "186789");
  assert.equal(await sixDigits(OTHER, ONE), "186789");
});

test("another certificate gives other digits", async () => {
  assert.notEqual(await sixDigits(ONE, `${OTHER.slice(1)}0`), "186789");
});

test("fingerprints are read from a description, each once, and no other digest", () => {
  assert.deepEqual(fingerprints(sdp(ONE, ONE, OTHER)), [OTHER, ONE]);
  assert.deepEqual(fingerprints("v=0\r\na=fingerprint:sha-512 AA:BB\r\n"), []);
});

test("a later description of a connection may not speak for somebody else", () => {
  assert.equal(isStranger("", sdp(ONE)), false);
  assert.equal(isStranger(sdp(ONE), sdp(ONE)), false);
  assert.equal(isStranger(sdp(ONE), sdp(OTHER)), true);
  assert.equal(isStranger(sdp(ONE), sdp(ONE, OTHER)), true);
  assert.equal(isStranger(sdp(ONE), sdp()), true);
});

const report = (own, met, algorithm = "sha-256") => new Map([
  ["T", { type: "transport", localCertificateId: "L", remoteCertificateId: "R" }],
  ["L", { type: "certificate", fingerprint: colons(own), fingerprintAlgorithm: algorithm }],
  ["R", { type: "certificate", fingerprint: colons(met), fingerprintAlgorithm: algorithm }],
]);

test("the certificates are those the transport met", () => {
  assert.deepEqual(ends(report(ONE, OTHER)), { own: ONE, met: OTHER });
  assert.equal(ends(report(ONE, OTHER, "sha-512")), null);
  assert.equal(ends(new Map()), null);
});

/** A seat with one other person, connected. */
function wired() {
  const said = [];
  const happened = [];
  const connection = { ended: false, stranger: false, generation: 3, pc: { getStats: async () => connection.report }, report: report(ONE, OTHER) };
  const text = { events: {}, identity: (word) => happened.push(["told", word]) };
  const peer = {
    epoch: 5, current: connection, next: null, generation: 3, options: { offers: false },
    use: async (tracks) => void happened.push(["sends", tracks.audio, tracks.video]),
    close: () => Object.assign(peer, { epoch: null, current: null, next: null }),
  };
  const seat = {
    others: new Map([["room", { peer, text, line: { connection, first: true } }]]),
    call: { state: "open", send: (message) => said.push(message.note) },
    options: { events: { stream: (from, stream) => happened.push(["shows", from, stream]) } },
  };
  const identities = new Identities(seat, { stopped: (from) => happened.push(["stopped", from]), compare: (from, show) => happened.push(["compare", from, show]) });
  const beat = async (now) => {
    identities.beat(now);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { identities, seat, peer, text, connection, said, happened, beat };
}

const SECURED = { kind: "secured", peer: "room", generation: 3, own: ONE, met: OTHER };
const STRANGER = { kind: "interrupted", peer: "room", cause: "identity", since_ms: 0 };

test("each connection is told to the service once, and its digits can be asked for", async () => {
  const { identities, said, beat } = wired();

  assert.equal(await identities.code("room"), null);
  for (const now of [0, 250, 3000, 9000]) await beat(now);

  assert.deepEqual(said, [SECURED]);
  assert.equal(await identities.code("room"), "186789");
  assert.equal(await identities.code("camera"), null);
});

test("nothing is said without a line to the service, and soon after another connection only in its turn", async () => {
  const { seat, said, connection, beat } = wired();
  seat.call.state = "lost";
  await beat(0);
  seat.call.state = "open";
  await beat(250);

  const next = { ...connection, generation: 4 };
  Object.assign(seat.others.get("room").line, { connection: next });
  await beat(1000);
  assert.equal(said.length, 1);
  await beat(6000);

  assert.deepEqual(said, [SECURED, { ...SECURED, generation: 4 }]);
});

test("a certificate that changes within a connection cuts the line, is said to both and logged", async () => {
  const { identities, peer, connection, said, happened, beat } = wired();
  await beat(0);
  connection.report = report(ONE, "ff".repeat(32));
  await beat(2250);
  await beat(2500);

  assert.deepEqual(said, [SECURED, STRANGER]);
  assert.deepEqual(happened, [["told", { trusted: false }], ["sends", null, null], ["shows", "room", null], ["stopped", "room"]]);
  assert.equal(peer.current, null);
  assert.equal(await identities.code("room"), null);
});

test("a description that announces a stranger cuts the line at once", async () => {
  const { connection, said, beat } = wired();
  Object.assign(connection, { stranger: true });

  await beat(0);
  await beat(250);

  assert.deepEqual(said, [STRANGER]);
});

test("a line that was cut stays so until somebody else sits there", async () => {
  const { identities, peer, said, beat, connection } = wired();
  identities.stop("room", { note: false });
  await beat(0);
  Object.assign(peer, { epoch: 5, current: connection });
  await beat(250);
  assert.deepEqual([peer.current, peer.generation, said], [null, Infinity, []]);

  Object.assign(peer, { epoch: 6, current: connection });
  await beat(500);

  assert.equal(peer.current, connection);
  assert.deepEqual(said, [SECURED]);
});

test("what the other side says is done: digits shown, or the line cut without another word to the log", async () => {
  const { text, said, happened, beat } = wired();
  await beat(0);

  text.events.identity({ show: true });
  text.events.identity({ trusted: false });

  assert.deepEqual(happened.filter(([what]) => what === "compare" || what === "stopped"), [["compare", "room", true], ["stopped", "room"]]);
  assert.deepEqual(said, [SECURED]);
});

test("the service's word cuts the line, and nothing is said back", async () => {
  const { identities, seat, said, happened } = wired();
  identities.open();

  seat.options.events.distrusted("room");
  identities.close();

  assert.deepEqual(happened.filter(([what]) => what === "stopped"), [["stopped", "room"]]);
  assert.deepEqual(said, []);
});

test("the other side is asked to show its digits", () => {
  const { identities, happened } = wired();

  identities.show("room", true);
  identities.show("expert2", true);

  assert.deepEqual(happened, [["told", { show: true }]]);
});
