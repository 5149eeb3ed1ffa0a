/** Whether nothing has come from somebody for so long that it is no hiccup: what it means is said then. */

const GONE_AFTER_MS = 10_000;

export class Silence {
  /** @param {() => void} lasts it has become long */
  constructor(lasts) {
    this.lasts = lasts;
    this.isLong = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {string} state of the line to them */
  line(state) {
    this.end();
    this.isLong = false;
    if (state !== "stalled") return;
    this.timer = setTimeout(() => {
      this.isLong = true;
      this.lasts();
    }, GONE_AFTER_MS);
  }

  end() {
    clearTimeout(this.timer);
  }
}
