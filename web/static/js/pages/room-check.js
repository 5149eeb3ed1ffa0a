/** The room's screen looks at its camera, microphone and speaker when the server asks, and tells what it found. */

import { Abandoned, cameraFinding, codecFinding, soundFindings } from "./check-media.js";
import { ownVersion } from "./page.js";

/**
 * @typedef {object} RoomCheckOptions
 * @property {import("../api.js").Api} server
 * @property {string} leaveAlone part of the label of the document camera
 * @property {(on: boolean) => void} told a check begins or is over
 */

export class RoomCheck {
  /** @param {RoomCheckOptions} options */
  constructor(options) {
    this.options = options;
    /** The newest asking: the server says it again until it is answered. */
    this.run = "";
    /** @type {AbortController | null} */
    this.looking = null;
  }

  /** @param {string} run names the asking */
  async begin(run) {
    if (run === this.run) return;
    this.stop();
    this.run = run;
    const looking = new AbortController();
    this.looking = looking;
    this.options.told(true);
    try {
      const camera = await cameraFinding(looking.signal, this.options.leaveAlone);
      const checks = [camera, ...await soundFindings(looking.signal), codecFinding()];
      if (!looking.signal.aborted) await this.options.server.post("/devices/check", { version: ownVersion(), checks });
    } catch (error) {
      // a customer came; or it could not be told, and is asked for again
      if (!(error instanceof Abandoned)) this.run = "";
    } finally {
      if (this.looking === looking) {
        this.looking = null;
        this.options.told(false);
      }
    }
  }

  /** A customer comes: everything is let go at once. */
  stop() {
    if (!this.looking) return;
    this.looking.abort();
    this.looking = null;
    this.options.told(false);
  }
}
