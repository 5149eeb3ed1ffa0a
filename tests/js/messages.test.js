import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { decode, encode } from "../../web/static/js/messages.js";

const WIRE = new URL("../wire/", import.meta.url);
const FROM_SERVER = ["call_closed", "candidate-from", "description-from", "error", "restart-from", "seat_joined", "seat_left", "seat_promised",
  "welcome"];

/** @param {string} name */
const sample = (name) => readFileSync(new URL(`${name}.json`, WIRE), "utf8");

for (const name of FROM_SERVER) {
  test(`the server's ${name} is read as it was written`, () => {
    assert.deepEqual(decode(sample(name)), JSON.parse(sample(name)));
  });
}

test("every sample of the wire is of the server, of a peer or of a data channel", () => {
  const peers = ["bye", "candidate", "candidate-end", "description", "hello", "hello-resume", "noted-decoded",
    "noted-interrupted", "noted-resumed", "noted-secured", "noted-still_taken", "quality", "restart", "text"];
  const names = readdirSync(WIRE).map((name) => name.replace(".json", ""));

  assert.deepEqual(names.filter((name) => !name.startsWith("document-")).sort(), [...peers, ...FROM_SERVER].sort());
});

test("what a peer sends is the sample, field by field", () => {
  const hello = encode({ type: "hello", ticket: "eyJjYWxsIjoiZXhhbXBsZSJ9.c2lnbmF0dXJl" });

  assert.deepEqual(JSON.parse(hello), JSON.parse(sample("hello")));
});

for (const text of ["", "null", "7", "[]", "{", '{"type": "of_a_later_version"}', '{"type": "constructor"}', '{"type": "welcome"}']) {
  test(`${JSON.stringify(text)} is no message and no error`, () => {
    assert.equal(decode(text), null);
  });
}
