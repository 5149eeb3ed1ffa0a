/** The cause class of a loss, as far as one end can tell: whose line it is that carries nothing. */

/** @typedef {import("./messages.js").SeatName} SeatName */
/** @typedef {"site_network" | "expert_side" | "document_camera" | "unknown"} Cause */

/**
 * @param {object} loss
 * @param {SeatName} loss.own
 * @param {SeatName} loss.peer what is lost
 * @param {boolean} loss.ours our own way to the server is lost, or was until just now
 * @param {boolean} loss.dead nothing at all comes from there, not even sound
 * @param {boolean} loss.roomLives something still comes from the room in which the camera stands, or it is our own
 * @returns {Cause}
 */
export function blame({ own, peer, ours, dead, roomLives }) {
  if (ours) return side(own);
  if (!dead) return "unknown";
  return peer === "camera" && roomLives ? "document_camera" : side(peer);
}

/** @param {SeatName} seat */
function side(seat) {
  return seat === "expert" || seat === "expert2" ? "expert_side" : "site_network";
}
