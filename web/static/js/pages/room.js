/**
 * The customer's screen. The server says when a session is open; camera and microphone are opened then and closed at its
 * end, and nothing of the customer stays. The session itself is room-session.js.
 */

import { Devices } from "../devices.js";
import { cover, ownMicrophone, remark, selfWords, showSelf } from "./media.js";
import { api, callAddress, element, notify, refused, replaceFragment, reloadOnce, reword, say, stayFresh } from "./page.js";
import { RoomCheck } from "./room-check.js";
import { RoomSession } from "./room-session.js";
import { woken } from "./waking.js";

const ENDED_SHOWN_MS = 8000;
const COME_BACK_MS = 3000;
/** A question of the browser that nobody answers must not keep the seat empty. */
const DEVICES_LIMIT_MS = 3000;

const server = api();
const devices = new Devices({
  memory: localStorage,
  leaveAlone: document.body.dataset["leaveAlone"] ?? "",
  changed: () => devicesChanged(),
});
const check = new RoomCheck({
  server,
  leaveAlone: document.body.dataset["leaveAlone"] ?? "",
  told: (on) => {
    if (on) checking = notify(say("room.checking"), { lasts: true });
    else checking();
  },
});
/** @type {RoomSession | null} */
let session = null;
/** What takes back that the room is being checked, and that the service is away. */
let checking = () => {};
let away = () => {};
/** The session of the last `state`; one that ended is not opened again by a late word. */
let current = "";
let ended = "";
/** The server has another version of this page. Nobody sits here to press a button: it is loaded anew between two sessions. */
let outdated = false;

function devicesChanged() {
  showSelf(devices);
  cover(element("self-words", HTMLElement), session || current ? selfWords(devices) : "");
  remark(element("self-remark", HTMLElement), session || current ? ownMicrophone(devices) : "");
  press("sound", !devices.shown.microphone && devices.tracks.microphone !== null);
  press("picture", !devices.wanted.camera);
  session?.devicesChanged();
}

/** @param {"idle" | "waiting" | "session" | "ended"} view */
function look(view) {
  document.body.dataset["view"] = view;
}

/**
 * @param {string} state
 * @param {string} id
 */
function said(state, id) {
  const over = state === "" || state === "closed" || id === ended;
  document.body.dataset["state"] = over ? "" : state;
  if (over) end();
  if (over && outdated && current === "") reloadOnce();
  if (over) return undefined;
  if (id === current) return undefined;
  if (session) end();
  current = id;
  void begin(id);
  return undefined;
}

/** @param {string} id */
async function begin(id) {
  look("waiting");
  check.stop();
  await Promise.race([devices.open(), new Promise((resolve) => setTimeout(resolve, DEVICES_LIMIT_MS))]);
  if (current !== id || session) return;
  session = new RoomSession({ id, server, devices, address: callAddress(), look, ended: (forGood) => (forGood ? end() : comeBack(id)) });
  session.open();
}

/** The seat was refused although the session lives: nothing stays here meanwhile, and it is tried again. @param {string} id */
function comeBack(id) {
  session?.close();
  session = null;
  look("waiting");
  setTimeout(() => current === id && void begin(id), COME_BACK_MS);
}

function end() {
  if (current === "" && document.body.dataset["view"] !== "idle" && document.body.dataset["view"] !== undefined) return;
  const had = current !== "";
  ended = current || ended;
  current = "";
  session?.close();
  session = null;
  devices.close();
  document.body.dataset["state"] = "";
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  notify("");
  look(had ? "ended" : "idle");
  if (had) setTimeout(() => current === "" && look("idle"), ENDED_SHOWN_MS);
}

/**
 * @param {string} id
 * @param {boolean} pressed
 */
function press(id, pressed) {
  element(id, HTMLButtonElement).setAttribute("aria-pressed", String(pressed));
}

async function leave() {
  const id = current;
  if (!id) return;
  try {
    await server.post(`/sessions/${id}/close`, { cause: "customer_left" });
    end();
  } catch (error) {
    refused(error);
  }
}

/** @param {string} address the page in another language; the call goes on */
async function speak(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) return;
  reword(new DOMParser().parseFromString(await answer.text(), "text/html"));
  live.close();
  live.open();
  session?.reworded();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const language = target?.closest("[data-language]");
  if (language instanceof HTMLAnchorElement) {
    event.preventDefault();
    void speak(language.href);
  }
  if (target?.closest("[data-dismiss]")) target.closest("dialog")?.close();
  if (target?.closest("#end-now")) {
    target.closest("dialog")?.close();
    void leave();
  }
});
element("sound", HTMLElement).addEventListener("click", () => void devices.turn("microphone", !devices.shown.microphone));
element("picture", HTMLElement).addEventListener("click", () => void devices.turn("camera", !devices.wanted.camera));
element("ask", HTMLElement).addEventListener("click", () => element("ask-dialog", HTMLDialogElement).showModal());
element("end", HTMLElement).addEventListener("click", () => element("end-dialog", HTMLDialogElement).showModal());
woken(() => session?.help());

look("idle");
const live = stayFresh("room", {
  state: said,
  check: (run) => current === "" && void check.begin(run),
  fragment: (target, html) => {
    replaceFragment(target, html);
    if (target === "slow") session?.factsChanged();
  },
  outdated: () => {
    outdated = true;
    if (current === "") reloadOnce();
  },
  server: (there) => {
    if (!there && current === "") away = notify(say("room.server_away"), { lasts: true });
    else if (there) away();
    session?.serverThere(there);
  },
}, { always: true });
