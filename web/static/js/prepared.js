/**
 * A connection made ready before there is a seat: the room's waiting offer is read, and answered if it may be. Then the line
 * stands before the click. Nothing of us is sent over it, and nothing that comes is shown, before the seat is ours.
 */

import { Connection } from "./connection.js";
import { configured } from "./ice.js";

/** @typedef {{ call: string | null, ice_servers: RTCIceServer[], ice_transport_policy: RTCIceTransportPolicy,
 *   offers: (import("./messages.js").DescriptionIn | import("./messages.js").CandidateIn)[] }} Upcoming */
/** @typedef {{ call: string, to: "room", generation: number, description: import("./messages.js").SessionDescription }} Answer */
/**
 * @typedef {object} PreparedOptions
 * @property {(answer: Answer) => Promise<boolean>} tell takes the answer to the room; false when none is awaited any more
 * @property {() => void} lost what was ready cannot be used any more
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} [connect]
 */

export class Prepared {
  /** @param {PreparedOptions} options */
  constructor(options) {
    this.options = options;
    this.call = "";
    /** @type {Connection | null} */
    this.connection = null;
    /** Whether it is to be used: not while an answer is on its way. */
    this.ready = false;
  }

  /**
   * Reads what waits in the call that comes next; whatever was ready before is let go.
   * @param {Upcoming} upcoming
   * @param {import("./connection.js").Tracks} tracks
   */
  async read({ call, ice_servers, ice_transport_policy, offers }, tracks) {
    const offer = offers.find((one) => one.from === "room" && one.type === "description");
    if (call === this.call && offer?.type === "description" && this.connection?.heard === offer.description.sdp) return;
    this.drop();
    if (!call || offer?.type !== "description" || offer.description.type !== "offer") return;
    const connection = Connection.inAdvance({
      generation: offer.generation,
      configuration: configured({ ice_servers, ice_transport_policy }),
      tracks,
      connect: this.options.connect ?? ((configuration) => new RTCPeerConnection(configuration)),
      changed: ({ pc }) => this._changed(connection, pc.connectionState),
    });
    this.call = call;
    this.connection = connection;
    try {
      await connection.read(offer.description);
      if (offer.in_advance) await this._answer(call, connection);
      this.ready = this.connection === connection;
    } catch {
      // the offer will come again with the seat, and be read as any other
      if (this.connection === connection) this.drop();
    }
  }

  /** The own devices changed. @param {import("./connection.js").Tracks} tracks */
  use(tracks) {
    void this.connection?.use(tracks);
  }

  /** The session is ours, and so is the seat we are about to take: our picture and sound may go. @param {string} call */
  begin(call) {
    if (this.ready && call === this.call) void this.connection?.begin();
  }

  /**
   * The connection for this call, if it is the one that was expected; afterwards there is none.
   * @param {string} call
   */
  take(call) {
    const connection = this.ready && call === this.call ? this.connection : null;
    if (connection) this.connection = null;
    this.drop();
    return connection;
  }

  drop() {
    this.connection?.close();
    this.connection = null;
    this.ready = false;
    this.call = "";
  }

  /**
   * @param {string} call
   * @param {Connection} connection
   */
  async _answer(call, connection) {
    const sdp = await connection.answerInAdvance();
    if (this.connection !== connection) return;
    const { generation } = connection;
    connection.orElse(() => this._lost(connection));
    const awaited = await this.options.tell({ call, to: "room", generation, description: { type: "answer", sdp } });
    if (!awaited && this.connection === connection) this.drop();
  }

  /**
   * @param {Connection} connection
   * @param {RTCPeerConnectionState} state
   */
  _changed(connection, state) {
    if (state === "failed" || state === "closed" || state === "disconnected") this._lost(connection);
  }

  /** @param {Connection} connection */
  _lost(connection) {
    if (connection !== this.connection) return;
    this.drop();
    this.options.lost();
  }
}
