/** Six digits on both people's screens, to be read aloud and compared. The expert asks for them; the customer's screen follows. */

import { element, say } from "./page.js";

/** @typedef {import("../messages.js").SeatName} SeatName */

export class Comparing {
  /**
   * @param {import("../identity.js").Identities} identities
   * @param {SeatName} other with whom
   */
  constructor(identities, other) {
    this.identities = identities;
    this.other = other;
    this.dialog = element("identity-dialog", HTMLDialogElement);
    this.digits = element("identity-digits", HTMLElement);
    this.dialog.onclose = () => identities.show(this.other, false);
  }

  /** Shows the digits here, and has the other side show theirs. */
  ask() {
    this.identities.show(this.other, true);
    return this.open();
  }

  async open() {
    this.digits.textContent = say("identity.opening");
    if (!this.dialog.open) this.dialog.showModal();
    const code = await this.identities.code(this.other);
    this.digits.textContent = code ? `${code.slice(0, 3)} ${code.slice(3)}` : say("identity.not_yet");
  }

  /** What was read aloud is not what stands here. */
  differ() {
    this.identities.stop(this.other, { note: true });
    this.close();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }
}
