/**
 * Credentials for the relay are short-lived: new ones are taken into use twice within their time, so that those of the side
 * that waits for the other's new path are still good at the next one.
 */

const RENEW_SHARE = 0.4;
/** After a failure it is tried again so much later, of the whole time. */
const AGAIN_SHARE = 0.05;
/** setTimeout counts no further. */
const LONGEST_MS = 2 ** 31 - 1;

export class Renewal {
  /** @param {() => Promise<number | null>} renew takes new credentials into use, and tells how many seconds they are good */
  constructor(renew) {
    this.renew = renew;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Credentials have just come. @param {number | null | undefined} seconds how long they are good; nothing where there are none */
  good(seconds) {
    this.stop();
    if (seconds) this._after(seconds * RENEW_SHARE, seconds);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /**
   * @param {number} pause
   * @param {number} seconds
   */
  _after(pause, seconds) {
    this.timer = setTimeout(() => void this._renew(seconds), Math.min(pause * 1000, LONGEST_MS));
  }

  /** @param {number} seconds */
  async _renew(seconds) {
    const { timer } = this;
    let good;
    try {
      good = await this.renew();
    } catch {
      // the service is away; what is connected lives on meanwhile
      if (timer === this.timer) this._after(seconds * AGAIN_SHARE, seconds);
      return;
    }
    if (timer === this.timer) this.good(good);
  }
}
