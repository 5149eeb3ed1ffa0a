import assert from "node:assert/strict";
import { test } from "node:test";

import { Devices } from "../../web/static/js/devices.js";

/** A camera that opens when told to; `opened` holds the tracks of every opening so far. */
function machine() {
  /** @type {(() => void)[]} */
  const asked = [];
  const opened = [];
  const getUserMedia = () => new Promise((resolve) => asked.push(() => {
    const track = { kind: "video", label: "Webcam", contentHint: "", enabled: true, live: true, stop() { this.live = false; } };
    opened.push(track);
    resolve({ getTracks: () => [track], getVideoTracks: () => [track] });
  }));
  const mediaDevices = { getUserMedia, addEventListener: () => undefined };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices } });
  const devices = new Devices({ memory: { getItem: () => null, setItem: () => undefined }, changed: () => undefined });
  return { devices, opened, open: () => asked.splice(0).forEach((answer) => answer()) };
}

test("of two openings at once one camera stays, and closing stops it too", async () => {
  const { devices, opened, open } = machine();
  const both = [devices.turn("camera", true), devices.turn("camera", true)];
  open();
  await Promise.all(both);
  assert.deepEqual(opened.map(({ live }) => live), [false, true]);

  devices.close();

  assert.deepEqual(opened.map(({ live }) => live), [false, false]);
});

test("a camera that is turned off while it opens does not stay on", async () => {
  const { devices, opened, open } = machine();
  const opening = devices.turn("camera", true);

  await devices.turn("camera", false);
  open();
  await opening;

  assert.deepEqual([opened.map(({ live }) => live), devices.shown.camera], [[false], false]);
});

test("a microphone that is refused is told as broken, one that is turned off is not", async () => {
  const track = { kind: "video", label: "Webcam", contentHint: "", enabled: true, stop: () => undefined };
  const getUserMedia = async ({ audio }) => {
    if (audio) throw new DOMException("no", "NotAllowedError");
    return { getTracks: () => [track], getVideoTracks: () => [track] };
  };
  const mediaDevices = { getUserMedia, addEventListener: () => undefined };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices } });
  const devices = new Devices({ memory: { getItem: () => null, setItem: () => undefined }, changed: () => undefined });

  await devices.open();
  const refused = devices.shown;
  await devices.turn("microphone", false);

  assert.deepEqual(refused, { camera: true, microphone: false, broken: ["microphone"] });
  assert.deepEqual([devices.shown, devices.failures.microphone], [{ camera: true, microphone: false }, "permission"]);
});
