/**
 * One RTCPeerConnection with one generation number, and perfect negotiation on it. All m-lines stand from the first
 * description on; later only tracks are replaced. Who the other is, and when to begin anew, is peer.js's matter.
 */

import { START_KBIT, withStartBitrate } from "./description.js";
import { isStranger } from "./identity.js";
import { relayed } from "./stats.js";

/** @typedef {import("./messages.js").SessionDescription} SessionDescription */
/** @typedef {{ audio: MediaStreamTrack | null, video: MediaStreamTrack | null }} Tracks */

/**
 * @typedef {object} ConnectionOptions
 * @property {number} generation
 * @property {boolean} polite gives way when two offers collide
 * @property {RTCConfiguration} configuration
 * @property {number} [startKbit]
 * @property {Tracks | null} tracks what we send; null when we only look on
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} connect
 * @property {(description: SessionDescription) => void} describe
 * @property {(candidate: RTCIceCandidateInit | null) => void} candidate
 * @property {(connection: Connection) => void} changed its state moved
 * @property {(connection: Connection) => void} arrived its stream has tracks, and no answer waits to be made any more
 * @property {(connection: Connection, channel: RTCDataChannel) => void} channel
 * @property {() => void} [refused] a relay does not take our credentials
 */

/** People's pictures yield to the document: no more than this. */
const PEOPLE_KBIT = 1500;
const GATHERING_LIMIT_MS = 1500;
/** A line that does not stand so long after it was answered in advance is given up: who answered may be gone. */
const STANDS_WITHIN_MS = 4000;
/** A new path is found sooner, or not at all. */
const MENDING_MS = 3000;
/** STUN's "unauthorized", RFC 8489. */
const UNAUTHORIZED = 401;

export class Connection {
  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.options = options;
    this.generation = options.generation;
    this.pc = options.connect(options.configuration);
    this.stream = new MediaStream();
    this.began = performance.now();
    this.offering = false;
    this.ignoring = false;
    this.ended = false;
    /** Somebody else's certificate was announced for this connection. */
    this.stranger = false;
    /** The last description of theirs that was read, as it came. */
    this.heard = "";
    this.adjusted = { audio: Promise.resolve(), video: Promise.resolve() };
    this.mending = -Infinity;
    /** The last description that came, read or being read. @type {Promise<unknown>} */
    this.received = Promise.resolve();
    /** How many descriptions are being read, or wait for it. */
    this.unread = 0;
    /** Whether candidates are told one by one; what is said in advance carries them all. */
    this.trickle = true;
    /** The channel `text` as it came, or was made. @type {RTCDataChannel | null} */
    this.text = null;
    /** Nothing of us is sent before `begin`. */
    this.silent = false;
    /** Whether it is known who is at the other end: what comes from there is shown and believed. */
    this.shown = false;
    this.pc.onicecandidate = ({ candidate }) => {
      if (this.trickle) this.options.candidate(candidate ? candidate.toJSON() : null);
    };
    let wasConnected = false;
    this.pc.onconnectionstatechange = () => {
      // back after a gap: the other side waits for a whole picture
      if (this.connected && wasConnected) void this.sendKeyFrame();
      wasConnected ||= this.connected;
      this.options.changed(this);
    };
    this.pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      if (this.pc.signalingState === "stable") this.options.arrived(this);
    };
    this.pc.ondatachannel = ({ channel }) => this._talk(channel);
    this.pc.onicecandidateerror = ({ errorCode }) => {
      if (errorCode === UNAUTHORIZED) this.options.refused?.();
    };
  }

  /**
   * One that has no seat to talk from yet: it reads an offer, may answer it in advance, and is adopted by a peer later.
   * Our picture and sound are ready in it.
   * @param {Pick<ConnectionOptions, "generation" | "configuration" | "tracks" | "connect" | "changed">} options
   */
  static inAdvance(options) {
    const nobody = () => undefined;
    return new Connection({ ...options, polite: true, describe: nobody, candidate: nobody, arrived: nobody, channel: nobody });
  }

  /** Answers what was read, before there is a seat: nothing of us is sent. Tells the answer with every candidate in it. */
  async answerInAdvance() {
    this.silent = true;
    await this._activate(false);
    this.trickle = false;
    await this.answer();
    await this._gathered();
    this.trickle = true;
    return /** @type {RTCSessionDescription} */ (this.pc.localDescription).sdp;
  }

  /** Calls back if the line does not stand in time. @param {() => void} then */
  orElse(then) {
    setTimeout(() => {
      if (!this.ended && !this.connected) then();
    }, STANDS_WITHIN_MS);
  }

  /** Whether both ends are described, and nothing is under way. */
  get described() {
    return this.heard !== "" && this.pc.signalingState === "stable";
  }

  /** @param {SessionDescription} description */
  async read(description) {
    this._join();
    this.heard = description.sdp;
    await this._remember(description);
  }

  /** Answers what was read. A picture is put on the page afterwards: that takes the page longer than answering. */
  async answer() {
    await this._attach();
    await this._describe();
    if (!this.ended) this.options.arrived(this);
  }

  /**
   * The first offer: sound, camera, a place for a shared screen, and the channel `text`, in this order.
   * @param {{ inAdvance: boolean }} how in advance: nobody is there yet, so one whole offer is left waiting
   */
  async offer({ inAdvance }) {
    const { audio = null, video = null } = this.options.tracks ?? {};
    this.silent = inAdvance;
    const both = /** @type {RTCRtpTransceiverInit} */ ({ direction: "sendrecv", sendEncodings: [{ active: !inAdvance }] });
    this.pc.addTransceiver(audio ?? "audio", both);
    this.pc.addTransceiver(video ?? "video", both);
    this.pc.addTransceiver("video", { direction: "inactive" });
    for (const line of this.pc.getTransceivers()) narrow(line);
    this._talk(this.pc.createDataChannel("text", { ordered: true }));
    this.trickle = !inAdvance;
    await this._describe();
    if (!inAdvance) return;
    await this._gathered();
    this.trickle = true;
    this._tell();
  }

  /** Who sits at the other end is to see and hear us from now on. */
  async begin() {
    if (!this.silent) return;
    this.silent = false;
    // a description that is read at this moment makes the first try void
    await this._activate(true).catch(() => this._activate(true));
  }

  /** Mends the path under the connection; tracks, channels and generation stay. */
  async restartIce() {
    if (this.ended) return;
    this.mending = performance.now();
    // the offer before it has no answer, and may have gone down with a socket
    if (this.pc.signalingState === "have-local-offer") return this._tell();
    if (this.pc.signalingState !== "stable") return;
    this.pc.restartIce();
    await this._describe();
  }

  /** Tells the last description once more, now with every candidate there is: the first time may have been lost. */
  tellAgain() {
    const { localDescription, signalingState } = this.pc;
    const unanswered = signalingState === "have-local-offer" && this.trickle;
    const answered = signalingState === "stable" && localDescription?.type === "answer";
    if (unanswered || answered) this._tell();
  }

  /**
   * One description after the other. Two offers read at once, as when one is said again, would both be answered: the second
   * answer is made when all is stable, so it would be an offer, and Chromium then draws no picture any more.
   * @param {SessionDescription} description
   */
  receive(description) {
    this.unread += 1;
    const reading = this.unread === 1 ? this._receive(description) : this.received.then(() => this._receive(description));
    const done = () => void (this.unread -= 1);
    this.received = reading.then(done, done);
    return reading;
  }

  /** @param {SessionDescription} description */
  async _receive(description) {
    const offer = description.type === "offer";
    const collision = offer && (this.offering || this.pc.signalingState !== "stable");
    this.ignoring = collision && !this.options.polite;
    if (this.ignoring || this.ended) return;
    if (!offer && this.pc.signalingState !== "have-local-offer") return;
    this.stranger ||= isStranger(this.heard, description.sdp);
    if (this.stranger) return;
    if (offer && this.heard === "") this._join();
    this.heard = description.sdp;
    await this._remember(description);
    if (offer) await this.answer();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async receiveCandidate(candidate) {
    // one that is being read is before it already; one that waits is not
    if (this.unread > 1) await this.received;
    if (this.ended) return;
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.ignoring) throw error;
    }
  }

  /** @param {Tracks} tracks */
  async use(tracks) {
    this.options.tracks = tracks;
    const { audio, video } = this._lines();
    await Promise.all([audio?.sender.replaceTrack(tracks.audio), video?.sender.replaceTrack(tracks.video)]);
  }

  /**
   * What is gathered from now on uses these relays and credentials; tells whether a relay is on the way now.
   * @param {RTCConfiguration} configuration
   */
  async configure(configuration) {
    if (this.ended) return false;
    this.pc.setConfiguration(configuration);
    return relayed(await this.pc.getStats());
  }

  /** Sends a whole picture now: the other side has none to build on. */
  async sendKeyFrame() {
    if (!this.options.tracks?.video) return;
    await this._adjust("video", (parameters) => ({ encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) }));
  }

  /**
   * Over a dead line no picture is sent: the other end would ask for each lost packet once it is back, and a thin line would
   * carry old pictures for seconds. It begins anew with a whole one.
   * @param {boolean} flows
   */
  async carry(flows) {
    if (this.silent) return;
    await this._adjust("video", (parameters) => {
      for (const encoding of parameters.encodings) encoding.active = flows;
      return flows ? { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) } : {};
    });
  }

  /** The document goes before people's pictures. Not at the start: a lower limit would hold the first key frame back. */
  limit() {
    return this._adjust("video", (parameters) => {
      for (const encoding of parameters.encodings) encoding.maxBitrate = PEOPLE_KBIT * 1000;
      return {};
    });
  }

  /**
   * An encoding that is not active sends nothing, and is ready to: sooner than a track that is put in its place.
   * @param {boolean} active
   */
  async _activate(active) {
    const change = (/** @type {RTCRtpSendParameters} */ parameters) => {
      for (const encoding of parameters.encodings) encoding.active = active;
      return {};
    };
    await Promise.all([this._adjust("video", change), this._adjust("audio", change)]);
  }

  get connected() {
    return this.pc.connectionState === "connected";
  }

  /** A new path is being looked for. */
  get isMending() {
    return performance.now() - this.mending < MENDING_MS;
  }

  close() {
    if (this.ended) return;
    this.ended = true;
    const { pc } = this;
    pc.onicecandidate = pc.onicecandidateerror = pc.onconnectionstatechange = pc.ontrack = pc.ondatachannel = null;
    pc.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  /** @param {RTCDataChannel} channel */
  _talk(channel) {
    if (channel.label === "text") this.text = channel;
    this.options.channel(this, channel);
  }

  async _describe() {
    this.offering = true;
    try {
      await this.pc.setLocalDescription();
    } finally {
      this.offering = false;
    }
    if (this.trickle) this._tell();
  }

  _tell() {
    const description = this.pc.localDescription;
    if (this.ended || !description) return;
    this.options.describe({ type: description.type === "offer" ? "offer" : "answer", sdp: description.sdp });
  }

  /** @param {SessionDescription} description */
  async _remember({ type, sdp }) {
    await this.pc.setRemoteDescription({ type, sdp: withStartBitrate(sdp, this.options.startKbit ?? START_KBIT) });
  }

  /** Own tracks there are find the m-lines of the offer by themselves, when they are here before it. */
  _join() {
    for (const track of [this.options.tracks?.audio, this.options.tracks?.video]) if (track) this.pc.addTrack(track);
  }

  /** Sound and camera. A track that was here before the offer comes first in the list, so the list's order tells nothing. */
  _lines() {
    const lines = this.pc.getTransceivers();
    const first = (/** @type {string} */ kind) => lines.find((line) => line.receiver.track.kind === kind);
    return { audio: first("audio"), video: first("video") };
  }

  /** The m-lines of the offer are for both ways, and for the tracks of now, before it is answered. */
  async _attach() {
    if (this.options.tracks === null) return;
    const { audio, video } = this._lines();
    for (const line of [audio, video]) if (line && line.currentDirection === null) line.direction = "sendrecv";
    if (audio?.sender.track !== this.options.tracks.audio || video?.sender.track !== this.options.tracks.video) {
      await this.use(this.options.tracks);
    }
  }

  /**
   * Changes how picture or sound is sent; one change after the other, since the browser takes back only what it gave out last.
   * @param {"audio" | "video"} kind
   * @param {(parameters: RTCRtpSendParameters) => object} change tells the options that go with it
   */
  _adjust(kind, change) {
    const adjusting = this.adjusted[kind].then(async () => {
      const sender = this._lines()[kind]?.sender;
      const parameters = sender?.getParameters();
      if (this.ended || !sender || !parameters?.encodings?.length) return;
      const options = change(parameters);
      await /** @type {(p: RTCRtpSendParameters, o: object) => Promise<void>} */ (sender.setParameters).call(
        sender, parameters, options);
    });
    // whatever one change met, the next is tried; a connection that closes meanwhile is no fault
    this.adjusted[kind] = adjusting.catch(() => undefined);
    return adjusting.catch((error) => {
      if (!this.ended) throw error;
    });
  }

  _gathered() {
    const { pc } = this;
    return /** @type {Promise<void>} */ (new Promise((resolve) => {
      const done = () => {
        if (pc.iceGatheringState === "complete") resolve();
      };
      pc.addEventListener("icegatheringstatechange", done);
      setTimeout(resolve, GATHERING_LIMIT_MS);
      done();
    }));
  }
}

/** Every browser speaks these. A short offer is parsed sooner at both ends, and starts no codec that nobody uses. */
const CODECS = new Set(["audio/opus", "audio/telephone-event", "video/VP8", "video/H264", "video/rtx"]);

/** @param {RTCRtpTransceiver} line */
function narrow(line) {
  const { kind } = line.receiver.track;
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs.filter((codec) => CODECS.has(codec.mimeType)) ?? [];
  if (codecs.length > 0) line.setCodecPreferences(codecs);
}
