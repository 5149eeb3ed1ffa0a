/** Reading getStats: a summary for the log under its W3C names, and the few figures the line watch lives on. */

/** @typedef {import("./messages.js").Sample} Sample */
/** @typedef {import("./messages.js").Path} Path */
/**
 * `received`: all that came over the connection, reports and messages included; `silent`: milliseconds since the last packet
 * of sound or picture.
 * @typedef {{ frames: number, samples: number, bytes: number, received: number, silent: number, bitrate: number }} Figures
 */
/** @typedef {Record<string, unknown> & { type: string, id: string }} Entry */

const KEPT = ["type", "kind", "framesPerSecond", "framesDecoded", "framesSent", "packetsLost", "packetsReceived", "packetsSent",
  "jitter", "roundTripTime", "currentRoundTripTime", "availableOutgoingBitrate", "bytesReceived", "bytesSent", "frameWidth",
  "frameHeight", "freezeCount", "totalFreezesDuration", "qualityLimitationReason"];
const TYPES = new Set(["inbound-rtp", "outbound-rtp", "remote-inbound-rtp", "candidate-pair"]);

/**
 * @param {RTCStatsReport} report
 * @returns {Sample[]}
 */
export function summary(report) {
  const pair = selected(report);
  return entries(report)
    .filter((entry) => TYPES.has(entry.type) && (entry.type !== "candidate-pair" || entry === pair))
    .map(kept);
}

/** @returns {Figures} */
export function noFigures() {
  return { frames: 0, samples: 0, bytes: 0, received: 0, silent: 0, bitrate: 0 };
}

/**
 * Frames decoded, sound samples really received (not made up by concealment), bytes, and the rate the line would carry.
 * @param {RTCStatsReport} report
 * @returns {Figures}
 */
export function figures(report) {
  const figures = noFigures();
  /** @type {number[]} */
  const silences = [];
  for (const entry of entries(report)) {
    if (entry.type === "transport") figures.received += number(entry["bytesReceived"]);
    if (entry.type !== "inbound-rtp") continue;
    const last = number(entry["lastPacketReceivedTimestamp"]);
    if (last > 0) silences.push(number(entry["timestamp"]) - last);
    figures.bytes += number(entry["bytesReceived"]);
    figures.frames += entry["kind"] === "video" ? number(entry["framesDecoded"]) : 0;
    figures.samples += number(entry["totalSamplesReceived"]) - number(entry["concealedSamples"]);
  }
  figures.silent = silences.length > 0 ? Math.max(0, Math.min(...silences)) : 0;
  figures.bitrate = number(selected(report)?.["availableOutgoingBitrate"]);
  return figures;
}

/**
 * The way the packets go: through a relay, over a translated address, or straight.
 * @param {RTCStatsReport} report
 * @returns {Path}
 */
export function path(report) {
  const pair = selected(report);
  const ends = [pair?.["localCandidateId"], pair?.["remoteCandidateId"]].map((id) => report.get(String(id))?.candidateType);
  if (ends.includes("relay")) return "relay";
  return ends.includes("srflx") || ends.includes("prflx") ? "srflx" : "host";
}

/** Whether our own end of the way is over UDP, to a relay of ours or without one. @param {RTCStatsReport} report */
export function usesUdp(report) {
  const local = report.get(String(selected(report)?.["localCandidateId"]));
  return (local?.relayProtocol ?? local?.protocol) === "udp";
}

/** Whether a relay is on the way, ours or theirs. @param {RTCStatsReport} report */
export function relayed(report) {
  return path(report) === "relay";
}

/**
 * @param {RTCStatsReport} report
 * @returns {Entry | undefined}
 */
function selected(report) {
  const transport = entries(report).find((entry) => entry.type === "transport");
  return transport && report.get(String(transport["selectedCandidatePairId"]));
}

/**
 * @param {RTCStatsReport} report
 * @returns {Entry[]}
 */
function entries(report) {
  return [.../** @type {Iterable<Entry>} */ (report.values())];
}

/**
 * @param {Entry} entry
 * @returns {Sample}
 */
function kept(entry) {
  /** @type {Sample} */
  const sample = {};
  for (const name of KEPT) {
    const value = entry[name];
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") sample[name] = value;
  }
  return sample;
}

/** @param {unknown} value */
function number(value) {
  return typeof value === "number" ? value : 0;
}
