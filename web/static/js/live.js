/**
 * The page's stream of fresh state: `state`, `fragment`, `reload`, `session`, `none`, `bye`. The server says the current
 * state first on every connect, so a stream may be closed and opened at any time; a hidden page closes its own.
 */

/**
 * @typedef {object} LiveEvents
 * @property {(state: string, session: string) => void} [state]
 * @property {(target: string, html: string) => void} [fragment]
 * @property {(session: string | null) => void} [session]
 * @property {() => void} [reload]
 * @property {(run: string) => void} [check] the room is to look at itself; said again until it has answered
 * @property {(there: boolean) => void} [server] the stream came or went
 */
/**
 * @typedef {object} LiveOptions
 * @property {string} page
 * @property {string} [id]
 * @property {boolean} [always] kept open when the page is hidden: room and expert must hear at any time
 * @property {LiveEvents} events
 * @property {(url: string) => EventSource} [connect]
 */

const AGAIN_MS = [500, 1000, 2000, 5000];

export class Live {
  /** @param {LiveOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {EventSource | null} */
    this.source = null;
    this.tries = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  open() {
    if (this.source) return;
    clearTimeout(this.timer);
    const { page, id, events } = this.options;
    const query = new URLSearchParams({ page, ...(id ? { id } : {}) });
    const source = (this.options.connect ?? ((url) => new EventSource(url)))(`/live?${query}`);
    this.source = source;
    source.onopen = () => {
      this.tries = 0;
      events.server?.(true);
    };
    source.onerror = () => this._lost(source);
    this._on(source, "state", (data) => events.state?.(String(data["state"] ?? ""), String(data["session"] ?? "")));
    this._on(source, "fragment", (data) => events.fragment?.(String(data["target"]), String(data["html"])));
    this._on(source, "session", (data) => events.session?.(String(data["id"])));
    this._on(source, "none", () => events.session?.(null));
    this._on(source, "reload", () => events.reload?.());
    this._on(source, "check", (data) => events.check?.(String(data["run"] ?? "")));
    this._on(source, "bye", () => this._lost(source));
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** @param {boolean} hidden */
  shown(hidden) {
    if (this.options.always) return;
    if (hidden) this.close();
    else this.open();
  }

  /**
   * @param {EventSource} source
   * @param {string} name
   * @param {(data: Record<string, unknown>) => void} tell
   */
  _on(source, name, tell) {
    source.addEventListener(name, (event) => {
      if (source === this.source) tell(JSON.parse(String(event.data || "{}")));
    });
  }

  /**
   * A browser gives up for good after some failures: the pause is ours.
   * @param {EventSource} source
   */
  _lost(source) {
    if (source !== this.source) return;
    this.close();
    this.options.events.server?.(false);
    const pause = AGAIN_MS[Math.min(this.tries, AGAIN_MS.length - 1)] ?? 5000;
    this.tries += 1;
    this.timer = setTimeout(() => this.open(), pause);
  }
}
