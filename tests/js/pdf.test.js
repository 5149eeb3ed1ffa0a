import assert from "node:assert/strict";
import { test } from "node:test";

import { frameOf, NoJpegError, paperSize, pdf } from "../../web/static/js/pdf.js";

/** The beginning of a JPEG: a comment, then a frame of that size. Its pixels are made up. */
function jpeg({ width = 40, height = 25, components = 3, frame = 0xc0 } = {}) {
  return Uint8Array.from([
    0xff, 0xd8, 0xff, 0xfe, 0, 4, 0x68, 0x69, 0xff, frame, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255,
    components, 1, 0x11, 0, 0xff, 0xd9,
  ]);
}

/** @param {number} width @param {number} height @param {number | null} ppi */
function millimetres(width, height, ppi) {
  const size = paperSize({ width, height, ppi });
  return [size.width, size.height].map((points) => Math.round((points / 72) * 254) / 10);
}

test("a sheet that measures like a format is of that format, upright or across", () => {
  assert.deepEqual(millimetres(1240, 1754, 150), [210, 297]);
  assert.deepEqual(millimetres(1750, 1230, 150), [297, 210]);
  assert.deepEqual(millimetres(874, 1240, 150), [148, 210]);
  assert.deepEqual(millimetres(506, 319, 150), [85.6, 54]);
});

test("any other measured sheet keeps its own size", () => {
  assert.deepEqual(millimetres(472, 1500, 150), [79.9, 254]);
  assert.deepEqual(millimetres(2480, 3508, 150), [419.9, 594]);
});

test("a sheet of unknown size is the format of its shape, or fits into an A4", () => {
  assert.deepEqual(millimetres(1000, 1414, null), [210, 297]);
  assert.deepEqual(millimetres(1586, 1000, null), [85.6, 54]);
  assert.deepEqual(millimetres(3840, 2160, null), [297, 167.1]);
  assert.deepEqual(millimetres(500, 2000, null), [74.3, 297]);
});

test("no page is larger than a viewer takes", () => {
  assert.deepEqual(millimetres(30_000, 60_000, 1), [2540, 5080]);
});

test("a picture's own words on its size are believed", () => {
  assert.deepEqual(frameOf(jpeg({ width: 3840, height: 2160, components: 1, frame: 0xc2 })), { width: 3840, height: 2160, components: 1 });
});

for (const [what, bytes] of [
  ["nothing", new Uint8Array()],
  ["a PNG", Uint8Array.from([0x89, 0x50, 0x4e, 0x47])],
  ["a JPEG cut short", jpeg().slice(0, 12)],
  ["a JPEG without a frame", jpeg({ frame: 0xc4 })],
  ["a broken marker", Uint8Array.from([0xff, 0xd8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
]) {
  test(`no PDF is made of ${what}`, () => {
    assert.throws(() => pdf([{ jpeg: bytes, turn: 0, size: { width: 1, height: 1 } }]), NoJpegError);
  });
}

test("a picture of four colours is refused, not shown wrong", () => {
  assert.throws(() => pdf([{ jpeg: jpeg({ components: 4 }), turn: 0, size: { width: 1, height: 1 } }]), NoJpegError);
});

test("pages stand in their order, turned, with their pictures untouched, and every object where the table says", () => {
  const pictures = [jpeg(), jpeg({ width: 30, components: 1 })];
  const made = pdf([
    { jpeg: pictures[0], turn: 0, size: { width: 595.276, height: 841.89 } },
    { jpeg: pictures[1], turn: 90, size: { width: 100, height: 50 } },
  ]);

  const text = Buffer.from(made).toString("latin1");
  assert.match(text, /^%PDF-1\.4\n/);
  assert.deepEqual(text.match(/\/MediaBox \[[^\]]*\] \/Rotate \d+/g), ["/MediaBox [0 0 595.28 841.89] /Rotate 0", "/MediaBox [0 0 100 50] /Rotate 90"]);
  assert.deepEqual(text.match(/\/Width \d+ \/Height \d+ \/ColorSpace \/\w+/g), ["/Width 40 /Height 25 /ColorSpace /DeviceRGB", "/Width 30 /Height 25 /ColorSpace /DeviceGray"]);
  for (const picture of pictures) assert.ok(text.includes(Buffer.from(picture).toString("latin1")));
  const places = [...text.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, place]) => Number(place));
  assert.deepEqual(places.map((place, index) => text.slice(place).startsWith(`${index + 1} 0 obj\n`)), Array(8).fill(true));
  assert.ok(text.slice(Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)[1])).startsWith("xref\n0 9\n"));
  assert.doesNotMatch(text, /\/(Info|Author|Creator|CreationDate|Metadata|ID)\b/);
});
