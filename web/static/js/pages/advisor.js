/**
 * The advisor's point: rooms and open sessions stay fresh. The open form is a plain form and is left alone, but for the rooms
 * in it: how they are told is how they are.
 */

import { follow, replaceFragment } from "./page.js";
import { checkRooms } from "./room-checks.js";

function tellRooms() {
  for (const room of document.querySelectorAll("[data-choice]")) {
    const { room: id = "", choice = "" } = room instanceof HTMLElement ? room.dataset : {};
    const option = document.querySelector(`#room option[value="${CSS.escape(id)}"]`);
    if (option && option.textContent !== choice) option.textContent = choice;
  }
}

follow({
  fragment: (target, html) => {
    replaceFragment(target, html);
    if (target === "rooms") tellRooms();
  },
});
checkRooms();
