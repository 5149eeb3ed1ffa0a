/**
 * A connection made ready before there is a seat: the room's waiting offer is read, and only the answer is left to make.
 * Nothing leaves this machine before the answer does, and that needs the seat.
 */

import { Connection } from "./connection.js";

/** @typedef {{ call: string | null, ice_servers: RTCIceServer[], ice_transport_policy: RTCIceTransportPolicy,
 *   offers: (import("./messages.js").DescriptionIn | import("./messages.js").CandidateIn)[] }} Upcoming */

export class Prepared {
  /** @param {((configuration: RTCConfiguration) => RTCPeerConnection)} [connect] */
  constructor(connect = (configuration) => new RTCPeerConnection(configuration)) {
    this.connect = connect;
    this.call = "";
    /** @type {Connection | null} */
    this.connection = null;
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
    const connection = Connection.reading({
      generation: offer.generation,
      configuration: configured({ ice_servers, ice_transport_policy }),
      tracks,
      connect: this.connect,
    });
    this.call = call;
    this.connection = connection;
    try {
      await connection.read(offer.description);
    } catch {
      // the offer will come again with the seat, and be read as any other
      if (this.connection === connection) this.drop();
    }
  }

  /** The own devices changed. @param {import("./connection.js").Tracks} tracks */
  use(tracks) {
    void this.connection?.use(tracks);
  }

  /**
   * The connection for this call, if it is the one that was expected; afterwards there is none.
   * @param {string} call
   */
  take(call) {
    const connection = call === this.call ? this.connection : null;
    if (connection) this.connection = null;
    this.drop();
    return connection;
  }

  drop() {
    this.connection?.close();
    this.connection = null;
    this.call = "";
  }
}

/**
 * @param {{ ice_servers: RTCIceServer[], ice_transport_policy: RTCIceTransportPolicy }} ice
 * @returns {RTCConfiguration}
 */
export function configured({ ice_servers, ice_transport_policy }) {
  return { iceServers: ice_servers, iceTransportPolicy: ice_transport_policy, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
}
