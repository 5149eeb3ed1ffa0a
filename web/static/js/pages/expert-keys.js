/** Every deed has a key. A key presses the button that stands on the page, so both always do the same. */

import { element } from "./page.js";

const ALWAYS = /** @type {const} */ ({ a: "available" });
const IDLE = /** @type {const} */ ({ n: "take-next" });
const SESSION = /** @type {const} */ ({
  c: "capture", w: "view", p: "point", u: "mark-undo", x: "mark-clear", s: "swap", r: "turn", m: "mute", v: "camera-off", h: "hold", t: "transfer", e: "close", i: "compare",
  "+": "zoom-in", "-": "zoom-out", "0": "zoom",
});

/** @param {() => boolean} inSession */
export function listen(inSession) {
  const keys = element("keys-dialog", HTMLDialogElement);
  for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", () => keys.showModal());
  for (const button of document.querySelectorAll("[data-dismiss]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || writing(event.target)) return;
    if (event.key === "?") return keys.open ? keys.close() : keys.showModal();
    if (document.querySelector("dialog[open]")) return;
    /** @type {Record<string, string>} */
    const deeds = inSession() ? SESSION : { ...ALWAYS, ...IDLE };
    const id = deeds[event.key.toLowerCase()];
    if (id === undefined) return;
    event.preventDefault();
    document.getElementById(id)?.click();
  });
}

/** @param {EventTarget | null} target */
function writing(target) {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}
