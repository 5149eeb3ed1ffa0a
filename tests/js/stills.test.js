import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { checksum, Stills } from "../../web/static/js/stills.js";

const PICTURE = Uint8Array.from({ length: 3000 }, (_, index) => index % 251);
const CHUNK = 1024;

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
    progress: (_id, { stage, share }) => said.push([stage, Math.round(share * 3)]),
    done: (_id, still) => said.push(still),
    failed: (_id, code) => said.push(code),
  });
  const id = stills.capture();
  said.length = 0;
  const sha256 = await checksum(PICTURE.buffer);
  const begin = {
    type: "still_begin", id, capture: id, part: "page", page: 3, verdict: { code: "readable", ppi: 148 }, ppi: 148, turn: 90,
    number: 7, sha256, size: 3000, width: 40, height: 25, mime: "image/jpeg", chunk_size: CHUNK, chunks: 3,
  };
  const raw = { ...begin, id: `${id.slice(0, 20)}-raw`, part: "raw", number: 8, ppi: undefined, turn: undefined };
  const part = (index, number = 7) => stills.chunk(chunk(number, index, PICTURE.slice(index * CHUNK, (index + 1) * CHUNK)));
  const end = (which = id) => stills.received({ type: "still_end", id: which });
  return { stills, said, id, sha256, begin, raw, part, end };
}

test("page and raw picture are put together in any order, checked and acknowledged each", async () => {
  const { stills, said, id, sha256, begin, raw, part, end } = await receiver();

  await stills.received({ type: "still_progress", id, stage: "burst" });
  await stills.received(begin);
  [2, 0, 1].forEach((index) => part(index));
  await end();
  await stills.received(raw);
  [0, 1, 2].forEach((index) => part(index, 8));
  await end(raw.id);

  const pictures = said.filter((one) => one.blob);
  assert.deepEqual(said.filter(Array.isArray), [
    ["burst", 0], ["sending", 0], ["sending", 1], ["sending", 2], ["sending", 3], ["raw", 0], ["raw", 1], ["raw", 2], ["raw", 3],
  ]);
  assert.deepEqual(said.filter((one) => one.type), [{ type: "still_ack", id, sha256 }, { type: "still_ack", id: raw.id, sha256 }]);
  assert.deepEqual(new Uint8Array(await pictures[0].blob.arrayBuffer()), PICTURE);
  const common = { sha256, width: 40, height: 25, page: 3, verdict: { code: "readable", ppi: 148 }, corners: null };
  assert.deepEqual(pictures.map(({ blob, ...rest }) => rest), [
    { ...common, part: "page", ppi: 148, turn: 90 },
    { ...common, part: "raw", ppi: null, turn: 0 },
  ]);
  assert.equal(stills.asked.size, 0);
});

test("chunks that did not come are asked for by number", async () => {
  const { stills, said, id, begin, part, end } = await receiver();

  await stills.received(begin);
  part(1);
  await end();

  assert.deepEqual(said.at(-1), { type: "still_missing", id, chunks: [0, 2] });
  stills.stop();
});

test("never more chunks are named than one message may name", async () => {
  const { stills, said, begin, end } = await receiver();

  await stills.received({ ...begin, size: 5000 * CHUNK, chunks: 5000 });
  await end();

  assert.deepEqual(said.at(-1).chunks, Array.from({ length: 1024 }, (_, index) => index));
  stills.stop();
});

test("a picture with a wrong checksum is asked for again and never shown", async () => {
  const { stills, said, id, begin, part, end } = await receiver();

  await stills.received({ ...begin, sha256: "0".repeat(64) });
  for (let round = 0; round < 4; round += 1) {
    [0, 1, 2].forEach((index) => part(index));
    await end();
  }

  const all = { type: "still_missing", id, chunks: [0, 1, 2] };
  assert.deepEqual(said.filter((one) => !Array.isArray(one)), [all, all, all, { type: "still_dropped", id }, "broken"]);
});

test("a chunk that comes twice counts once; another picture's, one of a wrong size and one beyond the end not at all", async () => {
  const { stills, said, begin, part } = await receiver();

  await stills.received(begin);
  part(0);
  part(0);
  part(1, 9);
  stills.chunk(chunk(7, 1, PICTURE.slice(0, 1000)));
  stills.chunk(chunk(7, 3, PICTURE.slice(0, 1024)));
  stills.chunk(new ArrayBuffer(8));

  assert.deepEqual(said, [["sending", 0], ["sending", 1]]);
  stills.stop();
});

for (const wrong of [{ size: 2 ** 31, chunks: 2 ** 21 }, { chunks: 4 }, { mime: "text/html" }, { chunk_size: 1, chunks: 3000 }, { size: 0, chunks: 0 }]) {
  test(`a picture is refused before it comes: ${JSON.stringify(wrong)}`, async () => {
    const { stills, said, id, begin } = await receiver();

    await stills.received({ ...begin, ...wrong });

    assert.deepEqual(said, [{ type: "still_dropped", id }, "too_large"]);
  });
}

test("a transfer goes on over the next connection with what came before", async () => {
  const { stills, said, id, sha256, begin, part, end } = await receiver();
  await stills.received(begin);
  part(0);
  part(1);

  stills.interrupted();
  await stills.received({ ...begin, number: 1 });
  await end();
  stills.chunk(chunk(1, 2, PICTURE.slice(2 * CHUNK)));
  await end();

  assert.deepEqual(said.filter((one) => !one.blob), [
    ["sending", 0], ["sending", 1], ["sending", 2], ["line", 2], ["sending", 2], { type: "still_missing", id, chunks: [2] },
    ["sending", 3], { type: "still_ack", id, sha256 },
  ]);
  stills.stop();
});

test("an acknowledgement that was lost is given again, and the picture shown once", async () => {
  const { stills, said, id, sha256, begin, part, end } = await receiver();
  await stills.received(begin);
  [0, 1, 2].forEach((index) => part(index));
  await end();

  await stills.received({ ...begin, number: 1 });
  await end();

  const ack = { type: "still_ack", id, sha256 };
  assert.deepEqual(said.filter((one) => one.type), [ack, ack]);
  assert.equal(said.filter((one) => one.blob).length, 1);
  stills.stop();
});

test("what a camera says of a still that nobody asked for is passed over", async () => {
  const { stills, said, begin, end } = await receiver();

  await stills.received({ ...begin, id: "other", capture: "other" });
  await stills.received({ type: "still_failed", id: "other", code: "busy" });
  await stills.received({ type: "still_progress", id: "other", stage: "burst" });
  await end("other");
  await end();

  assert.deepEqual(said, []);
  stills.stop();
});

test("what is under way when the call ends is told, and so is what the camera refuses", async () => {
  const { stills, said, id, begin } = await receiver();
  await stills.received(begin);
  const second = stills.capture();

  await stills.received({ type: "still_failed", id: second, code: "busy" });
  stills.stop();

  assert.deepEqual(said, [["sending", 0], { type: "capture", id: second }, "busy", "line"]);
  assert.notEqual(id, second);
});

for (const [away, code] of [[false, "slow"], [true, "line"]]) {
  test(`after twenty silent seconds the picture is given up as ${code}, and the camera is free`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { stills, said, id, begin } = await receiver();
      await stills.received(begin);
      if (away) stills.interrupted();
      mock.timers.tick(19_999);
      const before = said.filter((one) => !Array.isArray(one));
      mock.timers.tick(1);

      assert.deepEqual(before, []);
      assert.deepEqual(said.filter((one) => !Array.isArray(one)), [{ type: "still_dropped", id }, code]);
    } finally {
      mock.timers.reset();
    }
  });
}

test("a camera that sends neither page nor part is understood as before", async () => {
  const { stills, said, id, begin, part, end } = await receiver();
  const { type, number, sha256, size, width, height, mime, chunk_size, chunks } = begin;

  await stills.received({ type, id, number, sha256, size, width, height, mime, chunk_size, chunks });
  [0, 1, 2].forEach((index) => part(index));
  await end();

  assert.equal(said.find((one) => one.blob).part, "raw");
  assert.equal(stills.asked.size, 0);
});

test("only so many acknowledgements are remembered", async () => {
  const { stills, begin, part, end } = await receiver();
  for (let round = 0; round < 20; round += 1) {
    const id = stills.capture();
    await stills.received({ ...begin, id, capture: id });
    [0, 1, 2].forEach((index) => part(index));
    await end(id);
  }

  assert.equal(stills.acknowledged.size, 16);
  stills.stop();
});
