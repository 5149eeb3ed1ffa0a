import assert from "node:assert/strict";
import { test } from "node:test";

import { relayFinding, serverFindings, socketFinding } from "../../web/static/js/check-line.js";
import { judged } from "../../web/static/js/pages/check-media.js";

/**
 * Levels of both tones as they are heard moment by moment: quiet, the first, quiet, the second, quiet.
 * @param {number} first
 * @param {number} second
 * @param {number} [quiet]
 */
function melody(first, second, quiet = -90) {
  const moments = (count, ...levels) => Array.from({ length: count }, () => levels);
  const still = moments(20, quiet, quiet);
  return [...still, ...moments(10, first, quiet), ...still, ...moments(10, quiet, second), ...still];
}

test("tones that are heard one after the other are the speaker's", () => {
  const heard = judged({ loudest: 0.5, levels: melody(-30, -40) });
  assert.deepEqual(heard, [{ code: "microphone", result: "ok", figure: -6 }, { code: "speaker", result: "ok", figure: 50 }]);
});

test("however late they come", () => {
  const late = [...Array.from({ length: 100 }, () => [-90, -90]), ...melody(-30, -40)];
  assert.equal(judged({ loudest: 0.5, levels: late })[1]?.result, "ok");
});

test("a noise that is there all the time is no speaker", () => {
  const [, speaker] = judged({ loudest: 0.1, levels: melody(-28, -27, -30) });
  assert.deepEqual(speaker, { code: "speaker", result: "failed", note: "not_heard" });
});

test("one tone of the two, both at once, or in the wrong order are none", () => {
  const both = [...Array.from({ length: 20 }, () => [-90, -90]), ...Array.from({ length: 5 }, () => [-30, -30])];
  for (const levels of [melody(-30, -90), both, melody(-30, -30).reverse(), []]) {
    assert.equal(judged({ loudest: 0.1, levels })[1]?.result, "failed");
  }
});

test("a microphone without any noise at all is none", () => {
  const heard = judged({ loudest: 0, levels: melody(-90, -90) });
  assert.deepEqual(heard.map(({ code, result, note }) => [code, result, note]), [
    ["microphone", "failed", "silent"], ["speaker", "skipped", "silent"],
  ]);
});

/** @param {number} behind seconds */
function server(behind) {
  return async () => new Response("", { headers: { Date: new Date(Date.now() - behind * 1000).toUTCString() } });
}

test("a server that answers tells how far this clock is from its own", async () => {
  const [answers, clock] = await serverFindings(server(0));
  const [, late] = await serverFindings(server(600));
  assert.deepEqual([answers?.code, answers?.result, clock?.result], ["server_http", "ok", "ok"]);
  assert.equal(late?.result, "warn");
  assert.ok(Math.abs((late?.figure ?? 0) - 600) <= 2);
});

test("a server without a date leaves the clock out, and one that is away both", async () => {
  const [, clock] = await serverFindings(async () => new Response(""));
  const away = await serverFindings(async () => { throw new TypeError("failed to fetch"); });
  assert.deepEqual(clock, { code: "clock", result: "skipped", note: "not_measured" });
  assert.deepEqual(away.map(({ code, result }) => [code, result]), [["server_http", "failed"], ["clock", "skipped"]]);
});

test("a socket that opens is closed again; one that does not is told", async () => {
  /** @param {"onopen" | "onerror"} happens */
  const socket = (happens) => {
    const made = { closed: false, onopen: null, onerror: null, onclose: null, close() { this.closed = true; } };
    setTimeout(() => made[happens]?.(), 1);
    return made;
  };
  const good = socket("onopen");
  const bad = socket("onerror");
  assert.equal((await socketFinding(() => good)).result, "ok");
  assert.deepEqual(await socketFinding(() => bad), { code: "server_socket", result: "failed", note: "no_answer" });
  assert.deepEqual([good.closed, bad.closed], [true, true]);
});

test("a relay is asked only where one is named", async () => {
  const made = [];
  const make = (configuration) => {
    const connection = {
      configuration, onicecandidate: null, closed: false,
      createDataChannel: () => ({}),
      setLocalDescription: async () => void setTimeout(() => connection.onicecandidate?.({ candidate: { type: "relay" } }), 1),
      close() { this.closed = true; },
    };
    made.push(connection);
    return connection;
  };
  const none = await relayFinding(make, [{ urls: "stun:s" }]);
  const some = await relayFinding(make, [{ urls: ["turn:t"], username: "u", credential: "c" }]);
  assert.deepEqual(none, { code: "relay", result: "skipped", note: "no_turn" });
  assert.equal(some.result, "ok");
  assert.deepEqual(made.map(({ configuration, closed }) => [configuration.iceTransportPolicy, closed]), [["relay", true]]);
});
