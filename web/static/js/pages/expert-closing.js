/** How a session leaves this page: closed with its outcome, handed over, or given back to the queue. */

import { unreachable } from "../late.js";
import { element, notify, refused, say, serverNow } from "./page.js";

const closeDialog = element("close-dialog", HTMLDialogElement);
const closeForm = element("close-form", HTMLFormElement);
const transferDialog = element("transfer-dialog", HTMLDialogElement);
const transferForm = element("transfer-form", HTMLFormElement);
const transferTo = element("transfer-to", HTMLSelectElement);
const giveBack = element("give-back", HTMLDetailsElement);
const outcome = element("outcome", HTMLSelectElement);
const cause = element("cause", HTMLSelectElement);

/** The person waits for it: after this the server is taken to be away, and the close is kept until it is back. */
const CLOSE_LIMIT_MS = 4000;

/**
 * @typedef {object} Ending
 * @property {string} id
 * @property {boolean} away whether the server is known to be away
 * @property {(how: "saved" | "wrapup") => void} end
 * @property {(deed: { deed: string, body: object, key: string, at: string }) => void} endLate
 */

export class Closing {
  /**
   * @param {Ending} session
   * @param {import("../api.js").Api} server
   * @param {AbortSignal} signal
   */
  constructor(session, server, signal) {
    this.session = session;
    this.server = server;
    this.busy = false;
    const on = { signal };
    element("close", HTMLElement).addEventListener("click", () => this._ask(), on);
    closeForm.addEventListener("submit", (event) => void this._close(event), on);
    element("transfer", HTMLElement).addEventListener("click", () => this._askWhereTo(), on);
    transferForm.addEventListener("submit", (event) => void this._transfer(event), on);
    element("release", HTMLElement).addEventListener("click", () => void this._release(), on);
  }

  /** Here as in the transfer, nothing stays chosen from the time before: that was another customer's. */
  _ask() {
    closeForm.reset();
    showCauseClass();
    this._missing(false);
    closeDialog.showModal();
    outcome.focus();
  }

  /** @param {SubmitEvent} event */
  async _close(event) {
    event.preventDefault();
    const outcomes = [...outcome.selectedOptions].map((option) => option.value);
    this._missing(outcomes.length === 0);
    if (outcomes.length === 0) return outcome.focus();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget ?? event.target));
    const technical = cause.value === "technical";
    await this._end({
      cause: cause.value,
      ...(technical ? { cause_class: String(form.get("cause_class")) } : {}),
      outcomes,
      ...(form.get("follow_up") === "none" ? {} : { follow_up: String(form.get("follow_up")) }),
    });
  }

  /** Closed now, or as soon as the server is back: the person need not wait for it. @param {object} body */
  async _end(body) {
    if (this.busy) return;
    this.busy = true;
    const deed = { deed: "close", body, key: crypto.randomUUID(), at: new Date(serverNow()).toISOString() };
    try {
      if (this.session.away) return this.session.endLate(deed);
      await this.server.post(`/sessions/${this.session.id}/close`, body, { key: deed.key, tries: 1, limit: CLOSE_LIMIT_MS });
      this.session.end("wrapup");
    } catch (error) {
      closeDialog.close();
      if (unreachable(error)) this.session.endLate(deed);
      else refused(error);
    } finally {
      this.busy = false;
    }
  }

  _askWhereTo() {
    transferForm.reset();
    giveBack.open = false;
    transferDialog.showModal();
  }

  /** @param {SubmitEvent} event */
  async _transfer(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget ?? event.target));
    const to = transferTo.selectedOptions[0];
    const body = { [to?.dataset["to"] ?? "theme"]: to?.value ?? "", code: String(form.get("code")) };
    await this._deed("transfer", body, () => {
      transferDialog.close();
      element("transfer", HTMLElement).setAttribute("aria-pressed", "true");
      notify(say("expert.transfer_sent"), { kind: "good" });
    });
  }

  async _release() {
    await this._deed("release", { reason: "cannot_serve" }, () => this.session.end("saved"));
  }

  /**
   * @param {string} deed
   * @param {object} body
   * @param {() => void} done
   */
  async _deed(deed, body, done) {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.server.post(`/sessions/${this.session.id}/${deed}`, body);
      done();
    } catch (error) {
      refused(error);
      closeDialog.close();
      transferDialog.close();
    } finally {
      this.busy = false;
    }
  }

  /** @param {boolean} missing */
  _missing(missing) {
    element("outcome-error", HTMLElement).hidden = !missing;
    outcome.setAttribute("aria-invalid", String(missing));
    outcome.setAttribute("aria-describedby", missing ? "outcome-hint outcome-error" : "outcome-hint");
  }
}

// one press chooses, another gives back: nobody should have to know about the Ctrl key
outcome.addEventListener("mousedown", (event) => {
  if (!(event.target instanceof HTMLOptionElement)) return;
  event.preventDefault();
  event.target.selected = !event.target.selected;
  outcome.focus();
});
cause.addEventListener("change", showCauseClass);

function showCauseClass() {
  element("cause-class-field", HTMLElement).hidden = cause.value !== "technical";
}
