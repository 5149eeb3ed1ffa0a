/** Setting up a room's document camera: what it sees now, what was changed and how to take it back, what is saved. */

import { Refusal } from "../api.js";
import { alike, modeName, modeOf, ofPercents, percents, turned } from "../framing.js";
import { CameraPicture } from "./camera-picture.js";
import { CameraReadings } from "./camera-readings.js";
import { api, element, notify, refused, say } from "./page.js";

/** @typedef {import("../framing.js").CameraSettings} CameraSettings */
/** @typedef {import("../framing.js").Mode} Mode */
/**
 * @typedef {import("./camera-readings.js").Readings & {
 *   camera: string, picture: string, width: number, height: number, source: string, is_given: boolean,
 *   sources: { source: string, name: string }[], modes: Mode[],
 * }} Look
 */

const root = element("camera", HTMLElement);
const room = `/rooms/${encodeURIComponent(root.dataset["room"] ?? "")}/camera`;
const form = element("settings", HTMLFormElement);
const source = element("source", HTMLSelectElement);
const address = element("address", HTMLInputElement);
const mode = element("mode", HTMLSelectElement);
const fields = ["left", "top", "width", "height"].map((name) => element(`crop-${name}`, HTMLInputElement));
const server = api();
const readings = new CameraReadings();
const picture = new CameraPicture(element("picture", HTMLCanvasElement), { cropped: (crop) => change({ ...draft, crop }) });

/** Whoever does nothing for so long has gone to look after something else. */
const IDLE_MS = 10 * 60 * 1000;
const PAUSE_MS = 1000;
/** Answers without a look after which the agent is said to be away; the server waits two seconds for each. */
const AWAY_AFTER = 4;
const NETWORK = "network";

/** @type {CameraSettings} */
let saved = JSON.parse(root.dataset["settings"] ?? "{}");
let draft = saved;
/** @type {CameraSettings[]} */
const past = [];
let watching = false;
let touchedAt = Date.now();
let listed = "";

/** @param {CameraSettings} next */
function change(next) {
  if (alike(next, draft)) return render();
  past.push(draft);
  draft = next;
  render();
}

function render() {
  picture.frame(draft);
  const shares = percents(draft.crop);
  [shares.left, shares.top, shares.width, shares.height].forEach((share, place) => {
    const field = fields[place];
    if (field && field !== document.activeElement) field.value = String(share);
    field?.removeAttribute("aria-invalid");
  });
  element("turn-words", HTMLElement).textContent = say("camera.turned", { degrees: draft.turn });
  choose(source, [...source.options].some((option) => option.value === draft.source) ? draft.source : NETWORK);
  if (source.value === NETWORK && draft.source) address.value = draft.source;
  element("address-field", HTMLElement).hidden = source.value !== NETWORK;
  choose(mode, modeName(draft.mode));
  element("undo", HTMLButtonElement).disabled = past.length === 0;
  element("saved", HTMLElement).textContent = say(alike(draft, saved) ? "camera.is_saved" : "camera.is_not_saved");
}

/**
 * @param {HTMLSelectElement} list
 * @param {string} value
 */
function choose(list, value) {
  if (list !== document.activeElement || list.value !== value) list.value = value;
}

/** @param {Look} look */
function list(look) {
  const key = JSON.stringify([look.source, look.is_given, look.sources, look.modes]);
  if (key === listed) return;
  listed = key;
  source.disabled = address.disabled = look.is_given;
  element("source-hint", HTMLElement).hidden = !look.is_given;
  const known = [{ source: "", name: look.is_given ? look.source : say("camera.source_usual") }, ...look.sources];
  if (draft.source && !/^(rtsp|mjpeg):/.test(draft.source) && !known.some((one) => one.source === draft.source)) {
    known.push({ source: draft.source, name: draft.source });
  }
  source.replaceChildren(...known.map((one) => new Option(one.name, one.source)), new Option(say("camera.source_network"), NETWORK));
  const modes = look.modes.some((one) => modeName(one) === modeName(draft.mode)) || !draft.mode
    ? look.modes : [draft.mode, ...look.modes];
  mode.replaceChildren(new Option(say("camera.mode_best"), ""), ...modes.map((one) => new Option(modeWords(one), modeName(one))));
  render();
}

/** @param {Mode} one */
function modeWords(one) {
  return say("camera.mode_words", { width: one.width, height: one.height, rate: one.frames_per_second });
}

/** Ask for one look after the other until the page is left alone, or a session opens. */
async function watch() {
  if (watching) return;
  watching = true;
  touchedAt = Date.now();
  tell("camera.waiting");
  let after = 0;
  for (let misses = 0; watching; ) {
    if (document.hidden || Date.now() - touchedAt > IDLE_MS) return rest("camera.resting");
    const answer = await asked(after);
    if (!watching) return;
    misses = answer?.look ? 0 : misses + 1;
    after = answer?.number ?? after;
    if (answer?.look) await show(answer.look);
    else if (misses >= AWAY_AFTER) blank("camera.agent_away");
    if (answer === null) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/**
 * @param {number} after
 * @returns {Promise<{ number: number, look: Look | null } | null>}
 */
async function asked(after) {
  try {
    return await server.post(`${room}/look`, { after });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "room_in_use") rest("camera.in_use");
    else if (error.status !== 0 && error.status < 500) rest("camera.refused");
    return null;
  }
}

/** @param {Look} look */
async function show(look) {
  list(look);
  if (!look.picture || look.camera !== "ok") return blank(`camera.is_${look.camera}`);
  const bytes = Uint8Array.from(atob(look.picture), (letter) => letter.charCodeAt(0));
  await picture.show(new Blob([bytes], { type: "image/jpeg" }));
  if (!watching) return picture.forget();
  readings.show(look);
  element("picture", HTMLCanvasElement).hidden = false;
  element("state", HTMLElement).hidden = true;
  element("picture-size", HTMLElement).textContent = say("camera.size", { width: look.width, height: look.height });
}

/**
 * Nothing is shown, and why.
 * @param {string} key
 */
function blank(key) {
  picture.forget();
  readings.forget();
  element("picture", HTMLCanvasElement).hidden = true;
  element("picture-size", HTMLElement).textContent = "";
  tell(key);
}

/** @param {string} key */
function tell(key) {
  element("state", HTMLElement).hidden = false;
  element("state-words", HTMLElement).textContent = say(key);
  element("again", HTMLButtonElement).hidden = watching;
}

/**
 * Look no more until somebody asks for it.
 * @param {string} key
 */
function rest(key) {
  const left = key !== "camera.in_use";
  watching = false;
  blank(key);
  if (left) server.post(`${room}/leave`).catch(() => undefined);
}

async function save() {
  const wanted = draft;
  try {
    await server.post(room, wanted);
    saved = wanted;
    readings.anew();
    notify("");
    render();
  } catch (error) {
    if (error instanceof Refusal && error.code === "invalid_field") notify(say("camera.not_accepted"), { kind: "bad", lasts: true });
    else if (error instanceof Refusal && error.code === "room_in_use") notify(say("camera.in_use"), { kind: "warn", lasts: true });
    else refused(error);
  }
}

element("turn-left", HTMLButtonElement).addEventListener("click", () => change(turned(draft, -1)));
element("turn-right", HTMLButtonElement).addEventListener("click", () => change(turned(draft, 1)));
element("crop-whole", HTMLButtonElement).addEventListener("click", () => change({ ...draft, crop: null }));
element("again", HTMLButtonElement).addEventListener("click", () => void watch());
element("undo", HTMLButtonElement).addEventListener("click", () => {
  draft = past.pop() ?? draft;
  render();
});
for (const field of fields) {
  field.addEventListener("change", () => {
    const [left = NaN, top = NaN, width = NaN, height = NaN] = fields.map((one) => one.valueAsNumber);
    const crop = ofPercents({ left, top, width, height });
    if (crop === undefined) field.setAttribute("aria-invalid", "true");
    else change({ ...draft, crop });
  });
}
source.addEventListener("change", () => {
  if (source.value !== NETWORK) return change({ ...draft, source: source.value });
  element("address-field", HTMLElement).hidden = false;
  address.focus();
});
address.addEventListener("change", () => change({ ...draft, source: address.value.trim() }));
mode.addEventListener("change", () => change({ ...draft, mode: modeOf(mode.value) }));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void save();
});
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => (touchedAt = Date.now()));
document.addEventListener("visibilitychange", () => {
  if (document.hidden && watching) rest("camera.resting");
});
addEventListener("pagehide", () => {
  if (watching) rest("camera.resting");
});

render();
if (root.dataset["inUse"] === undefined) void watch();
else tell("camera.in_use");
