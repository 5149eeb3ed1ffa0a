import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, Refusal } from "../../web/static/js/api.js";

/** The server's answers in order, with the pauses between the attempts. */
function server(...answers) {
  const pauses = [];
  const api = new Api({
    csrf: "token", language: () => "en",
    fetch: async () => {
      const { status, headers = {}, body = {} } = answers.shift();
      return new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
    },
    pause: async (ms) => void pauses.push(ms),
  });
  return { api, pauses };
}

const restarting = { status: 503, body: { code: "server_restarting", detail: "A moment.", retry_after: 2 } };

test("a deed is sent again when the server says, by the problem or by the header", async () => {
  const { api, pauses } = server(restarting, { status: 503, headers: { "Retry-After": "4" } }, { status: 200, body: { id: "s-1" } });

  assert.deepEqual(await api.post("/sessions/take"), { id: "s-1" });

  const [first = 0, second = 0] = pauses;
  assert.ok(first >= 2000 && first <= 2500 && second >= 4000 && second <= 5000, pauses.join());
});

test("without a word of it the pauses are the page's own", async () => {
  const { api, pauses } = server({ status: 502 }, { status: 503 }, { status: 204 });

  assert.equal(await api.post("/sessions/take"), null);

  assert.deepEqual(pauses, [300, 1000]);
});

test("who would have to wait for long is told at once", async () => {
  const { api, pauses } = server({ status: 503, body: { code: "storage_full", detail: "Full.", retry_after: 30 } });

  await assert.rejects(api.post("/sessions"), (error) => error instanceof Refusal && error.code === "storage_full" && error.after === 30);

  assert.deepEqual(pauses, []);
});

test("what the server refuses is refused", async () => {
  const { api } = server({ status: 409, body: { code: "already_taken", detail: "Taken." } });

  await assert.rejects(api.post("/sessions/take"), new Refusal(409, "already_taken", "Taken."));
});
