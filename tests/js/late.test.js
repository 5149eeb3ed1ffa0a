import assert from "node:assert/strict";
import { test } from "node:test";

import { Refusal } from "../../web/static/js/api.js";
import { Late, unreachable } from "../../web/static/js/late.js";

const CLOSE = { key: "k-1", session: "s-1", deed: "close", body: { cause: "completed" }, at: "2026-08-17T09:15:02.120Z" };

/** A machine's memory with one page on it; `answers` are what the server says, in order: a refusal, or nothing. */
function machine(answers, memory = new Map(), account = "eero") {
  const heard = [];
  const late = new Late({
    memory: { getItem: (key) => memory.get(key) ?? null, setItem: (key, value) => void memory.set(key, value) },
    account,
    send: async (kept) => {
      heard.push(["send", kept.key, kept.at]);
      const answer = answers.shift();
      if (answer) throw answer;
    },
    sent: (kept) => heard.push(["sent", kept.key]),
    refused: (kept, refusal) => heard.push(["refused", kept.key, refusal.code]),
  });
  return { late, memory, heard };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const away = () => new Refusal(0, "unreachable", "");

test("a deed waits until the server is back, and is sent once with its own time and key", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { late, heard } = machine([away(), new Refusal(503, "try_again", "")]);

  late.keep(CLOSE);
  await settled();
  assert.equal(late.waits("s-1"), true);
  for (let tries = 0; tries < 4; tries += 1) {
    context.mock.timers.tick(1000);
    await settled();
  }

  assert.deepEqual(heard, [...Array(3).fill(["send", "k-1", CLOSE.at]), ["sent", "k-1"]]);
  assert.equal(late.waits("s-1"), false);
});

test("what waits survives a reload, and another person's deed waits for that person", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const first = machine([away()]);
  first.late.keep(CLOSE);
  await settled();

  const other = machine([], first.memory, "elsa");
  await other.late.send();
  const again = machine([], first.memory);
  await again.late.send();

  assert.deepEqual(other.heard, []);
  assert.deepEqual(again.heard, [["send", "k-1", CLOSE.at], ["sent", "k-1"]]);
});

test("what is refused for good is told and sent no more; a sign-in that ran out only delays it", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { late, heard } = machine([new Refusal(401, "wrong_credentials", ""), new Refusal(409, "wrong_state", "Closed.")]);

  late.keep(CLOSE);
  await settled();
  context.mock.timers.tick(1000);
  await settled();
  context.mock.timers.tick(1000);
  await settled();

  assert.deepEqual(heard.slice(1), [["send", "k-1", CLOSE.at], ["refused", "k-1", "wrong_state"]]);
});

test("two askings at once send it once", async () => {
  const { late, heard } = machine([]);

  late.keep(CLOSE);
  await Promise.all([late.send(), late.send()]);
  await settled();

  assert.deepEqual(heard, [["send", "k-1", CLOSE.at], ["sent", "k-1"]]);
});

test("memory that holds something else is no fault", () => {
  for (const text of ["{", "7", "null"]) assert.equal(machine([], new Map([["etapalvelu.late", text]])).late.waits("s-1"), false);
});

test("only a server that is away makes a deed wait", () => {
  const answers = [0, 502, 503, 504, 409, 403].map((status) => unreachable(new Refusal(status, "", "")));

  assert.deepEqual(answers, [true, true, true, true, false, false]);
});

test("what waits is sent when the server wants it", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { late, heard } = machine([new Refusal(503, "storage_full", "", 30)]);
  late.keep(CLOSE);
  await settled();

  context.mock.timers.tick(29_999);
  await settled();
  const early = heard.length;
  context.mock.timers.tick(7501);
  await settled();

  assert.deepEqual([early, heard.map(([what]) => what)], [1, ["send", "send", "sent"]]);
});
