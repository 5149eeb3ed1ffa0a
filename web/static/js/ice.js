/** What a peer connection is configured with, from what the server gives out. */

/** @typedef {{ ice_servers: RTCIceServer[], ice_transport_policy: RTCIceTransportPolicy }} Ice */

/**
 * @param {Ice} ice
 * @returns {RTCConfiguration}
 */
export function configured({ ice_servers, ice_transport_policy }) {
  return { iceServers: ice_servers, iceTransportPolicy: ice_transport_policy, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
}

/**
 * The screen and the camera stand in one room: nothing is hidden between them.
 * @param {Ice} ticket
 * @param {import("./messages.js").SeatName} own
 * @param {import("./messages.js").SeatName} other
 * @returns {RTCConfiguration}
 */
export function within(ticket, own, other) {
  return configured(own === "room" && other === "camera" ? { ice_servers: [], ice_transport_policy: "all" } : ticket);
}
