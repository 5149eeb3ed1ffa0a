/**
 * The messages of the wire, as the browser sees them. The server's classes (signaling/messages.py) are the same list;
 * tests/wire/*.json is read by both. A server message of a type we do not know is ignored, never an error.
 */

/** @typedef {"room" | "camera" | "expert" | "expert2" | "advisor" | "interpreter"} SeatName */
/** @typedef {"host" | "srflx" | "relay"} Path */
/** @typedef {{ type: "offer" | "answer", sdp: string }} SessionDescription */
/** @typedef {Record<string, string | number | boolean>} Sample one W3C statistics object, flat */
/** @typedef {"bye" | "lost" | "replaced" | "identity"} LeaveReason */

/**
 * @typedef {{ kind: "decoded", peer: SeatName, generation: number, path: Path, setup_ms: number }
 *   | { kind: "interrupted", peer: SeatName, cause: string, since_ms: number, relay_protocol?: import("./reach.js").Reached }
 *   | { kind: "resumed", peer: SeatName, gap_ms: number }
 *   | { kind: "secured", peer: SeatName, generation: number, own: string, met: string }} Note
 */

/**
 * @typedef {{ type: "hello", ticket: string, answered?: number } | { type: "hello", resume: string }} Hello
 * @typedef {{ type: "description", to: SeatName, generation: number, description: SessionDescription,
 *   in_advance?: boolean }} DescriptionOut
 * @typedef {{ type: "candidate", to: SeatName, generation: number, candidate: RTCIceCandidateInit | null }} CandidateOut
 * @typedef {{ type: "restart", to: SeatName, generation: number }} RestartOut
 * @typedef {{ type: "quality", peer: SeatName, generation: number, stats: Sample[] }} Quality
 * @typedef {{ type: "noted", note: Note }} Noted
 * @typedef {{ type: "bye" }} Bye
 * @typedef {Hello | DescriptionOut | CandidateOut | RestartOut | Quality | Noted | Bye} FromPeer
 */

/**
 * @typedef {{ seat: SeatName, epoch: number }} Present
 * @typedef {{ type: "welcome", seat: SeatName, epoch: number, present: Present[], heartbeat_seconds: number,
 *   resume: string }} Welcome
 * @typedef {{ type: "seat_joined", seat: SeatName, epoch: number, answered?: number }} SeatJoined
 * @typedef {{ type: "seat_promised", seat: SeatName, answered: number }} SeatPromised
 * @typedef {{ type: "seat_left", seat: SeatName, reason: LeaveReason }} SeatLeft
 * @typedef {{ type: "description", from: SeatName, generation: number, description: SessionDescription,
 *   in_advance?: boolean }} DescriptionIn
 * @typedef {{ type: "candidate", from: SeatName, generation: number, candidate: RTCIceCandidateInit | null }} CandidateIn
 * @typedef {{ type: "restart", from: SeatName, generation: number }} RestartIn
 * @typedef {{ type: "call_closed", reason: string }} CallClosed
 * @typedef {{ type: "error", code: string, text: string, retry_after?: number }} ServerError
 * @typedef {Welcome | SeatJoined | SeatPromised | SeatLeft | DescriptionIn | CandidateIn | RestartIn | CallClosed | ServerError} FromServer
 */

export const SUBPROTOCOL = "etapalvelu.call.v1";

/** @type {Record<FromServer["type"], string[]>} the fields a message must have to be believed */
const FIELDS = {
  welcome: ["seat", "epoch", "present", "heartbeat_seconds", "resume"],
  seat_joined: ["seat", "epoch"],
  seat_promised: ["seat", "answered"],
  seat_left: ["seat", "reason"],
  description: ["from", "generation", "description"],
  candidate: ["from", "generation", "candidate"],
  restart: ["from", "generation"],
  call_closed: ["reason"],
  error: ["code", "text"],
};

/**
 * The message in `text`, or null when this version does not know it or it is not whole.
 * @param {string} text
 * @returns {FromServer | null}
 */
export function decode(text) {
  /** @type {unknown} */
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null || !("type" in raw)) return null;
  const message = /** @type {FromServer} */ (raw);
  const fields = Object.hasOwn(FIELDS, message.type) ? FIELDS[message.type] : null;
  return fields?.every((field) => field in raw) ? message : null;
}

/**
 * @param {FromPeer} message
 * @returns {string}
 */
export function encode(message) {
  return JSON.stringify(message);
}

/**
 * Stands in the `default` branch of a switch over a union: the compiler names the case that was forgotten.
 * @param {never} value
 * @returns {never}
 */
export function unhandled(value) {
  throw new Error(`unhandled: ${JSON.stringify(value)}`);
}
