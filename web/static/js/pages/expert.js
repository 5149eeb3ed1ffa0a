/**
 * The expert's page: available or not, taking, and which of the three views stands. The session itself is
 * expert-session.js. Taking loads no page: the answer of the deed carries the ticket.
 */

import { Devices } from "../devices.js";
import { Late } from "../late.js";
import { SUBPROTOCOL } from "../messages.js";
import { arrivals } from "./expert-queue.js";
import { Readiness } from "./expert-readiness.js";
import { expertCheck } from "./expert-check.js";
import { ExpertSession } from "./expert-session.js";
import { listen } from "./expert-keys.js";
import { cover, moveSelf, ownMicrophone, remark, selfWords, showSelf } from "./media.js";
import { api, callAddress, element, notify, refused, replaceFragment, say, stayFresh, tellAway } from "./page.js";
import { woken } from "./waking.js";

/** @typedef {import("../seat.js").Ticket & { id: string, state: string, expert_seat?: "expert" | "expert2" }} Taken */

const DRAW_AFTER_MS = 300;

const server = api();
const available = element("available", HTMLButtonElement);
const takeNext = element("take-next", HTMLButtonElement);
const devices = new Devices({ memory: localStorage, changed: () => devicesChanged() });
const queue = arrivals();
const readiness = new Readiness(server, devices);
/** @type {ExpertSession | null} */
let session = null;
let taking = false;
/** The session that ended here, or went on in another tab: a late word of the server does not take it again. */
let over = "";
const away = tellAway();
const late = new Late({
  memory: localStorage,
  account: document.body.dataset["account"] ?? "",
  send: ({ session: id, deed, body, key, at }) => server.post(`/sessions/${id}/${deed}`, body, { key, at, tries: 0 }),
  sent: ({ at }) => notify(say("late.sent", { at: clock(at) }), { kind: "good", lasts: "until_read" }),
  refused: ({ at }, { words }) => {
    notify(say("late.refused", { at: clock(at), why: words }), { kind: "bad", lasts: "until_read" });
    // it may be open still, and ours: then it is taken up again
    over = "";
    live.refresh();
  },
});

/** @param {string} at @returns {string} the hour and minute, as people write them */
function clock(at) {
  return new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
}

/** @param {"idle" | "session" | "wrapup"} view */
function look(view) {
  document.body.dataset["view"] = view;
  moveSelf(element(view === "session" ? "session-self" : "idle-self", HTMLElement));
  if (view === "idle") queue.watch(true);
}

/** @param {string} state */
function state(state) {
  document.body.dataset["state"] = state;
}

function devicesChanged() {
  showSelf(devices);
  const words = selfWords(devices);
  const idle = available.ariaPressed === "true" ? words : say("expert.camera_closed");
  cover(element("self-words", HTMLElement), idle);
  cover(element("session-self-words", HTMLElement), words);
  for (const id of ["self-remark", "session-self-remark"]) remark(element(id, HTMLElement), ownMicrophone(devices));
  session?.devicesChanged();
  readiness.devicesChanged();
  void listDevices();
}

async function listDevices() {
  for (const kind of /** @type {const} */ (["camera", "microphone"])) {
    const select = element(`pick-${kind}`, HTMLSelectElement);
    const found = devices.wanted.camera || devices.wanted.microphone ? await devices.list(kind) : [];
    const current = devices.tracks[kind]?.getSettings().deviceId;
    select.disabled = found.length === 0;
    select.replaceChildren(...found.map((one) => new Option(one.label, one.deviceId, false, one.deviceId === current)));
  }
}

/** @param {boolean} on */
async function beAvailable(on) {
  available.ariaPressed = String(on);
  queue.watch(on);
  if (on) await devices.open();
  else devices.close();
  readiness.look();
}

/**
 * @param {() => Promise<Taken | null>} deed
 */
async function take(deed) {
  if (taking || session) return;
  taking = true;
  takeNext.setAttribute("aria-busy", "true");
  const early = beginSocket();
  try {
    const answer = deed();
    // the camera is open while available; when it is not, it opens beside the deed
    if (available.ariaPressed !== "true") void beAvailable(true);
    const taken = await answer;
    if (taken === null) notify(say("expert.none_waiting"));
    else return begin(taken, early);
    drop(early);
  } catch (error) {
    drop(early);
    refused(error);
  } finally {
    taking = false;
    takeNext.removeAttribute("aria-busy");
  }
}

/** @param {string} id */
function takeOne(id) {
  return take(async () => {
    const claimed = await server.post(`/sessions/${id}/claim`);
    return ticketOf(id, /** @type {{ state: string }} */ (claimed).state);
  });
}

/**
 * The seat is the successor's when the session is handed over; the server knows which, and refuses the other.
 * @param {string} id
 * @param {string} stands
 * @returns {Promise<Taken>}
 */
async function ticketOf(id, stands) {
  for (const seat of /** @type {const} */ (["expert", "expert2"])) {
    try {
      const ticket = await server.post(`/sessions/${id}/ticket`, { seat });
      return { .../** @type {import("../seat.js").Ticket} */ (ticket), id, state: stands, expert_seat: seat };
    } catch (error) {
      if (seat === "expert2" || !(error instanceof Error) || !("status" in error) || error.status !== 403) throw error;
    }
  }
  throw new Error("no seat");
}

/** The socket opens beside the deed, so that the ticket finds it ready. The server waits two seconds for its first word. */
function beginSocket() {
  return new WebSocket(callAddress(), SUBPROTOCOL);
}

/** @param {WebSocket} early closed once it is open: closing it sooner would be a warning in the console */
function drop(early) {
  if (early.readyState === WebSocket.CONNECTING) early.onopen = () => early.close();
  else early.close();
}

/**
 * @param {Taken} taken
 * @param {WebSocket} early
 */
function begin(taken, early) {
  // first of all: the room has begun already
  readiness.prepared.begin(taken.call);
  notify("");
  session = new ExpertSession({
    taken, early, prepared: readiness.prepared, server, devices, address: callAddress(),
    state,
    late: (kept) => {
      late.keep(kept);
      notify(say("late.kept", { at: clock(kept.at) }), { kind: "warn", lasts: "until_read" });
    },
    look: () => look("session"),
    ended: (how) => {
      over = taken.id;
      state("");
      if (how === "wrapup") return look("wrapup");
      session = null;
      look("idle");
      takeNext.focus();
      return undefined;
    },
  });
  session.open();
  state(taken.state);
  queue.watch(false);
  // drawn with the first frame, or soon when none comes: before that the setting up needs this thread
  const begun = session;
  setTimeout(() => begun.draw(), DRAW_AFTER_MS);
}

available.addEventListener("click", () => void beAvailable(available.ariaPressed !== "true"));
takeNext.addEventListener("click", () => void take(() => server.post("/sessions/take")));
element("queue", HTMLElement).addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-take]") : null;
  if (button instanceof HTMLElement && button.dataset["take"]) void takeOne(button.dataset["take"]);
});
for (const kind of /** @type {const} */ (["camera", "microphone"])) {
  const select = element(`pick-${kind}`, HTMLSelectElement);
  select.addEventListener("change", () => void devices.pick(kind, select.value));
}
listen(() => session !== null);
expertCheck(server);
woken(() => session?.help());
addEventListener("pagehide", () => session?.leavePage());
// closed here while the server was away, and shown by it as open: it is not taken up again
if (late.waits(document.body.dataset["session"] ?? "")) {
  look("idle");
  state("");
}

const live = stayFresh("expert", {
  state: (now, id) => {
    if (session) session.serverSays(now, id);
    else if (id && id !== over && !taking && !late.waits(id)) void take(() => ticketOf(id, now));
    else state(id && (id === over || late.waits(id)) ? "" : now);
  },
  fragment: (target, html) => {
    replaceFragment(target, html);
    if (target === "queue") {
      queue.compare();
      if (!session && !taking) readiness.look();
    }
    if (target === "session-facts") session?.factsChanged();
  },
  server: (there) => {
    session?.serverThere(there);
    if (there || !session) away(there);
    if (there) void late.send();
  },
}, { always: true });
void late.send();
