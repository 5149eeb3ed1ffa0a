import assert from "node:assert/strict";
import { test } from "node:test";

import { Countdown } from "../../web/static/js/countdown.js";

const LIMIT_MS = 300_000;

/** Five minutes by two clocks that a test sets; `heard` is what was told, without what was told twice. */
function fiveMinutes(context) {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const times = { wall: 1_000_000, steady: 5000 };
  const heard = [];
  const hear = (words) => (heard.at(-1) === words ? undefined : void heard.push(words));
  const countdown = new Countdown({
    milliseconds: LIMIT_MS,
    tell: ({ unit, number }) => hear(`${number} ${unit}`),
    over: () => void heard.push("over"),
    clocks: [() => times.wall, () => times.steady],
  });
  const pass = (seconds) => {
    for (let second = 0; second < seconds; second += 1) {
      times.wall += 1000;
      times.steady += 1000;
      context.mock.timers.tick(1000);
    }
  };
  return { countdown, times, heard, pass };
}

test("five minutes are told in minutes, the last one in tens of seconds, and end once", (context) => {
  const { heard, pass } = fiveMinutes(context);

  pass(400);

  assert.deepEqual(heard, [
    "5 minutes", "4 minutes", "3 minutes", "2 minutes",
    "60 seconds", "50 seconds", "40 seconds", "30 seconds", "20 seconds", "10 seconds", "over",
  ]);
});

test("the warning begins with the last minute and not a second before", (context) => {
  const { heard, pass } = fiveMinutes(context);

  pass(239);
  assert.equal(heard.at(-1), "2 minutes");
  pass(1);
  assert.equal(heard.at(-1), "60 seconds");
  pass(59);
  assert.equal(heard.at(-1), "10 seconds");
  pass(1);
  assert.equal(heard.at(-1), "over");
});

test("whoever comes back to the page after the time sees it end at once", (context) => {
  const { countdown, times, heard } = fiveMinutes(context);

  times.wall += LIMIT_MS;
  times.steady += LIMIT_MS;
  countdown.look();
  countdown.look();

  assert.deepEqual(heard, ["5 minutes", "over"]);
});

test("a clock that is set back gives no more time", (context) => {
  const { times, heard, pass } = fiveMinutes(context);

  pass(60);
  times.wall -= 3_600_000;
  pass(240);

  assert.equal(heard.at(-1), "over");
});

test("a clock that stood still while the machine slept gives no more time", (context) => {
  const { times, heard, pass } = fiveMinutes(context);

  times.wall += LIMIT_MS - 5000;
  pass(5);

  assert.equal(heard.at(-1), "over");
});

test("what was stopped is neither told nor ended", (context) => {
  const { countdown, heard, pass } = fiveMinutes(context);

  pass(250);
  countdown.stop();
  pass(100);
  countdown.look();

  assert.deepEqual(heard.slice(-2), ["60 seconds", "50 seconds"]);
});
