/** What every page has: its words, its stream, its notices, its running clocks. Entry modules build on this. */

import { Api, Refusal } from "../api.js";
import { Live } from "../live.js";
import { woken } from "./waking.js";

let texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const loadedAt = Date.now();

const RELOADED = "etapalvelu.reloaded";
const RELOADS_APART_MS = 60_000;
/** The server may be away this long before the page says that it does not know how things are. */
const AWAY_AFTER_MS = 2000;
/** How long notices stay: each gives way to its like and to those after it. */
const RANKS = ["false", "true", "until_read"];

/**
 * @param {string} key a key under `js.`, without it
 * @param {Record<string, string | number>} [facts]
 * @returns {string}
 */
export function say(key, facts = {}) {
  const words = String(texts[`js.${key}`] ?? key);
  return Object.entries(facts).reduce((said, [name, fact]) => said.replaceAll(`{${name}}`, String(fact)), words);
}

/**
 * Another language without loading the page: words stand in elements with `data-words`, in the same order in both.
 * @param {Document} other this page as the server renders it in the other language
 */
export function reword(other) {
  texts = JSON.parse(other.getElementById("texts")?.textContent ?? "{}");
  document.documentElement.lang = other.documentElement.lang;
  const theirs = other.querySelectorAll("[data-words]");
  document.querySelectorAll("[data-words]").forEach((place, index) => {
    const from = theirs[index];
    if (!from) return;
    place.innerHTML = from.innerHTML;
    const label = from.getAttribute("aria-label");
    if (label !== null) place.setAttribute("aria-label", label);
  });
}

/** @param {string} key */
export function says(key) {
  return Object.hasOwn(texts, `js.${key}`);
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** @returns {Api} */
export function api() {
  const csrf = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  return new Api({ csrf, language: () => document.documentElement.lang });
}

/** @returns {string} the websocket's address on this server */
export function callAddress() {
  return location.origin.replace(/^http/, "ws") + "/call";
}

/**
 * Tells the person something in the page's status area, the newest only; what passes by itself stands below what lasts, and
 * what is to be read gives way only to what is to be read. Returns what takes just this notice back.
 * @param {string} words none to clear the area
 * @param {{ kind?: "" | "good" | "warn" | "bad", lasts?: boolean | "until_read", deed?: [string, () => void] }} [how] lasts:
 * stays until the next one that does, or until the person closes it; deed: what a button beside it says and does
 */
export function notify(words, { kind = "", lasts = false, deed } = {}) {
  const area = element("notices", HTMLElement);
  const rank = String(lasts);
  const above = words ? RANKS.slice(RANKS.indexOf(rank) + 1) : [];
  for (const old of area.querySelectorAll(".notice")) {
    if (old instanceof HTMLElement && !above.includes(old.dataset["lasts"] ?? "")) old.remove();
  }
  if (!words) return () => undefined;
  const notice = document.createElement("div");
  notice.dataset["lasts"] = rank;
  notice.className = kind ? `notice notice-${kind}` : "notice";
  const text = document.createElement("p");
  text.textContent = words;
  notice.append(text);
  if (deed) notice.append(button(...deed));
  if (lasts === "until_read") notice.append(button(say("frame.close"), () => notice.remove()));
  area.append(notice);
  if (!lasts) setTimeout(() => notice.remove(), 8000);
  return () => notice.remove();
}

/**
 * @param {string} words
 * @param {() => void} deed
 */
function button(words, deed) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button";
  made.textContent = words;
  made.onclick = deed;
  return made;
}

/** The server has another version of this page. It is never loaded anew under somebody's hands. */
function tellOutdated() {
  notify(say("frame.outdated"), { kind: "warn", lasts: "until_read", deed: [say("frame.reload"), () => location.reload()] });
}

/** Loads the page anew, unless that was done just now and did not help. Tells whether it does. */
export function reloadOnce() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Math.abs(Date.now() - last) < RELOADS_APART_MS) return false;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
  return true;
}

/** The version in the address of this very file: of all the page's files. Empty where it has none. */
export function ownVersion() {
  return /^\/static\/([^/]+)\//.exec(new URL(import.meta.url).pathname)?.[1] ?? "";
}

/**
 * A refusal in the person's words: the server's own, or ours when it could not be reached.
 * @param {unknown} error
 */
export function refused(error) {
  if (!(error instanceof Refusal)) throw error;
  const own = says(`refusal.${error.code}`) ? say(`refusal.${error.code}`) : "";
  notify(error.words || own || say("refusal.failed"), { kind: "warn" });
}

/**
 * Keeps the page fresh. Returns the stream, already open.
 * @param {string} page
 * @param {Partial<import("../live.js").LiveEvents>} [events]
 * @param {{ id?: string, always?: boolean }} [how]
 */
export function stayFresh(page, events = {}, how = {}) {
  const version = ownVersion();
  const live = new Live({
    page,
    ...how,
    ...(version ? { version } : {}),
    events: {
      state: (state) => void (document.body.dataset["state"] = state),
      fragment: replaceFragment,
      reload: () => location.reload(),
      outdated: tellOutdated,
      ...events,
    },
  });
  document.addEventListener("visibilitychange", () => live.shown(document.hidden));
  if (how.always || !document.hidden) live.open();
  woken(() => live.refresh());
  runClocks();
  return live;
}

/**
 * What says that the server is away, and takes it back.
 * @returns {(there: boolean) => void}
 */
export function tellAway() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let away;
  let takeBack = () => {};
  return (there) => {
    if (!there) {
      away ??= setTimeout(() => {
        takeBack = notify(say("frame.server_away"), { kind: "warn", lasts: true });
      }, AWAY_AFTER_MS);
    } else if (away !== undefined) {
      clearTimeout(away);
      away = undefined;
      // what is to be read stays: that a deed kept meanwhile was sent, say
      takeBack();
    }
  };
}

/**
 * Keeps a page fresh that needs nothing more: its stream stands in `data-live` of the body.
 * @param {Partial<import("../live.js").LiveEvents>} [events]
 */
export function follow(events = {}) {
  const query = new URL(document.body.dataset["live"] ?? "", location.href).searchParams;
  const id = query.get("id");
  return stayFresh(query.get("page") ?? "", { server: tellAway(), ...events }, id === null ? {} : { id });
}

/**
 * Replaces what stands in the target; who was on something there stays on its successor.
 * @param {string} target
 * @param {string} html
 */
export function replaceFragment(target, html) {
  const place = document.getElementById(target);
  if (!place) return;
  const active = document.activeElement;
  const trail = active instanceof HTMLElement && place.contains(active) ? mark(active, place) : null;
  const open = [...place.querySelectorAll("details[open][id]")].map((details) => details.id);
  place.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (trail) successor(place, trail)?.focus({ preventScroll: true });
  tellClocks();
}

/** @typedef {{ id: string, href: string | null, take: string | undefined, name: string | null, index: number }} Mark */

const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex]";

/**
 * @param {HTMLElement} active
 * @param {HTMLElement} place
 * @returns {Mark}
 */
function mark(active, place) {
  return {
    id: active.id,
    href: active.getAttribute("href"),
    take: active.dataset["take"],
    name: active.getAttribute("name"),
    index: [...place.querySelectorAll(FOCUSABLE)].indexOf(active),
  };
}

/**
 * @param {HTMLElement} place
 * @param {Mark} trail
 * @returns {HTMLElement | undefined}
 */
function successor(place, trail) {
  const all = /** @type {HTMLElement[]} */ ([...place.querySelectorAll(FOCUSABLE)]);
  return all.find((one) => trail.id !== "" && one.id === trail.id)
    ?? all.find((one) => trail.take !== undefined && one.dataset["take"] === trail.take)
    ?? all.find((one) => trail.href !== null && one.getAttribute("href") === trail.href)
    ?? all.find((one) => trail.name !== null && one.getAttribute("name") === trail.name)
    ?? all[Math.min(trail.index, all.length - 1)];
}

/** Elements with `data-since` show how long ago that was; `data-form=clock` as a running 0:00. */
function runClocks() {
  tellClocks();
  setInterval(tellClocks, 1000);
}

function tellClocks() {
  for (const place of document.querySelectorAll("[data-since]")) {
    if (!(place instanceof HTMLElement)) continue;
    const seconds = Math.max(0, Math.floor((serverNow() - Date.parse(place.dataset["since"] ?? "")) / 1000));
    const words = place.dataset["form"] === "clock" ? clock(seconds) : ago(seconds);
    if (words !== place.textContent) place.textContent = words;
  }
}

/** The server's clock, in milliseconds, whatever this machine's own is set to. */
export function serverNow() {
  const said = Date.parse(document.body.dataset["now"] ?? "");
  return Number.isNaN(said) ? Date.now() : Date.now() + said - loadedAt;
}

/** @param {number} seconds */
function clock(seconds) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** @param {number} seconds */
function ago(seconds) {
  return seconds < 60 ? say("ago.now") : say("ago.minutes", { minutes: Math.floor(seconds / 60) });
}
