/**
 * The supervisor's board and a session's timeline stay fresh by themselves. An alarm that was closed stays closed in this
 * browser as long as it lasts; should the same trouble come again, it is told again.
 */

import { follow, replaceFragment } from "./page.js";
import { checkRooms } from "./room-checks.js";

const CLOSED = "etapalvelu.closed-alarms";

/** @returns {Set<string>} */
function closed() {
  try {
    return new Set(JSON.parse(localStorage.getItem(CLOSED) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {Set<string>} keys */
function keep(keys) {
  localStorage.setItem(CLOSED, JSON.stringify([...keys]));
}

/** @returns {HTMLElement[]} */
function alarms() {
  return [...document.querySelectorAll("[data-alarm]")].filter((one) => one instanceof HTMLElement);
}

/** @param {HTMLElement} alarm */
function keyOf(alarm) {
  return alarm.dataset["alarm"] ?? "";
}

function draw() {
  // a session's own page has none, and tells nothing of which are over
  if (!document.getElementById("alarms")) return;
  const now = alarms();
  const still = new Set(now.map(keyOf).filter((key) => closed().has(key)));
  keep(still);
  for (const alarm of now) {
    alarm.hidden = still.has(keyOf(alarm));
    alarm.querySelector("[data-close-alarm]")?.removeAttribute("hidden");
  }
  const words = document.querySelector(".alarms-closed");
  if (!(words instanceof HTMLElement)) return;
  words.hidden = still.size === 0;
  const said = words.querySelector("span");
  const text = document.querySelector(".alarms")?.getAttribute("data-closed-words") ?? "";
  if (said) said.textContent = text.replace("{count}", String(still.size));
}

document.getElementById("alarms")?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const alarm = button?.closest("[data-alarm]");
  if (button?.hasAttribute("data-show-alarms")) keep(new Set());
  else if (button?.hasAttribute("data-close-alarm") && alarm instanceof HTMLElement) keep(closed().add(keyOf(alarm)));
  else return;
  draw();
  document.getElementById("main")?.focus({ preventScroll: true });
});

follow({
  fragment: (target, html) => {
    replaceFragment(target, html);
    if (target === "alarms") draw();
  },
});
checkRooms();
draw();
