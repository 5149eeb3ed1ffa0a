/**
 * A session on the expert's page, from the ticket to the end of the wrap-up. Deeds go to the server; pictures, sound and
 * stills go straight between the room and this page, and go on when the server is away.
 */

import { Identities } from "../identity.js";
import { Seat } from "../seat.js";
import { Comparing } from "./comparing.js";
import { Closing } from "./expert-closing.js";
import { ExpertDocument } from "./expert-document.js";
import { Paper } from "./expert-paper.js";
import { Tray } from "./expert-stills.js";
import { Words } from "./expert-words.js";
import { hush, nextFrame, show } from "./media.js";
import { element, notify, refused, reloadOnce, say } from "./page.js";

/**
 * @typedef {object} ExpertSessionOptions
 * @property {import("./expert.js").Taken} taken
 * @property {WebSocket} early a socket that was opened beside the deed
 * @property {import("../prepared.js").Prepared} prepared
 * @property {import("../api.js").Api} server
 * @property {import("../devices.js").Devices} devices
 * @property {string} address
 * @property {(state: string) => void} state
 * @property {(kept: Omit<import("../late.js").Kept, "account">) => void} late a deed done while the server is away
 * @property {() => void} look the view of the session is to stand
 * @property {(how: "saved" | "wrapup" | "done") => void} ended
 */

const WRAPUP_LIMIT_MS = 5 * 60 * 1000;
/** Time for a last word over the connection that is to be closed. */
const FAREWELL_MS = 250;
const stage = element("stage", HTMLElement);
const paperVideo = /** @type {HTMLVideoElement} */ (document.querySelector("video[data-stream=document]"));
const paper = new Paper(element("paper", HTMLElement), paperVideo, (percent) => {
  element("zoom", HTMLElement).textContent = `${percent} %`;
});
const desk = new ExpertDocument(paper);
const tray = new Tray({ attach: (still) => desk.attach(still) });

export class ExpertSession {
  /** @param {ExpertSessionOptions} options */
  constructor(options) {
    this.options = options;
    this.id = options.taken.id;
    /** @type {import("../seat.js").Ticket | null} the one that came with the deed; later ones are asked for */
    this.first = options.taken;
    /** @type {WebSocket | null} */
    this.early = options.early;
    this.page = new AbortController();
    this.over = false;
    this.drawn = false;
    this.onHold = false;
    /** What the server said last of the hold. */
    this.heldBefore = false;
    stage.dataset["large"] = "room";
    this.words = new Words({
      onHold: () => this.onHold,
      camera: () => this.seat.document.camera,
      isStopped: (seat) => this.identities.stopped.has(seat),
    });
    this.seat = new Seat({
      seat: options.taken.expert_seat ?? "expert",
      url: options.address,
      ticket: (seat) => this._ticket(seat),
      openSocket: (url, protocol) => this._socket(url, protocol),
      prepared: options.prepared,
      tracks: options.devices.sent,
      shown: options.devices.shown,
      events: {
        stream: (from, stream) => this._stream(from, stream),
        line: (from, state) => this.words.line(from, state),
        shown: (_from, shown) => this.words.customer(shown),
        service: (state) => this.words.server(state !== "lost"),
        refused: () => this.words.refused(),
        closed: (why) => this._closed(why),
        documentCamera: (state) => this._camera(state),
        sheet: desk.events,
        progress: (id, share) => tray.progress(id, share),
        done: (id, still) => tray.done(id, still),
        failed: (id, code) => tray.failed(id, code),
      },
    });
    this.identities = new Identities(this.seat, { stopped: (seat) => this._stopped(seat), compare: () => undefined });
    this.comparing = new Comparing(this.identities, "room");
    this.closing = new Closing(this, options.server, this.page.signal);
    this._buttons();
  }

  /** Sits down. Nothing is drawn yet: see `draw`. */
  open() {
    tray.clear();
    tray.again = () => this._capture();
    paper.whole();
    desk.begin((message) => this.seat.document.send(message));
    this.seat.open();
    this.identities.open();
  }

  /** Draws the session, unless it stands or is over already. */
  draw() {
    if (this.over || this.drawn) return;
    this.drawn = true;
    this.options.look();
    this.words.write();
    this.factsChanged();
    element("capture", HTMLElement).focus({ preventScroll: true });
  }

  devicesChanged() {
    const { devices } = this.options;
    this._press("mute", devices.tracks.microphone !== null && !devices.shown.microphone);
    this._press("camera-off", !devices.wanted.camera);
    if (!this.over && !this.onHold) void this.seat.use(devices.sent, devices.shown);
  }

  help() {
    this.seat.help();
  }

  /** What was done here waits for the server; the customer is told directly that it is over. @param {Omit<import("../late.js").Kept, "account" | "session">} deed */
  endLate(deed) {
    this.options.late({ ...deed, session: this.id });
    this.seat.farewell();
    setTimeout(() => this.end("wrapup"), FAREWELL_MS);
  }

  /** The page is left or loaded again: the seat waits for its successor. */
  leavePage() {
    this.seat.call.socket?.close();
  }

  /**
   * @param {string} state
   * @param {string} id
   */
  serverSays(state, id) {
    if (id === this.id && state !== "closed") this.options.state(state);
  }

  /** @param {boolean} there */
  serverThere(there) {
    this.words.server(there);
  }

  get away() {
    return this.words.away;
  }

  /** The fragment about the session came anew: a hold or a transfer may have been done elsewhere. */
  factsChanged() {
    const marks = document.getElementById("session-marks")?.dataset;
    if (this.over || marks?.["session"] !== this.id) return;
    this._press("transfer", marks["transfer"] === "yes");
    for (const seat of marks["distrusted"]?.split(" ") ?? []) {
      if (seat) this.identities.stop(seat === "camera" ? "camera" : "room", { note: false });
    }
    const held = marks["hold"] === "yes";
    // a word of the server that is older than our own deed says what it said before
    if (held !== this.heldBefore && held !== this.onHold) void this._held(held);
    this.heldBefore = held;
  }

  /** @param {"saved" | "wrapup"} how */
  end(how) {
    if (this.over) return;
    this.over = true;
    this.words.end();
    this.identities.close();
    this.seat.close();
    desk.end();
    show("room", null);
    show("document", null);
    for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
    if (how === "saved" || tray.size === 0) return this._finish("saved");
    tray.endsIn(WRAPUP_LIMIT_MS, () => this._finish("done"));
    this.options.ended("wrapup");
    element("session-title", HTMLElement).focus();
    return undefined;
  }

  /** @param {"saved" | "done"} how */
  _finish(how) {
    this.page.abort();
    tray.clear();
    const { devices } = this.options;
    if (!devices.wanted.camera) void devices.turn("camera", true);
    void devices.turn("microphone", true);
    hush("room", false);
    this.options.ended(how);
  }

  /**
   * @param {string} url
   * @param {string} protocol
   */
  _socket(url, protocol) {
    const { early } = this;
    this.early = null;
    return early && early.readyState <= WebSocket.OPEN ? early : new WebSocket(url, protocol);
  }

  /**
   * @param {string} seat
   * @returns {Promise<import("../seat.js").Ticket>}
   */
  async _ticket(seat) {
    const first = this.first;
    this.first = null;
    if (first) return first;
    return /** @type {import("../seat.js").Ticket} */ (await this.options.server.post(`/sessions/${this.id}/ticket`, { seat }));
  }

  /**
   * @param {string} from
   * @param {MediaStream | null} stream
   */
  _stream(from, stream) {
    if (from === "room") show("room", stream);
    // drawing takes the page longer than all that is left to do until the first frame is there
    if (from === "room" && stream && !this.drawn) nextFrame("room", () => this.draw());
    if (from !== "camera") return;
    show("document", stream);
    stage.dataset["large"] = stream ? "document" : "room";
  }

  /** @param {import("../document.js").CameraState} state */
  _camera(state) {
    desk.cameraIs(state === "ok");
    this.words.write();
  }

  /** @param {import("../messages.js").SeatName} seat a line that is cut, for it is not certain who is there */
  _stopped(seat) {
    this.comparing.close();
    notify(say(seat === "camera" ? "identity.stopped_document" : "identity.stopped_expert"), { kind: "bad", lasts: "until_read" });
    this.words.write();
  }

  /** @param {string} why */
  _closed(why) {
    if (this.over) return;
    // this page is older than the server; loaded anew it takes its seat again
    if (why === "outdated" && reloadOnce()) return;
    if (why === "replaced") notify(say("expert.replaced"), { kind: "warn", lasts: "until_read" });
    else if (why === "unseated" || why === "no_ticket") notify(say("expert.unseated"));
    else if (!this.closing.busy) notify(say("expert.closed_elsewhere"));
    this.end("wrapup");
  }

  _buttons() {
    const { devices } = this.options;
    this._on("mute", () => void devices.turn("microphone", !devices.shown.microphone));
    this._on("camera-off", () => void devices.turn("camera", !devices.wanted.camera));
    this._on("hold", () => void this._hold());
    this._on("compare", () => void this.comparing.ask());
    this._on("identity-differ", () => this.comparing.differ());
    this._on("capture", () => this._capture());
    this._on("zoom-in", () => paper.zoom(1));
    this._on("zoom-out", () => paper.zoom(-1));
    this._on("zoom", () => paper.whole());
    this._on("turn", () => desk.turn());
    this._on("view", () => desk.switchView());
    this._on("point", () => desk.point(!desk.hand.on));
    this._on("mark-undo", () => desk.pen.undo());
    this._on("mark-clear", () => desk.pen.clear());
    this._on("swap", () => void (stage.dataset["large"] = stage.dataset["large"] === "room" ? "document" : "room"));
    this._on("done", () => this._finish("done"));
    this._on("session-news", (event) => {
      if (event.target instanceof Element && event.target.closest("#hand-over")) this._handOver();
    });
  }

  _capture() {
    const id = this.seat.capture();
    if (id === null) notify(say("still.camera_lost"), { kind: "warn" });
    else tray.begin(id);
  }

  /** On hold the customer is neither seen nor heard, nor are we. */
  async _hold() {
    const hold = !this.onHold;
    try {
      await this.options.server.post(`/sessions/${this.id}/${hold ? "hold" : "continue"}`);
    } catch (error) {
      return refused(error);
    }
    return this._held(hold);
  }

  /** @param {boolean} hold */
  async _held(hold) {
    this.onHold = hold;
    this._press("hold", hold);
    hush("room", hold);
    const { devices } = this.options;
    const nothing = { camera: false, microphone: false };
    await (hold ? this.seat.use({ audio: null, video: null }, nothing) : this.seat.use(devices.sent, devices.shown));
    this.words.write();
  }

  /** The other expert sits there: the session is theirs as soon as this seat is given up. */
  _handOver() {
    notify(say("expert.handed_over"), { kind: "good" });
    this.end("saved");
  }

  /**
   * @param {string} id
   * @param {(event: Event) => void} deed
   */
  _on(id, deed) {
    document.getElementById(id)?.addEventListener("click", deed, { signal: this.page.signal });
  }

  /**
   * @param {string} id
   * @param {boolean} pressed
   */
  _press(id, pressed) {
    document.getElementById(id)?.setAttribute("aria-pressed", String(pressed));
  }
}
