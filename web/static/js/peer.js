/**
 * Another seat of the call, through all its epochs and generations. Offers in advance to a seat that is still empty, and
 * builds a new connection beside the old one, so that a picture stays until there is a better one: the watch over the line,
 * which sees the first frame, says when to `swap`.
 * Who answers in advance is connected before sitting there: nothing is sent to them, or believed, until the seat is theirs.
 */

import { Connection } from "./connection.js";

/** @typedef {import("./messages.js").SeatName} SeatName */
/** @typedef {import("./messages.js").FromPeer} FromPeer */
/** @typedef {import("./connection.js").Tracks} Tracks */

/**
 * @typedef {object} PeerOptions
 * @property {SeatName} seat
 * @property {boolean} offers whether we offer to this seat, or it to us
 * @property {number} [first] the generation before our first
 * @property {RTCConfiguration} configuration
 * @property {number} [startKbit]
 * @property {Tracks | null} tracks
 * @property {(message: FromPeer) => void} send
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} [connect]
 * @property {(peer: Peer, stream: MediaStream | null) => void} stream what to show; null when there is nothing any more
 * @property {(peer: Peer, channel: RTCDataChannel) => void} channel
 * @property {(peer: Peer) => void} changed
 * @property {() => void} [refused] a relay does not take our credentials
 */

const ANSWERED_MS = 2000;
/** Within this the other end sees us over the new connection too. */
const PAST_MS = 2000;
/** Nobody is to be reached there any more. @type {ReadonlySet<RTCPeerConnectionState>} */
const BROKEN = new Set(["disconnected", "failed", "closed"]);

export class Peer {
  /** @param {PeerOptions} options */
  constructor(options) {
    this.options = options;
    this.seat = options.seat;
    /** @type {number | null} null while the seat is empty */
    this.epoch = null;
    /** When the seat was last taken, by performance.now(). */
    this.since = 0;
    this.generation = options.first ?? 0;
    /** @type {Connection | null} the one shown */
    this.current = null;
    /** @type {Connection | null} the one being built beside it */
    this.next = null;
    /** @type {Connection | null} the one shown before, over which the other end may still be seeing us */
    this.past = null;
  }

  /** Leaves an offer for whoever sits down next. */
  prepare() {
    if (this.options.offers && this.epoch === null && !this._newest()) this._offer(true);
  }

  /**
   * The seat is taken. A higher epoch is a new page or device: what was connected is gone there.
   * @param {number} epoch
   * @param {number} [answered] the generation of our offer in advance that this very peer has answered
   */
  present(epoch, answered) {
    if (this.epoch === epoch) return;
    const first = this.epoch === null;
    this.epoch = epoch;
    this.since = performance.now();
    const newest = this._newest();
    if (first && newest && this._isTheirs(newest, answered)) {
      if (this.options.offers) this._begin(newest);
      return this.options.changed(this);
    }
    this.options.changed(this);
    if (!this.options.offers) this.generation = 0;
    this._drop();
    if (this.options.offers) this._offer(false);
  }

  /**
   * Whoever answered our offer in advance is about to sit there, and nobody else any more: we need not wait for it.
   * @param {number} answered the generation of that offer
   */
  promised(answered) {
    const newest = this._newest();
    if (this._awaits() && newest?.described && this._isTheirs(newest, answered)) this._begin(newest);
  }

  /** The seat is empty: nothing to show, and the next one is awaited. */
  absent() {
    if (this.epoch === null && !this._newest()?.shown) return;
    this.epoch = null;
    this.generation = this.options.offers ? this.generation : 0;
    this._drop();
    this.prepare();
  }

  /** Our own seat began anew: whatever was connected is unknown to the server now. */
  reset() {
    this.epoch = null;
    if (!this.options.offers) this.generation = 0;
    this._drop();
  }

  /**
   * A connection that has read their offer already: it is answered now, unless it was in advance.
   * @param {Connection} connection
   */
  adopt(connection) {
    this.generation = connection.generation;
    connection.options = this._wiring();
    connection.pc.setConfiguration(this.options.configuration);
    this.current = connection;
    if (connection.described) this._begin(connection);
    else void connection.answer();
  }

  /** @param {import("./messages.js").DescriptionIn} message */
  async described({ generation, description }) {
    // what was read before the seat was taken is delivered with it once more
    if (generation < this.generation) return;
    const newest = this._newest();
    if (newest?.heard === description.sdp) {
      // said once more long after: our answer to it was lost
      if (performance.now() - newest.began > ANSWERED_MS) newest.tellAgain();
      return;
    }
    if (generation > this.generation) {
      if (description.type !== "offer") return;
      this.generation = generation;
      this._build();
    }
    const told = this._newest();
    if (told && this._awaits()) told.orElse(() => this._awaits() && this._offerAnew(told));
    await told?.receive(description);
  }

  /** @param {import("./messages.js").CandidateIn} message */
  async candidate({ generation, candidate }) {
    if (generation === this.generation) await this._newest()?.receiveCandidate(candidate);
  }

  /**
   * The other side asks for a new connection. While we look for a new path under this one ourselves, that comes first: it is
   * sooner done.
   * @param {number} generation
   */
  restarted(generation) {
    if (!this.options.offers || generation < this.generation || this.epoch === null || this._newest()?.isMending) return;
    this._offer(false);
  }

  /** Asks for a new connection beside this one, or makes the offer of it. */
  renew() {
    if (this.epoch === null) return;
    if (this.options.offers) this._offer(false);
    else this.options.send({ type: "restart", to: this.seat, generation: this.generation });
  }

  /**
   * Finds a new path under the connection, or asks for a new one. Only who offered restarts ICE: where two offers meet, one
   * is rolled back, and Chromium goes on decoding after that but draws no picture any more.
   */
  async mend() {
    if (this.epoch === null) return;
    if (this.options.offers) await this._newest()?.restartIce();
    else this.renew();
  }

  /** Our socket was lost for a moment, and what was said last perhaps with it; a server that was restarted holds no offers. */
  tellAgain() {
    if (this.epoch !== null || this._awaits()) this._newest()?.tellAgain();
  }

  /**
   * New relay credentials, for every connection from now on. An offer that waits is made anew with them; tells whether what
   * is connected goes through a relay, and so needs a new path.
   * @param {RTCConfiguration} configuration
   */
  async configure(configuration) {
    this.options.configuration = configuration;
    const newest = this._newest();
    if (this.epoch !== null) return newest ? newest.configure(configuration) : false;
    if (this.options.offers && newest) {
      this._drop();
      this.prepare();
    }
    return false;
  }

  /** @param {Tracks} tracks */
  async use(tracks) {
    this.options.tracks = tracks;
    await Promise.all([this.past, this.current, this.next].map((connection) => connection?.use(tracks)));
  }

  /** A whole picture of ours now, over each connection the other end may be looking at. */
  async sendKeyFrame() {
    await Promise.all([this.current?.sendKeyFrame(), this.next?.sendKeyFrame()]);
  }

  /** The new connection has a picture, or the old one has none any more. */
  swap() {
    const { current, next } = this;
    if (!next) return;
    this._forget();
    this.past = current;
    this.current = next;
    this.next = null;
    this.options.stream(this, next.stream);
    // whoever only looks on is missed by nobody
    if (!this.options.tracks) this._forget();
    else setTimeout(() => current === this.past && this._forget(), PAST_MS);
  }

  close() {
    this._drop();
    this.epoch = null;
  }

  _newest() {
    return this.next ?? this.current;
  }

  /** Whether our offer lies there for whoever comes. */
  _awaits() {
    return this.options.offers && this.epoch === null;
  }

  /**
   * Whether a connection from before the seat was taken is one with whoever took it: our offer that nobody has answered yet,
   * one that they have, or one of theirs that was read before we had our own seat.
   * @param {Connection} connection
   * @param {number} [answered]
   */
  _isTheirs(connection, answered) {
    if (!this.options.offers || connection.heard === "") return true;
    return answered === connection.generation && !BROKEN.has(connection.pc.connectionState);
  }

  /** The seat is theirs, or ours: we show ourselves, and what comes is shown. @param {Connection} connection */
  _begin(connection) {
    if (connection.shown) return;
    connection.shown = true;
    void connection.begin();
    if (connection.text) this.options.channel(this, connection.text);
    if (connection.described) this.options.stream(this, connection.stream);
  }

  /** @param {boolean} inAdvance */
  _offer(inAdvance) {
    this.generation += 1;
    void this._build().offer({ inAdvance });
  }

  _build() {
    this.next?.close();
    const connection = new Connection(this._wiring());
    if (this.current) this.next = connection;
    else this.current = connection;
    return connection;
  }

  /** @returns {import("./connection.js").ConnectionOptions} */
  _wiring() {
    const { options, generation, seat } = this;
    return {
      generation,
      polite: !options.offers,
      configuration: options.configuration,
      tracks: options.tracks,
      ...(options.startKbit === undefined ? {} : { startKbit: options.startKbit }),
      connect: options.connect ?? ((configuration) => new RTCPeerConnection(configuration)),
      describe: (description) => options.send({ type: "description", to: seat, generation, description,
        ...(this._awaits() ? { in_advance: true } : {}) }),
      candidate: (candidate) => options.send({ type: "candidate", to: seat, generation, candidate }),
      changed: (changed) => this._changed(changed),
      arrived: (from) => from === this.current && !this._awaits() && options.stream(this, from.stream),
      channel: (from, channel) => from === this._newest() && !this._awaits() && options.channel(this, channel),
      refused: () => options.refused?.(),
    };
  }

  /** @param {Connection} connection */
  _changed(connection) {
    if (this._awaits()) return this._changedInAdvance(connection);
    if (this.next?.connected && this.current && BROKEN.has(this.current.pc.connectionState)) this.swap();
    this.options.changed(this);
  }

  /** Who had answered is gone again, or cannot be reached: the next one gets a new offer. @param {Connection} connection */
  _changedInAdvance(connection) {
    if (BROKEN.has(connection.pc.connectionState)) this._offerAnew(connection);
  }

  /** @param {Connection} connection the one from before the seat was taken, of which nothing came */
  _offerAnew(connection) {
    if (connection !== this.current) return;
    this._drop();
    this.prepare();
  }

  _forget() {
    this.past?.close();
    this.past = null;
  }

  _drop() {
    const had = this.current !== null;
    this._forget();
    this.next?.close();
    this.current?.close();
    this.next = this.current = null;
    if (had) this.options.stream(this, null);
  }
}
