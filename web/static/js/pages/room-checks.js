/** "Check the room" on the desks: asked without loading the page, so that a half-filled form stays. */

import { api, refused } from "./page.js";

export function checkRooms() {
  const server = api();
  document.getElementById("check-form")?.addEventListener("submit", (event) => {
    const { submitter } = event;
    if (!(submitter instanceof HTMLButtonElement)) return;
    event.preventDefault();
    submitter.setAttribute("aria-busy", "true");
    server.post(`/rooms/${encodeURIComponent(submitter.value)}/check`).catch(refused).finally(() => submitter.removeAttribute("aria-busy"));
  });
}
