/**
 * A session on the room screen: the seat, the expert's picture and sound, the paper beside it. Of two experts the one who
 * came last is shown.
 */

import { Identities } from "../identity.js";
import { Seat } from "../seat.js";
import { Comparing } from "./comparing.js";
import { cover, nextFrame, play, remark, show } from "./media.js";
import { element, reloadOnce, say } from "./page.js";
import { RoomPaper } from "./room-paper.js";
import { Silence } from "./silence.js";

/**
 * @typedef {object} RoomSessionOptions
 * @property {string} id
 * @property {import("../api.js").Api} server
 * @property {import("../devices.js").Devices} devices
 * @property {string} address
 * @property {(view: "waiting" | "session") => void} look
 * @property {(forGood: boolean) => void} ended nothing may stay here; not for good when only the seat was lost
 */
/** @typedef {import("../messages.js").SeatName} SeatName */

/** The session is over, or another screen of this room has it. Any other refusal may pass. */
const FINAL = new Set(["call_closed", "call_over", "replaced", "bye"]);
const RATE = "etapalvelu.rate";
/** A line that carried less is remembered, and the next call starts gently on it. */
const THIN_KBIT = 800;
const LOOK_AFTER_MS = 300;
/** The page's words are older than the server's; loaded anew it takes its seat again. */
const OUTDATED = "outdated";

const paper = new RoomPaper();

export class RoomSession {
  /** @param {RoomSessionOptions} options */
  constructor(options) {
    this.options = options;
    this.over = false;
    this.away = false;
    /** A relay does not take our credentials. */
    this.refused = false;
    /** The expert's. */
    this.silence = new Silence(() => this._words());
    /** @type {Map<SeatName, MediaStream>} experts in the order they came */
    this.experts = new Map();
    /** @type {Set<SeatName>} experts who sit in the call, seen or not yet */
    this.seated = new Set();
    /** @type {Map<SeatName, string>} */
    this.lines = new Map();
    /** @type {Map<SeatName, import("../text.js").Shown>} */
    this.theirs = new Map();
    const last = Number(localStorage.getItem(RATE) ?? 0);
    this.seat = new Seat({
      seat: "room",
      url: options.address,
      ticket: (seat) => this._ticket(seat),
      tracks: options.devices.sent,
      shown: options.devices.shown,
      ...(last > 0 && last < THIN_KBIT ? { startKbit: last } : {}),
      events: {
        sits: (seat, there) => this._sits(seat, there),
        stream: (from, stream) => this._stream(from, stream),
        line: (from, state) => this._line(from, state),
        shown: (from, shown) => this._theirs(from, shown),
        service: (state) => this.serverThere(state !== "lost"),
        farewell: (from) => this._farewell(from),
        refused: () => this._refused(),
        closed: (why) => (why === OUTDATED && reloadOnce() ? undefined : this.options.ended(FINAL.has(why))),
        documentCamera: () => this._paper(),
        sheet: paper.events,
        progress: () => undefined,
        done: () => undefined,
        failed: () => undefined,
      },
    });
    this.identities = new Identities(this.seat, {
      stopped: () => this._words(),
      compare: (seat, show) => this._compare(seat, show),
    });
    this.comparing = new Comparing(this.identities, "expert");
    this.hear = element("hear", HTMLButtonElement);
    this.hear.onclick = () => {
      this.hear.hidden = true;
      play("expert");
    };
  }

  open() {
    this.seat.open();
    this.identities.open();
  }

  devicesChanged() {
    void this.seat.use(this.options.devices.sent, this.options.devices.shown);
  }

  help() {
    this.seat.help();
  }

  /** @param {boolean} there */
  serverThere(there) {
    this.away = !there;
    this._words();
  }

  reworded() {
    this._words();
    paper.reworded();
  }

  close() {
    if (this.over) return;
    this.over = true;
    this.silence.end();
    const rate = this.seat.rate(this._shown() ?? "expert");
    if (rate > 0) localStorage.setItem(RATE, String(rate));
    this.identities.close();
    this.comparing.close();
    this.seat.close();
    this.hear.hidden = true;
    show("expert", null);
    show("document", null);
    paper.end();
    cover(element("expert-words", HTMLElement), "");
    remark(element("expert-remark", HTMLElement), "");
  }

  /** The expert ended the session while the server was away. Another one who sits here goes on. @param {SeatName} from */
  _farewell(from) {
    if ([...this.seated].every((seat) => seat === from)) this.options.ended(true);
  }

  /**
   * @param {SeatName} seat
   * @returns {Promise<import("../seat.js").Ticket>}
   */
  async _ticket(seat) {
    const { server, id } = this.options;
    return /** @type {import("../seat.js").Ticket} */ (await server.post(`/sessions/${id}/ticket`, { seat }));
  }

  /**
   * @param {SeatName} from
   * @param {MediaStream | null} stream
   */
  _stream(from, stream) {
    if (from === "camera") {
      show("document", stream);
      return this._paper();
    }
    if (stream === null) this.experts.delete(from);
    else if (this.experts.get(from) !== stream) {
      this.experts.delete(from);
      this.experts.set(from, stream);
    }
    const shown = this._shown();
    show("expert", (shown && this.experts.get(shown)) ?? null, () => void (this.hear.hidden = false));
    if (stream) nextFrame("expert", () => this._look());
    return this._words();
  }

  /**
   * The place for the expert is drawn with the first frame, or soon when none comes: before that the setting up needs this thread.
   * @param {SeatName} seat
   * @param {boolean} there
   */
  _sits(seat, there) {
    if (seat === "camera") return;
    if (there) this.seated.add(seat);
    else this.seated.delete(seat);
    if (this.seated.size === 0) return this._look();
    nextFrame("expert", () => this._look());
    setTimeout(() => this._look(), LOOK_AFTER_MS);
  }

  _look() {
    if (this.over) return;
    this.options.look(this.seated.size > 0 ? "session" : "waiting");
    this._words();
  }

  /**
   * @param {SeatName} from
   * @param {string} state
   */
  _line(from, state) {
    this.lines.set(from, state);
    if (from === "camera") return this._paper();
    this.silence.line(state);
    return this._words();
  }

  /**
   * @param {SeatName} from
   * @param {import("../text.js").Shown} shown
   */
  _theirs(from, shown) {
    this.theirs.set(from, shown);
    this._words();
  }

  _refused() {
    this.refused = true;
    this._words();
  }

  _words() {
    if (this.over) return;
    const shown = this._shown();
    const line = shown ? this.lines.get(shown) : undefined;
    const theirs = (shown && this.theirs.get(shown)) ?? { camera: true, microphone: true };
    let words = "";
    if ([...this.seated].some((seat) => this.identities.stopped.has(seat))) words = say("identity.stopped_room");
    else if (line === "stalled") words = this._stalledWords();
    else if (line !== "good") words = say(this.refused ? "room.relay_refused" : "room.expert_coming");
    else if (!theirs.camera) words = this._unseen(theirs);
    cover(element("expert-words", HTMLElement), words);
    const unheard = line === "good" && theirs.broken?.includes("microphone") ? say("room.expert_microphone_broken") : "";
    remark(element("expert-remark", HTMLElement), unheard || (this.away && line === "good" ? say("room.service_away") : ""));
  }

  _stalledWords() {
    if (!this.silence.isLong) return say("line.restoring");
    return say(this.away ? "room.cut" : "room.expert_gone");
  }

  /** @param {import("../text.js").Shown} theirs */
  _unseen({ microphone, broken }) {
    if (broken?.includes("camera")) return say("room.expert_camera_broken");
    // on hold both are off, and neither is broken
    return say(microphone || broken?.includes("microphone") ? "room.expert_camera_off" : "room.on_hold");
  }

  _paper() {
    if (!this.over) paper.cameraIs(this.seat.document.camera, this.lines.get("camera") ?? "none");
  }

  /** What the server says of the lines of this session. */
  factsChanged() {
    const marks = document.getElementById("room-marks")?.dataset["distrusted"] ?? "";
    if (this.over || marks === "" || marks === "camera") return;
    for (const seat of this.seated) this.identities.stop(seat, { note: false });
  }

  /**
   * @param {SeatName} seat
   * @param {boolean} show
   */
  _compare(seat, show) {
    this.comparing.other = seat;
    if (show) void this.comparing.open();
    else this.comparing.close();
  }

  /** @returns {SeatName | undefined} the expert who came last */
  _shown() {
    return [...this.experts.keys()].at(-1);
  }
}
