/**
 * One's own seat with everything that hangs on it: the socket, the peers, the watch over the lines. A page gives it
 * tracks and hears what there is to show. Which seats connect, and who offers, stands in PLANS.
 */

import { blame } from "./blame.js";
import { Call } from "./call.js";
import { DocumentChannel } from "./document.js";
import { within } from "./ice.js";
import { Line } from "./line.js";
import { unhandled } from "./messages.js";
import { Peer } from "./peer.js";
import { Reach } from "./reach.js";
import { Renewal } from "./relay.js";
import { TextChannel } from "./text.js";

/** @typedef {import("./messages.js").SeatName} SeatName */
/** @typedef {import("./connection.js").Tracks} Tracks */
/** @typedef {import("./text.js").Shown} Shown */
/**
 * @typedef {{ ticket: string, ice_servers: RTCIceServer[], ice_seconds?: number | null, ice_transport_policy: RTCIceTransportPolicy,
 *   call: string }} Ticket
 */
/**
 * @typedef {object} SeatEvents
 * @property {(seat: SeatName, there: boolean) => void} [sits] somebody sat down, or left for good
 * @property {(seat: SeatName) => void} [distrusted] the service cut the line: it is not certain who is at its other end
 * @property {(seat: SeatName, stream: MediaStream | null) => void} stream
 * @property {(seat: SeatName, state: import("./line.js").LineState) => void} line
 * @property {(seat: SeatName, shown: Shown) => void} shown
 * @property {(state: import("./call.js").CallState, why: string) => void} service
 * @property {() => void} [refused] a relay does not take our credentials
 * @property {(reason: string) => void} closed the session is over, or this seat is no longer ours
 * @property {(seat: SeatName) => void} [farewell] that person ended the session, and the server does not know it yet
 * @property {(state: import("./document.js").CameraState) => void} documentCamera
 * @property {import("./document.js").SheetEvents} sheet what lies under the document camera
 * @property {import("./document.js").DocumentEvents["progress"]} progress
 * @property {import("./document.js").DocumentEvents["done"]} done
 * @property {import("./document.js").DocumentEvents["failed"]} failed
 */
/**
 * @typedef {object} SeatOptions
 * @property {"room" | "expert" | "expert2"} seat
 * @property {string} url
 * @property {(seat: SeatName) => Promise<Ticket>} ticket for the seat the server gave us last
 * @property {Tracks} tracks
 * @property {Shown} shown
 * @property {SeatEvents} events
 * @property {number} [startKbit] what the line to this other end carried last
 * @property {import("./prepared.js").Prepared} [prepared] what was made ready for the room before there was a seat
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} [connect]
 * @property {(url: string, protocol: string) => WebSocket} [openSocket]
 */
/** @typedef {{ peer: Peer, line: Line, text: TextChannel | null, shown: Shown, keyFrameAt: number }} Other */

/** With so few frames a second a gap between two is no loss; then the heartbeat alone tells of one. */
const FEW_FRAMES = 3;

/** @type {Record<SeatOptions["seat"], { seat: SeatName, offers: boolean }[]>} */
const PLANS = {
  room: [{ seat: "camera", offers: false }, { seat: "expert", offers: true }, { seat: "expert2", offers: true }],
  expert: [{ seat: "camera", offers: false }, { seat: "room", offers: false }],
  expert2: [{ seat: "camera", offers: false }, { seat: "room", offers: false }],
};
/** The people's connection comes first; the document's, heavier, is answered when that stands, or this long after both came. */
const DOCUMENT_WAITS_MS = 1000;
const BEAT_MS = 250;
/** Leaves the wire's million of generations room to count on. */
const MOST_FIRST = 900_000;
const QUICK_BEAT_MS = 50;
const FIRST_FRAME_MS = 120;
const KEY_FRAME_EVERY_MS = 250;

export class Seat {
  /** @param {SeatOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {SeatName} */
    this.own = options.seat;
    /** @type {number | null} */
    this.epoch = null;
    /** Whether the document may be answered, and whether the server was lost since it welcomed us. */
    this.ripe = this.lost = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.patience = undefined;
    /** @type {Map<SeatName, Other>} */
    this.others = new Map();
    /** @type {(import("./messages.js").DescriptionIn | import("./messages.js").CandidateIn)[]} */
    this.later = [];
    this.document = new DocumentChannel({
      camera: (state) => options.events.documentCamera(state),
      sheet: options.events.sheet,
      progress: options.events.progress,
      done: options.events.done,
      failed: options.events.failed,
    });
    this.call = new Call({
      url: options.url,
      ticket: async () => this._ticket(),
      received: (message) => this._received(message),
      changed: (state, why) => this._service(state, why),
      ...(options.openSocket ? { openSocket: options.openSocket } : {}),
    });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.renewal = new Renewal(() => this._renew());
    this.reach = new Reach(options.connect ?? ((configuration) => new RTCPeerConnection(configuration)));
  }

  open() {
    void this.call.open();
    this._beat();
  }

  /**
   * @param {Tracks} tracks
   * @param {Shown} shown
   */
  async use(tracks, shown) {
    this.options.tracks = tracks;
    this.options.shown = shown;
    for (const { text } of this.others.values()) text?.show(shown);
    await Promise.all([...this.others.values()].map(({ peer, text }) => text && peer.use(tracks)));
  }

  /** Asks for a still; tells its id, or null when the document camera cannot be reached. */
  capture() {
    return this.document.capture();
  }

  /** The machine is back on the network: everything that stands still is helped at once. */
  help() {
    this.call.refresh();
    for (const { line } of this.others.values()) line.help();
  }

  /** The session is ended here while the server is away: the other people are told directly. */
  farewell() {
    for (const { text } of this.others.values()) text?.end();
  }

  /** The best rate seen on the line to `seat`, kbit/s; 0 when unknown. @param {SeatName} seat */
  rate(seat) {
    return Math.round((this.others.get(seat)?.line.bitrate ?? 0) / 1000);
  }

  /** Leaves, closes every connection and shows nothing any more. */
  close() {
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    this.timer = undefined;
    this.renewal.stop();
    this.call.leave();
    this.document.close();
    for (const { peer, text } of this.others.values()) {
      text?.close();
      peer.close();
    }
    this.others.clear();
  }

  async _ticket() {
    const ticket = await this.options.ticket(this.own);
    const first = this.others.size === 0;
    if (first) for (const plan of PLANS[this.options.seat]) this._add(plan.seat, plan.offers, within(ticket, this.own, plan.seat));
    for (const [seat, { peer }] of this.others) peer.options.configuration = within(ticket, this.own, seat);
    this.reach.servers = ticket.ice_servers;
    this.renewal.good(ticket.ice_seconds);
    const ready = first && this.options.prepared?.take(ticket.call);
    if (!ready) return { ticket: ticket.ticket };
    const { generation, described } = ready;
    this.others.get("room")?.peer.adopt(ready);
    return { ticket: ticket.ticket, ...(described ? { answered: generation } : {}) };
  }

  /**
   * New credentials for the relays. What goes through one gets a new path from who made the offer, and on that both ends use
   * their newest; an agent makes its connection anew.
   */
  async _renew() {
    const ticket = await this.options.ticket(this.own);
    this.reach.servers = ticket.ice_servers;
    for (const [seat, { peer, text }] of this.others) {
      if (!await peer.configure(within(ticket, this.own, seat))) continue;
      if (!text) peer.renew();
      else if (peer.options.offers) void peer.mend();
    }
    return ticket.ice_seconds ?? null;
  }

  /**
   * @param {SeatName} seat
   * @param {boolean} offers
   * @param {RTCConfiguration} configuration
   */
  _add(seat, offers, configuration) {
    const { options } = this;
    const people = seat !== "camera";
    const peer = new Peer({
      seat,
      offers,
      // a page that is loaded anew counts on, so that no answer to its predecessor's offer is taken for one to its own
      first: offers ? Math.floor(performance.timeOrigin / 1000) % MOST_FIRST : 0,
      configuration,
      tracks: people ? options.tracks : null,
      ...(options.startKbit ? { startKbit: options.startKbit } : {}),
      ...(options.connect ? { connect: options.connect } : {}),
      send: (message) => this.call.send(message),
      stream: (_peer, stream) => options.events.stream(seat, stream),
      channel: (_peer, channel) => (other.text ?? this.document).use(channel),
      changed: () => this._soon(),
      refused: () => options.events.refused?.(),
    });
    const text = people ? this._text(seat) : null;
    const line = new Line({
      peer,
      expects: () => (people ? other.shown : { camera: this._pictured(), microphone: false }),
      askKeyFrame: () => (text ?? this.document).askKeyFrame(),
      flows: (flows) => {
        if (people) void peer.current?.carry(flows);
        if (!flows) void this.reach.look();
      },
      mends: people,
      cause: (dead, doubted) => blame({ own: options.seat, peer: seat, ours: this.call.wasAway(doubted), dead,
        roomLives: !this.others.get("room")?.line.dead }),
      reached: (lost) => this.reach.since(lost),
      online: () => this.call.welcomed,
      doubt: () => this.call.refresh(),
      send: (message) => this.call.send(message),
      changed: (state) => this._line(seat, state),
    });
    /** @type {Other} */
    const other = { peer, line, text, shown: { camera: true, microphone: true }, keyFrameAt: -Infinity };
    this.others.set(seat, other);
  }

  /** @param {SeatName} seat */
  _text(seat) {
    return new TextChannel(this.options.shown, {
      media: (shown) => {
        const other = this.others.get(seat);
        if (other) other.shown = shown;
        this.options.events.shown(seat, shown);
      },
      keyFrame: () => this._keyFrame(seat),
      ended: () => this.options.events.farewell?.(seat),
      // a first key frame sent before we could decrypt it is lost: one is asked for unless a picture comes at once
      opened: () => setTimeout(() => {
        const other = this.others.get(seat);
        if (other && !other.line.first) other.text?.askKeyFrame();
      }, FIRST_FRAME_MS),
    });
  }

  /** The other end asks for one, and our own watch over the line. @param {SeatName} seat */
  _keyFrame(seat) {
    const [other, now] = [this.others.get(seat), performance.now()];
    if (!other || now - other.keyFrameAt < KEY_FRAME_EVERY_MS) return;
    other.keyFrameAt = now;
    void other.peer.sendKeyFrame();
  }

  /** @param {import("./messages.js").FromServer} message */
  _received(message) {
    switch (message.type) {
      case "welcome":
        return this._welcome(message);
      case "seat_joined":
        return this._sits(message.seat, message.epoch, message.answered);
      case "seat_promised":
        return this.others.get(message.seat)?.peer.promised(message.answered);
      case "seat_left":
        return message.reason === "identity" ? this.options.events.distrusted?.(message.seat) : this._sits(message.seat, null);
      case "description":
      case "candidate":
        return this._heard(message);
      case "restart":
        return this.others.get(message.from)?.peer.restarted(message.generation);
      case "call_closed":
      case "error":
        return undefined;
      default:
        return unhandled(message);
    }
  }

  /** @param {import("./messages.js").DescriptionIn | import("./messages.js").CandidateIn} message */
  _heard(message) {
    const other = this.others.get(message.from);
    if (other && !other.text && !this.ripe && this._accompanied()) this.later.push(message);
    else if (message.type === "description") void other?.peer.described(message);
    else void other?.peer.candidate(message);
  }

  /** Another person sits there. Alone, one looks at the document at once: the screen helps with the paper while waiting. */
  _accompanied() {
    return [...this.others.values()].some(({ text, peer }) => text && peer.epoch !== null);
  }

  /** The document's turn: the people see each other, or have had their time. Once and for all. */
  _hearLater() {
    clearTimeout(this.patience);
    this.ripe = true;
    for (const message of this.later.splice(0)) this._heard(message);
  }

  /** The other person is there: from now on the document waits no longer than this. */
  _hurry() {
    this.patience ??= setTimeout(() => this._hearLater(), DOCUMENT_WAITS_MS);
  }

  /**
   * @param {SeatName} seat
   * @param {number | null} epoch null when it is empty now; what a former holder said is void either way
   * @param {number} [answered] see Peer.present
   */
  _sits(seat, epoch, answered) {
    const other = this.others.get(seat);
    if (!other) return;
    this.later = this.later.filter((message) => message.from !== seat);
    this.options.events.sits?.(seat, epoch !== null);
    if (epoch === null) return other.peer.absent();
    if (other.text) this._hurry();
    other.peer.present(epoch, answered);
  }

  /** @param {import("./messages.js").Welcome} message */
  _welcome(message) {
    const resumed = this.epoch === message.epoch;
    if (this.epoch !== null && !resumed) for (const { peer } of this.others.values()) peer.reset();
    this.epoch = message.epoch;
    this.own = message.seat;
    const present = new Map(message.present.map(({ seat, epoch }) => [seat, epoch]));
    for (const [seat, { peer, text }] of this.others) {
      const epoch = present.get(seat);
      if (epoch === undefined) {
        // who is missing after a resume may only be slower than we are to come back to a restarted server: going is told
        if (!resumed) peer.absent();
        continue;
      }
      peer.present(epoch);
      if (text) this._hurry();
      this.options.events.sits?.(seat, true);
    }
    if (!present.has("expert2")) this.others.get("expert")?.peer.prepare();
    if (resumed) this._back();
  }

  /** What was said last may have been lost with the socket, and what stood still can be mended now, if it could not before. */
  _back() {
    for (const { peer, line } of this.others.values()) {
      peer.tellAgain();
      if (this.lost) line.help();
    }
    this.lost = false;
  }

  /**
   * @param {SeatName} seat
   * @param {import("./line.js").LineState} state
   */
  _line(seat, state) {
    this.options.events.line(seat, state);
    if (seat === "camera" || state !== "good") return;
    void this.others.get(seat)?.peer.current?.limit();
    this._hearLater();
  }

  /**
   * @param {import("./call.js").CallState} state
   * @param {string} why
   */
  _service(state, why) {
    this.lost ||= state === "lost";
    this.options.events.service(state, why);
    if (state === "ended" && why !== "bye") this.options.events.closed(why);
  }

  /** Something moved: looked at now and not at the next beat. */
  _soon() {
    if (this.timer !== undefined) this._beat();
  }

  _beat() {
    clearTimeout(this.timer);
    const now = performance.now();
    this.document.tick(now);
    const lines = [...this.others.values()].map(({ line }) => line);
    const pause = lines.some((line) => line.pressing) ? QUICK_BEAT_MS : BEAT_MS;
    this.timer = setTimeout(() => this._beat(), pause);
    const begins = lines.some((line) => line.begins(now));
    for (const line of lines) if (!begins || line.state === "opening" || line.state === "none") void line.beat(now);
  }

  /** Whether frames of the document should be coming; a silent heartbeat counts as a loss. */
  _pictured() {
    const flows = this.document.frames > FEW_FRAMES;
    return (this.document.camera === "ok" && flows) || this.document.camera === "away";
  }
}
