import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../../web/static/js/backoff.js";

test("what fails is tried again soon, then within a second, and slowly only in a long outage", () => {
  const pauses = [0, 1, 2, 3, 100, 400, 401].map((tries) => backoff(tries, () => 0));

  assert.deepEqual(pauses, [200, 400, 700, 900, 900, 900, 5000]);
});

test("a thousand pages do not come back in the same moment", () => {
  const pauses = Array.from({ length: 1000 }, () => backoff(3));

  assert.ok(pauses.every((pause) => pause > 449 && pause <= 900));
  assert.ok(new Set(pauses).size > 900);
});
