/** Streams onto the page's video elements, and off them so that nothing of a person stays. */

import { say } from "./page.js";

/** @typedef {"self" | "room" | "expert" | "document" | "interpreter"} StreamName */

/**
 * @param {StreamName} name
 * @param {MediaStream | null} stream
 * @param {() => void} [silent] the browser would not play the sound without a click
 */
export function show(name, stream, silent) {
  for (const video of videos(name)) {
    if (video.srcObject === stream) continue;
    video.srcObject = stream;
    if (stream === null) video.load();
    else video.play().catch((error) => error.name === "NotAllowedError" && silent?.());
  }
}

/**
 * Calls back when the next frame of the stream is there, seen on the page or not yet.
 * @param {StreamName} name
 * @param {() => void} then
 */
export function nextFrame(name, then) {
  for (const video of videos(name)) video.requestVideoFrameCallback?.(then);
}

/** @param {StreamName} name */
export function play(name) {
  for (const video of videos(name)) void video.play().catch(() => undefined);
}

/**
 * @param {StreamName} name
 * @param {boolean} muted
 */
export function hush(name, muted) {
  for (const video of videos(name)) video.muted = muted;
}

/**
 * Words over a picture, or none.
 * @param {HTMLElement} place
 * @param {string} words
 */
export function cover(place, words) {
  if (place.textContent !== words) place.textContent = words;
  place.parentElement?.classList.toggle("is-covered", words !== "");
}

/**
 * Own picture from an own track.
 * @param {import("../devices.js").Devices} devices
 */
export function showSelf(devices) {
  const { camera } = devices.tracks;
  const [shown] = videos("self")[0]?.srcObject instanceof MediaStream
    ? /** @type {MediaStream} */ (videos("self")[0]?.srcObject).getTracks() : [];
  if (shown === camera && camera) return;
  show("self", camera ? new MediaStream([camera]) : null);
}

/**
 * The own picture is one, and stands where the view needs it. Moved, a video has to be started again.
 * @param {HTMLElement} place
 */
export function moveSelf(place) {
  const [video] = videos("self");
  if (!video || video.parentElement === place) return;
  place.prepend(video);
  play("self");
}

/**
 * What to say of an own camera that gives no picture.
 * @param {import("../devices.js").Devices} devices
 */
export function selfWords(devices) {
  if (devices.tracks.camera) return "";
  if (devices.failures.camera) return say(`device.camera_${devices.failures.camera}`);
  return devices.wanted.camera ? say("device.opening") : say("device.camera_off");
}

/**
 * What to say beside the own picture of a microphone that cannot be had; one that is only off says nothing.
 * @param {import("../devices.js").Devices} devices
 */
export function ownMicrophone(devices) {
  const failed = devices.wanted.microphone && !devices.tracks.microphone ? devices.failures.microphone : null;
  return failed ? say(`device.microphone_${failed}`) : "";
}

/**
 * Words along the foot of a picture that can be seen, or none.
 * @param {HTMLElement} place
 * @param {string} words
 */
export function remark(place, words) {
  if (place.textContent !== words) place.textContent = words;
  place.hidden = words === "";
}

/**
 * @param {StreamName} name
 * @returns {HTMLVideoElement[]}
 */
function videos(name) {
  return [...document.querySelectorAll(`video[data-stream=${name}]`)].filter((one) => one instanceof HTMLVideoElement);
}
