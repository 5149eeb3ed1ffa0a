import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Call } from "../../web/static/js/call.js";

/** @type {Call[]} */
const calls = [];
after(() => calls.forEach((call) => call.leave()));

const WELCOME = { type: "welcome", seat: "room", epoch: 1, present: [], heartbeat_seconds: 3, resume: "again" };

/** A call on a pretended server: `sockets` are those opened, `said` what each was sent, `states` what became of the call. */
function wired() {
  const sockets = [];
  const states = [];
  let tickets = 0;
  const call = new Call({
    url: "ws://server/call",
    ticket: async () => ({ ticket: `ticket-${(tickets += 1)}` }),
    received: () => undefined,
    changed: (state, why) => states.push([state, why]),
    random: () => 0,
    openSocket: () => {
      const socket = {
        said: [], closed: null, readyState: 0,
        send: (text) => socket.said.push(JSON.parse(text)),
        close: (code) => (socket.closed = code),
      };
      sockets.push(socket);
      return socket;
    },
  });
  calls.push(call);
  const seat = async () => {
    await call.open();
    sockets.at(-1).readyState = 1;
    sockets.at(-1).onopen();
  };
  const hear = (message, socket = sockets.at(-1)) => {
    socket.readyState = 1;
    socket.onmessage({ data: JSON.stringify(message) });
  };
  return { call, sockets, states, seat, hear };
}

test("the first word is the ticket; what a fresh seat has to say follows it at once", async () => {
  const { call, sockets, seat } = wired();
  call.send({ type: "restart", to: "camera", generation: 1 });

  await seat();
  call.send({ type: "restart", to: "room", generation: 1 });

  assert.deepEqual(sockets[0].said, [
    { type: "hello", ticket: "ticket-1" }, { type: "restart", to: "camera", generation: 1 }, { type: "restart", to: "room", generation: 1 },
  ]);
});

test("a resumed seat says nothing before the welcome", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { call, sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);
  sockets[0].onclose();
  context.mock.timers.tick(200);
  await Promise.resolve();

  sockets[1].readyState = 1;
  sockets[1].onopen();
  call.send({ type: "restart", to: "camera", generation: 1 });
  const before = [...sockets[1].said];
  hear(WELCOME);

  assert.deepEqual(before, [{ type: "hello", resume: "again" }]);
  assert.deepEqual(sockets[1].said.slice(1), [{ type: "restart", to: "camera", generation: 1 }]);
});

test("a lost socket is resumed, and what was said meanwhile is sent then; statistics are not", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { call, sockets, states, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  sockets[0].onclose();
  call.send({ type: "quality", peer: "room", generation: 1, stats: [] });
  call.send({ type: "candidate", to: "expert", generation: 1, candidate: null });
  context.mock.timers.tick(200);
  await Promise.resolve();
  sockets[1].onopen();
  hear(WELCOME);

  assert.deepEqual(sockets[1].said, [{ type: "hello", resume: "again" }, { type: "candidate", to: "expert", generation: 1, candidate: null }]);
  assert.deepEqual(states, [["open", ""], ["lost", "socket"], ["open", ""]]);
});

test("a seat that cannot be resumed is taken anew with a fresh ticket", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  sockets[0].onclose();
  context.mock.timers.tick(200);
  await Promise.resolve();
  sockets[1].onopen();
  hear({ type: "error", code: "seat_lost", text: "" });
  sockets[1].onclose();
  context.mock.timers.tick(500);
  await new Promise((resolve) => setImmediate(resolve));
  sockets[2].onopen();

  assert.deepEqual(sockets[2].said, [{ type: "hello", ticket: "ticket-2" }]);
});

for (const [name, message, why] of [
  ["another window took the seat", { type: "error", code: "replaced", text: "" }, "replaced"],
  ["the session ended", { type: "call_closed", reason: "completed" }, "call_closed"],
]) {
  test(`when ${name}, the call is over and nothing is tried again`, async () => {
    const { sockets, states, seat, hear } = wired();
    await seat();
    hear(WELCOME);

    hear(message);

    assert.deepEqual(states, [["open", ""], ["ended", why]]);
    assert.equal(sockets[0].closed, 1000);
    assert.equal(sockets.length, 1);
  });
}

test("what is said while the socket closes waits for the next one", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { call, sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  sockets[0].readyState = 2;
  call.send({ type: "restart", to: "camera", generation: 2 });
  sockets[0].onclose();
  context.mock.timers.tick(200);
  await Promise.resolve();
  sockets[1].onopen();
  hear(WELCOME);

  assert.deepEqual(sockets[1].said.at(-1), { type: "restart", to: "camera", generation: 2 });
});

test("a fault of the server passes: the seat is resumed, more slowly each time it breaks at once", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, seat, hear } = wired();
  await seat();

  for (const [number, pause] of [200, 400, 700].entries()) {
    hear(WELCOME);
    hear({ type: "error", code: "server_fault", text: "" });
    sockets.at(-1).onclose();
    context.mock.timers.tick(pause - 1);
    assert.equal(sockets.length, number + 1);
    context.mock.timers.tick(1);
    await Promise.resolve();
    sockets.at(-1).onopen();
  }

  assert.deepEqual(sockets.at(-1).said, [{ type: "hello", resume: "again" }]);
});

test("leaving says bye", async () => {
  const { call, sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  call.leave();

  assert.deepEqual(sockets[0].said.at(-1), { type: "bye" });
});


test("a socket that nobody answers is given up and tried anew", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, states, seat, hear } = wired();
  await seat();
  hear(WELCOME);
  sockets[0].onclose();
  context.mock.timers.tick(200);

  context.mock.timers.tick(3000);
  context.mock.timers.tick(400);
  sockets[2].onopen();
  hear(WELCOME, sockets[1]);
  hear(WELCOME);

  assert.equal(sockets.length, 3);
  assert.deepEqual(states, [["open", ""], ["lost", "socket"], ["open", ""]]);
});

test("the server was away when it does not welcome us soon after it was doubted", async (context) => {
  Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
  context.mock.method(performance, "now", () => 5000);
  const { call, seat, hear } = wired();
  await seat();
  const before = call.wasAway(0);
  hear(WELCOME);

  const late = [8000, 4000, 3000].map((doubted) => call.wasAway(doubted));
  navigator.onLine = false;

  assert.deepEqual([before, late, call.wasAway(8000)], [true, [false, false, true], true]);
});

test("a socket that is doubted is replaced, and nobody hears of it when that works", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { call, sockets, states, seat, hear } = wired();
  await seat();
  hear(WELCOME);
  call.since = performance.now() - 10_000;

  call.refresh();
  call.send({ type: "restart", to: "camera", generation: 1 });
  sockets[0].onclose();
  sockets[1].readyState = 1;
  sockets[1].onopen();
  hear(WELCOME);

  assert.deepEqual(sockets[1].said, [{ type: "hello", resume: "again" }, { type: "restart", to: "camera", generation: 1 }]);
  assert.deepEqual(states, [["open", ""]]);
});

test("a socket that was welcomed a moment ago is not doubted", async () => {
  const { call, sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  call.refresh();

  assert.equal(sockets.length, 1);
});

test("a page that the server does not understand, again and again, is of another version", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, states, seat, hear } = wired();
  await seat();
  hear(WELCOME);

  for (const again of [false, true]) {
    hear({ type: "error", code: "bad_message", text: "" });
    if (again) break;
    sockets.at(-1).onclose();
    context.mock.timers.tick(200);
    await new Promise((resolve) => setImmediate(resolve));
    sockets.at(-1).onopen();
    hear(WELCOME);
  }

  assert.deepEqual(states.at(-1), ["ended", "outdated"]);
});

test("a seat that is told when to come back comes then, and the next time soon", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, seat, hear } = wired();
  await seat();
  hear(WELCOME);
  hear({ type: "error", code: "server_restarting", text: "", retry_after: 2 });
  sockets[0].onclose();

  context.mock.timers.tick(1999);
  const early = sockets.length;
  context.mock.timers.tick(1);
  await new Promise((resolve) => setImmediate(resolve));
  sockets[1].onclose();
  context.mock.timers.tick(400);
  await new Promise((resolve) => setImmediate(resolve));

  assert.deepEqual([early, sockets.length], [1, 3]);
});

test("a refused ticket is asked for again when the server says", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { call } = wired();
  let asked = 0;
  call.options.ticket = async () => {
    asked += 1;
    throw Object.assign(new Error("busy"), { status: 503, after: 3 });
  };
  await call.open();

  context.mock.timers.tick(2999);
  const early = asked;
  context.mock.timers.tick(1);

  assert.deepEqual([early, asked], [1, 2]);
});
