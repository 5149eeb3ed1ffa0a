import assert from "node:assert/strict";
import { test } from "node:test";

import { checksum, Stills } from "../../web/static/js/stills.js";

const PICTURE = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

/** @param {number} number @param {number} index @param {Uint8Array} payload */
function chunk(number, index, payload) {
  const bytes = new Uint8Array(8 + payload.length);
  new DataView(bytes.buffer).setUint32(0, number);
  new DataView(bytes.buffer).setUint32(4, index);
  bytes.set(payload, 8);
  return bytes.buffer;
}

/** A receiver with everything it said, and a picture of three chunks on its way. */
async function receiver() {
  const said = [];
  const stills = new Stills({
    send: (message) => said.push(message),
    progress: (_id, share) => said.push(share),
    done: (_id, still) => said.push(still),
    failed: (_id, code) => said.push(code),
  });
  const id = stills.capture();
  said.length = 0;
  const sha256 = await checksum(PICTURE.buffer);
  const begin = { type: "still_begin", id, number: 7, sha256, size: 1000, width: 40, height: 25, mime: "image/jpeg", chunk_size: 400, chunks: 3 };
  const part = (index) => stills.chunk(chunk(7, index, PICTURE.slice(index * 400, index * 400 + 400)));
  return { stills, said, id, sha256, begin, part };
}

test("a still is put together in any order, checked and acknowledged", async () => {
  const { stills, said, id, sha256, begin, part } = await receiver();

  await stills.received(begin);
  [2, 0, 1].forEach(part);
  await stills.received({ type: "still_end", id });

  assert.deepEqual(said.slice(3, 4), [{ type: "still_ack", id, sha256 }]);
  assert.deepEqual({ ...said[4], blob: new Uint8Array(await said[4].blob.arrayBuffer()) }, { blob: PICTURE, sha256, width: 40, height: 25 });
});

test("chunks that did not come are asked for by number", async () => {
  const { stills, said, id, begin, part } = await receiver();

  await stills.received(begin);
  part(1);
  await stills.received({ type: "still_end", id });

  assert.deepEqual(said.at(-1), { type: "still_missing", id, chunks: [0, 2] });
  stills.stop();
});

test("a picture with a wrong checksum is never shown", async () => {
  const { stills, said, id, begin, part } = await receiver();

  await stills.received({ ...begin, sha256: "0".repeat(64) });
  [0, 1, 2].forEach(part);
  await stills.received({ type: "still_end", id });

  assert.deepEqual(said.slice(3), ["broken"]);
});

test("a chunk that comes twice counts once, and another picture's not at all", async () => {
  const { stills, said, begin, part } = await receiver();

  await stills.received(begin);
  part(0);
  part(0);
  stills.chunk(chunk(8, 1, PICTURE.slice(400, 800)));

  assert.deepEqual(said, [1 - 2 / 3]);
  stills.stop();
});

test("a picture larger than any page is refused before it comes", async () => {
  const { stills, said, begin } = await receiver();

  await stills.received({ ...begin, size: 2 ** 31 });

  assert.deepEqual(said, ["too_large"]);
});

test("what is under way when the line goes is told", async () => {
  const { stills, said, begin } = await receiver();

  await stills.received(begin);
  stills.stop();

  assert.deepEqual(said, ["line"]);
});
