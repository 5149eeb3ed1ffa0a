/**
 * The page's stream of fresh state: `state`, `fragment`, `reload`, `session`, `none`, `outdated`, `here`, `bye`. The server says
 * the current state first on every connect, so a stream may be closed and opened at any time; a hidden page closes its own.
 */

import { backoff, seconds } from "./backoff.js";

/**
 * @typedef {object} LiveEvents
 * @property {(state: string, session: string) => void} [state]
 * @property {(target: string, html: string) => void} [fragment]
 * @property {(session: string | null) => void} [session]
 * @property {() => void} [reload]
 * @property {(run: string) => void} [check] the room is to look at itself; said again until it has answered
 * @property {() => void} [outdated] the server has another version of this page
 * @property {(there: boolean) => void} [server] the stream came or went
 */
/**
 * @typedef {object} LiveOptions
 * @property {string} page
 * @property {string} [id]
 * @property {string} [version] this page's own
 * @property {boolean} [always] kept open when the page is hidden: room and expert must hear at any time
 * @property {LiveEvents} events
 * @property {(url: string) => EventSource} [connect]
 */

/** The server says something every ten seconds: a stream that is silent for this long is dead. */
const SILENCE_MS = 25_000;

export class Live {
  /** @param {LiveOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {EventSource | null} */
    this.source = null;
    this.tries = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.silence = undefined;
  }

  open() {
    if (this.source) return;
    clearTimeout(this.timer);
    const { page, id, version, events } = this.options;
    const query = new URLSearchParams({ page, ...(id ? { id } : {}), ...(version ? { version } : {}) });
    const source = (this.options.connect ?? ((url) => new EventSource(url)))(`/live?${query}`);
    this.source = source;
    this._heard(source);
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
    this._on(source, "outdated", () => events.outdated?.());
    this._on(source, "here", () => undefined);
    this._on(source, "bye", (data) => this._lost(source, seconds(data["retry_after"])));
  }

  /** Asks anew for everything: the stream may be dead without the browser knowing. */
  refresh() {
    if (!this.source) return;
    this.close();
    this.open();
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
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
      if (source !== this.source) return;
      this._heard(source);
      tell(JSON.parse(String(event.data || "{}")));
    });
  }

  /** @param {EventSource} source */
  _heard(source) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this._lost(source), SILENCE_MS);
  }

  /**
   * A browser gives up for good after some failures: the pause is ours, or what the server asks for.
   * @param {EventSource} source
   * @param {number} [asked]
   */
  _lost(source, asked = 0) {
    if (source !== this.source) return;
    this.close();
    this.options.events.server?.(false);
    this.timer = setTimeout(() => this.open(), backoff(this.tries, Math.random, asked));
    this.tries += 1;
  }
}
