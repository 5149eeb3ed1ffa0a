/** A limited time that a person is told of: in minutes, in its last minute as a warning in tens of seconds; and its end. */

/** @typedef {{ unit: "minutes" | "seconds", number: number }} Left `seconds` is the warning */
/**
 * @typedef {object} CountdownOptions
 * @property {number} milliseconds how long, at most
 * @property {(left: Left) => void} tell about every second
 * @property {() => void} over once
 * @property {(() => number)[]} [clocks] milliseconds each
 */

/** From here on the end is told as a warning. */
const WARNING_MS = 60_000;
const STEP_MS = 10_000;
/** One clock may be set back, the other may stand still while the machine sleeps: the time is up when either says so. */
const CLOCKS = [() => Date.now(), () => performance.now()];

export class Countdown {
  /** @param {CountdownOptions} options */
  constructor(options) {
    this.options = options;
    this.clocks = (options.clocks ?? CLOCKS).map((clock) => ({ clock, began: clock() }));
    this.timer = setInterval(() => this.look(), 1000);
    this.look();
  }

  /** Told anew at once: a page in the background is seldom given time. */
  look() {
    if (this.timer === undefined) return;
    const left = this.options.milliseconds - Math.max(...this.clocks.map(({ clock, began }) => clock() - began));
    if (left <= 0) {
      this.stop();
      this.options.over();
    } else if (left > WARNING_MS) {
      this.options.tell({ unit: "minutes", number: Math.ceil(left / 60_000) });
    } else {
      this.options.tell({ unit: "seconds", number: Math.ceil(left / STEP_MS) * (STEP_MS / 1000) });
    }
  }

  stop() {
    clearInterval(this.timer);
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }
}
