/** While the expert is available, what "Take next" would need is made ready: a line to the room that waits longest. */

import { Prepared } from "../prepared.js";

/** The queue moves in steps; it is asked about once they have settled. */
const SETTLE_MS = 400;
const MOST_MS = 10_000;

export class Readiness {
  /**
   * @param {import("../api.js").Api} server
   * @param {import("../devices.js").Devices} devices
   */
  constructor(server, devices) {
    this.server = server;
    this.devices = devices;
    this.prepared = new Prepared({
      tell: async (answer) => {
        const told = /** @type {{ awaited: boolean } | null} */ (await server.post("/queue/next/answer", answer, { tries: 0 }));
        return told?.awaited === true;
      },
      lost: () => this.look(),
    });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** The queue or the availability changed. */
  look() {
    this._wait(SETTLE_MS);
  }

  /** @param {number} pause milliseconds */
  _wait(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this._prepare(pause), pause);
  }

  devicesChanged() {
    this.prepared.use(this.devices.sent);
  }

  /** @param {number} pause how long was waited for this */
  async _prepare(pause) {
    if (!this.devices.wanted.camera || !document.querySelector("[data-waiting]")) return this.prepared.drop();
    try {
      const upcoming = /** @type {import("../prepared.js").Upcoming} */ (await this.server.get("/queue/next"));
      if (document.body.dataset["view"] !== "idle") return undefined;
      await this.prepared.read(upcoming, this.devices.sent);
      // a session was opened just now, and its room is still making its offer
      if (upcoming.call && !this.prepared.connection) this._wait(Math.min(2 * pause, MOST_MS));
    } catch {
      // nothing is lost: taking goes without it, a moment slower
      this.prepared.drop();
    }
    return undefined;
  }
}
