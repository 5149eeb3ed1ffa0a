/** The log filters as one types or clicks. Without script the same form is sent by its button. */

import { element } from "./page.js";

/** Typing is waited out; a choice is answered at once. */
const TYPING_MS = 300;

const form = element("filters", HTMLFormElement);
const details = element("columns-choice", HTMLDetailsElement);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | null} */
let asking = null;

/** The form's address; fields that say nothing are left out. */
function address() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (String(value).trim()) query.append(name, String(value));
  return `${form.action}?${query}`;
}

async function ask() {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const wanted = address();
  try {
    const answer = await fetch(wanted, { credentials: "same-origin", signal: asking.signal });
    if (answer.redirected) return location.reload();
    if (!answer.ok && answer.status !== 422) return form.submit();
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    // the choice of columns is kept by the server, and does not lengthen every address
    const shown = new URL(wanted);
    shown.searchParams.delete("column");
    history.replaceState(null, "", shown);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) form.submit();
  }
  return undefined;
}

/** @param {Document} fresh */
function show(fresh) {
  for (const id of ["log", "export"]) {
    const from = fresh.getElementById(id);
    if (from) element(id, HTMLElement).innerHTML = from.innerHTML;
  }
  for (const field of form.querySelectorAll(".field")) wrong(field, fresh);
  element("clear", HTMLElement).hidden = fresh.getElementById("clear")?.hidden ?? true;
  const told = element("found", HTMLElement);
  const count = document.querySelectorAll("#rows tbody tr").length;
  const words = document.getElementById("older") ? told.dataset["more"] : told.dataset["words"];
  told.textContent = (words ?? "").replace("{count}", String(count));
}

/**
 * Words beside the field, or none any more; what stands in it stays as it was typed.
 * @param {Element} field
 * @param {Document} fresh
 */
function wrong(field, fresh) {
  const input = field.querySelector("input, select");
  if (!input) return;
  const error = fresh.getElementById(`${input.id}-error`);
  field.querySelector(".error")?.remove();
  if (error) input.before(document.importNode(error, true));
  input.toggleAttribute("aria-invalid", error !== null);
  if (error) input.setAttribute("aria-describedby", error.id);
  else input.removeAttribute("aria-describedby");
}

form.addEventListener("input", (event) => {
  clearTimeout(timer);
  const typing = event.target instanceof HTMLInputElement && event.target.type === "search";
  timer = setTimeout(() => void ask(), typing ? TYPING_MS : 0);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
document.addEventListener("click", (event) => {
  if (event.target instanceof Node && !details.contains(event.target)) details.open = false;
});
details.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  details.open = false;
  details.querySelector("summary")?.focus();
});
element("show", HTMLElement).hidden = true;
