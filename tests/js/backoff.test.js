import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff, seconds } from "../../web/static/js/backoff.js";

test("what fails is tried again soon, then within a second, and slowly only in a long outage", () => {
  const pauses = [0, 1, 2, 3, 100, 400, 401].map((tries) => backoff(tries, () => 0));

  assert.deepEqual(pauses, [200, 400, 700, 900, 900, 900, 5000]);
});

test("a thousand pages do not come back in the same moment", () => {
  const pauses = Array.from({ length: 1000 }, () => backoff(3));

  assert.ok(pauses.every((pause) => pause > 449 && pause <= 900));
  assert.ok(new Set(pauses).size > 900);
});

test("whoever is asked to wait waits that long, and a little longer by chance", () => {
  const pauses = Array.from({ length: 100 }, () => backoff(0, Math.random, 2));

  assert.ok(pauses.every((pause) => pause >= 2000 && pause <= 2500));
  assert.ok(new Set(pauses).size > 90);
  assert.deepEqual([backoff(0, () => 0, 3600), backoff(0, () => 0, 0.01), backoff(3, () => 0, 0)], [60_000, 200, 900]);
});

test("nonsense asks for nothing", () => {
  const said = [null, undefined, "2", 3, "Fri, 31 Dec 1999 23:59:59 GMT", -1, {}].map(seconds);

  assert.deepEqual(said, [0, 0, 2, 3, 0, 0, 0]);
});
