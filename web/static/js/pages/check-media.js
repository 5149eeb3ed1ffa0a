/**
 * A look at this machine's camera, microphone and speaker. A short tone is played, and listened to by the own microphone.
 * Everything that is opened is closed again; nothing is recorded.
 */

import { Devices } from "../devices.js";

/** @typedef {import("../check-line.js").Finding} Finding */

const WATCHED_MS = 1500;
const LOOK_MS = 75;
const OPENING_MS = 6000;
const GOOD_RATE = 8;
const ENOUGH_RATE = 2;
/** Of 255: a covered lens. */
const BLACK_MEAN = 20;
const BLACK_SPREAD = 6;
const WIDTH = 64;
const HEIGHT = 48;

/** Two tones one after the other: what is heard of both, in their order and each without the other, is no noise of the room. */
const TONES_HZ = /** @type {const} */ ([1187, 1693]);
const TONE_MS = 350;
const GAP_MS = 300;
const QUIET_MS = 400;
/** Through buffers, air and back a sound may need so long. */
const LATEST_MS = 2500;
const EAR_MS = 20;
const LOUDNESS = 0.3;
const FADE_SECONDS = 0.02;
/** A tone is heard when it stands out by so much, and is no mere noise of the sound card. */
const HEARD_DB = 12;
const FLOOR_DB = -95;
const FFT = 4096;

export class Abandoned extends Error {}

/**
 * @param {AbortSignal} signal
 * @param {string} [leaveAlone] part of the label of a camera that is not ours
 * @returns {Promise<Finding>}
 */
export async function cameraFinding(signal, leaveAlone = "") {
  const devices = new Devices({ memory: localStorage, leaveAlone, changed: () => undefined });
  const close = () => devices.close();
  signal.addEventListener("abort", close);
  try {
    await within(devices.turn("camera", true), OPENING_MS);
    const track = devices.tracks.camera;
    if (signal.aborted) throw new Abandoned();
    if (!track) return { code: "camera", result: "failed", note: devices.failures.camera ?? "busy" };
    return await watch(track, signal);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/**
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal
 * @returns {Promise<Finding>}
 */
async function watch(track, signal) {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  try {
    await within(video.play().catch(() => undefined), OPENING_MS);
    const pen = picture();
    let last = "";
    let changes = 0;
    let light = { mean: 0, spread: 0 };
    const before = video.getVideoPlaybackQuality().totalVideoFrames;
    const began = performance.now();
    while (performance.now() - began < WATCHED_MS) {
      await pause(LOOK_MS, signal);
      if (!video.videoWidth) continue;
      pen.drawImage(video, 0, 0, WIDTH, HEIGHT);
      const pixels = pen.getImageData(0, 0, WIDTH, HEIGHT).data;
      const now = pixels.join();
      if (last && now !== last) changes += 1;
      last = now;
      light = lightOf(pixels);
    }
    const frames = video.getVideoPlaybackQuality().totalVideoFrames - before;
    const rate = Math.round(frames / (performance.now() - began) * 10_000) / 10;
    if (!last || frames === 0) return { code: "camera", result: "failed", figure: 0, note: "no_picture" };
    if (light.mean < BLACK_MEAN && light.spread < BLACK_SPREAD) return { code: "camera", result: "failed", figure: rate, note: "black" };
    if (changes === 0) return { code: "camera", result: "failed", figure: rate, note: "frozen" };
    return { code: "camera", result: rate >= GOOD_RATE ? "ok" : rate >= ENOUGH_RATE ? "warn" : "failed", figure: rate };
  } finally {
    video.srcObject = null;
  }
}

function picture() {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("no canvas");
  return pen;
}

/** @param {Uint8ClampedArray} pixels */
function lightOf(pixels) {
  const greens = pixels.filter((_, index) => index % 4 === 1);
  const mean = greens.reduce((sum, one) => sum + one, 0) / greens.length;
  const square = greens.reduce((sum, one) => sum + (one - mean) ** 2, 0) / greens.length;
  return { mean, spread: Math.sqrt(square) };
}

/**
 * Microphone and speaker together: what the speaker plays the microphone is to hear.
 * @param {AbortSignal} signal
 * @returns {Promise<Finding[]>}
 */
export async function soundFindings(signal) {
  const opened = await microphone();
  if (signal.aborted) {
    if (opened.stream) stop(opened.stream);
    throw new Abandoned();
  }
  const { stream } = opened;
  if (!stream) {
    return [
      { code: "microphone", result: "failed", note: opened.failure },
      { code: "speaker", result: "skipped", note: "silent" },
    ];
  }
  const context = new AudioContext();
  try {
    await within(context.resume(), OPENING_MS);
    if (context.state !== "running") {
      return [
        { code: "microphone", result: "skipped", note: "not_measured" },
        { code: "speaker", result: "failed", note: "permission" },
      ];
    }
    return judged(await listen(context, stream, signal));
  } finally {
    stop(stream);
    await context.close().catch(() => undefined);
  }
}

/** @returns {Promise<{ stream: MediaStream | null, failure: string }>} */
async function microphone() {
  const remembered = localStorage.getItem("etapalvelu.microphone");
  try {
    if (!navigator.mediaDevices) return { stream: null, failure: "permission" };
    // the own tone would be cancelled as an echo
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const audio = { ...plain, ...(remembered ? { deviceId: { ideal: remembered } } : {}) };
    return { stream: await navigator.mediaDevices.getUserMedia({ audio }), failure: "" };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") return { stream: null, failure: "permission" };
    return { stream: null, failure: name === "NotReadableError" || name === "AbortError" ? "busy" : "missing" };
  }
}

/** @typedef {{ loudest: number, levels: number[][] }} Heard the loudest sample (0 to 1), and decibels by moment and tone */

/**
 * @param {AudioContext} context
 * @param {MediaStream} stream
 * @param {AbortSignal} signal
 * @returns {Promise<Heard>}
 */
async function listen(context, stream, signal) {
  const ear = context.createAnalyser();
  ear.fftSize = FFT;
  ear.smoothingTimeConstant = 0;
  context.createMediaStreamSource(stream).connect(ear);
  /** @type {Heard} */
  const heard = { loudest: 0, levels: [] };
  TONES_HZ.forEach((hertz, index) => play(context, hertz, (QUIET_MS + index * (TONE_MS + GAP_MS)) / 1000));
  const ends = performance.now() + QUIET_MS + TONES_HZ.length * (TONE_MS + GAP_MS) + LATEST_MS;
  while (performance.now() < ends && !(rise(heard.levels) >= HEARD_DB)) {
    await pause(EAR_MS, signal);
    hear(ear, heard);
  }
  return heard;
}

/**
 * @param {AudioContext} context
 * @param {number} hertz
 * @param {number} delay seconds
 */
function play(context, hertz, delay) {
  const tone = new OscillatorNode(context, { frequency: hertz });
  const loudness = new GainNode(context, { gain: 0 });
  const begins = context.currentTime + delay;
  const ends = begins + TONE_MS / 1000;
  loudness.gain.setValueAtTime(0, begins);
  loudness.gain.linearRampToValueAtTime(LOUDNESS, begins + FADE_SECONDS);
  loudness.gain.setValueAtTime(LOUDNESS, ends - FADE_SECONDS);
  loudness.gain.linearRampToValueAtTime(0, ends);
  tone.connect(loudness).connect(context.destination);
  tone.start(begins);
  tone.stop(ends);
}

/**
 * @param {AnalyserNode} ear
 * @param {Heard} heard
 */
function hear(ear, heard) {
  const spectrum = new Float32Array(ear.frequencyBinCount);
  const wave = new Float32Array(ear.fftSize);
  ear.getFloatFrequencyData(spectrum);
  ear.getFloatTimeDomainData(wave);
  heard.loudest = wave.reduce((most, one) => Math.max(most, Math.abs(one)), heard.loudest);
  heard.levels.push(TONES_HZ.map((hertz) => {
    const place = Math.round(hertz / ear.context.sampleRate * ear.fftSize);
    return Math.max(FLOOR_DB, ...spectrum.subarray(place - 1, place + 2));
  }));
}

/**
 * By how much the tones stand out, each at its loudest moment: of what is usual there, and of the moment of the other. Less than
 * nothing when they do not come in their order.
 * @param {number[][]} levels
 */
function rise(levels) {
  const tones = TONES_HZ.map((_, tone) => levels.map((one) => one[tone] ?? FLOOR_DB));
  const peaks = tones.map((one) => one.indexOf(Math.max(...one)));
  const [first, second] = peaks;
  if (first === undefined || second === undefined || !(first < second)) return -1;
  return Math.min(...tones.map((one, tone) => {
    const usual = [...one].sort((low, high) => low - high)[Math.floor(one.length / 2)] ?? FLOOR_DB;
    const own = one[peaks[tone] ?? 0] ?? FLOOR_DB;
    return own - Math.max(usual, one[peaks[1 - tone] ?? 0] ?? FLOOR_DB);
  }));
}

/**
 * @param {Heard} heard
 * @returns {Finding[]}
 */
export function judged(heard) {
  // a microphone that works always has some noise
  if (heard.loudest === 0) {
    return [
      { code: "microphone", result: "failed", note: "silent" },
      { code: "speaker", result: "skipped", note: "silent" },
    ];
  }
  const above = Math.round(rise(heard.levels));
  /** @type {Finding} */
  const speaker = above >= HEARD_DB
    ? { code: "speaker", result: "ok", figure: above }
    : { code: "speaker", result: "failed", note: "not_heard" };
  return [{ code: "microphone", result: "ok", figure: Math.round(20 * Math.log10(heard.loudest)) }, speaker];
}

/** @returns {Finding} what this browser can decode: the document comes as H264, or as VP8 where that is not known */
export function codecFinding() {
  const known = new Set((globalThis.RTCRtpReceiver?.getCapabilities("video")?.codecs ?? []).map((one) => one.mimeType.toLowerCase()));
  if (known.has("video/h264") && known.has("video/vp8")) return { code: "codecs", result: "ok" };
  return { code: "codecs", result: known.has("video/vp8") ? "warn" : "failed", note: "missing" };
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
async function pause(ms, signal) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (signal.aborted) throw new Abandoned();
}

/**
 * Waits for it, but not for ever.
 * @param {Promise<unknown>} work
 * @param {number} ms
 */
function within(work, ms) {
  return Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);
}
