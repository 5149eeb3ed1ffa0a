/**
 * By which protocol a relay can be reached from here. A line that died does not tell on whose side packets are dropped; this
 * does: where the relay answers by TCP and no more by UDP, it is ours.
 */

/** @typedef {"udp" | "tcp" | "none"} Reached `tcp`: by TCP or TLS only; `none`: not at all */
/** @typedef {(configuration: RTCConfiguration) => RTCPeerConnection} Make */

/** The answer has to be there when the loss is noted. */
const LIMIT_MS = 1800;
/** Lines that die within this time of each other died of one thing: one look is enough. */
const TOGETHER_MS = 1000;

export class Reach {
  /** @param {Make} make */
  constructor(make) {
    this.make = make;
    /** @type {RTCIceServer[]} */
    this.servers = [];
    this.looked = -Infinity;
    /** @type {Reached | undefined} */
    this.seen = undefined;
  }

  /** A line died. Where a relay has not both ways there is nothing to compare. */
  async look() {
    const now = performance.now();
    const [udp, tcp] = [this._by(false), this._by(true)];
    if (now - this.looked < TOGETHER_MS || !udp.length || !tcp.length) return;
    this.looked = now;
    this.seen = undefined;
    const [byUdp, byTcp] = [givesAddress(this.make, udp, LIMIT_MS), givesAddress(this.make, tcp, LIMIT_MS)];
    const seen = await byUdp ? "udp" : await byTcp ? "tcp" : "none";
    // a later loss has a look of its own
    if (this.looked === now) this.seen = seen;
  }

  /**
   * What was seen of a loss; undefined where nothing was, or not yet. What was seen before it says nothing of it.
   * @param {number} lost by performance.now()
   */
  since(lost) {
    return this.looked > lost - TOGETHER_MS ? this.seen : undefined;
  }

  /** @param {boolean} tcp */
  _by(tcp) {
    return this.servers.map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => isRelay(url) && isTcp(url) === tcp) }))
      .filter(({ urls }) => urls.length > 0);
  }
}

/** @param {string} url RFC 7065 */
export function isRelay(url) {
  return /^turns?:/.test(url);
}

/** @param {string} url */
function isTcp(url) {
  return url.startsWith("turns:") || url.includes("transport=tcp");
}

/**
 * Whether one of these relays gives an address in time.
 * @param {Make} make
 * @param {RTCIceServer[]} servers
 * @param {number} limit milliseconds
 */
export async function givesAddress(make, servers, limit) {
  const connection = make({ iceServers: servers, iceTransportPolicy: "relay" });
  try {
    connection.createDataChannel("check");
    const given = new Promise((resolve) => {
      connection.onicecandidate = ({ candidate }) => candidate?.type === "relay" && resolve(true);
      setTimeout(() => resolve(false), limit);
    });
    await connection.setLocalDescription();
    return /** @type {boolean} */ (await given);
  } finally {
    connection.close();
  }
}
