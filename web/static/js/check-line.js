/** A look at this browser's ways: to the server, to itself over its own network, and to a relay where one is named. */

import { givesAddress, isRelay } from "./reach.js";

/** @typedef {"ok" | "warn" | "failed" | "skipped"} Result */
/** @typedef {{ code: string, result: Result, figure?: number, note?: string }} Finding */

const ASKED_TIMES = 5;
const LIMIT_MS = 6000;
const GOOD_ANSWER_MS = 300;
const ENOUGH_ANSWER_MS = 1500;
/** The server's Date has whole seconds. */
const GOOD_CLOCK_SECONDS = 30;

/**
 * How fast the server answers, and how far this machine's clock is from its.
 * @param {typeof fetch} [ask]
 * @returns {Promise<Finding[]>}
 */
export async function serverFindings(ask = fetch) {
  const took = [];
  let apart = Infinity;
  try {
    for (let asked = 0; asked < ASKED_TIMES; asked += 1) {
      const began = performance.now();
      const answer = await ask("/healthz", { cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) });
      took.push(performance.now() - began);
      apart = Math.min(apart, Math.abs(Date.now() - Date.parse(answer.headers.get("Date") ?? "")) / 1000);
    }
  } catch {
    return [{ code: "server_http", result: "failed", note: "no_answer" }, { code: "clock", result: "skipped", note: "no_answer" }];
  }
  const middle = Math.round(took.sort((one, other) => one - other)[Math.floor(ASKED_TIMES / 2)] ?? 0);
  return [
    { code: "server_http", result: middle <= GOOD_ANSWER_MS ? "ok" : middle <= ENOUGH_ANSWER_MS ? "warn" : "failed", figure: middle },
    // Number.NaN where a proxy took the header away
    Number.isFinite(apart)
      ? { code: "clock", result: apart <= GOOD_CLOCK_SECONDS ? "ok" : "warn", figure: Math.round(apart) }
      : { code: "clock", result: "skipped", note: "not_measured" },
  ];
}

/**
 * @param {() => WebSocket} open
 * @returns {Promise<Finding>}
 */
export async function socketFinding(open) {
  const began = performance.now();
  const socket = open();
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = socket.onclose = () => resolve(false);
    setTimeout(() => resolve(false), LIMIT_MS);
  });
  socket.onclose = socket.onerror = null;
  socket.close();
  if (!opened) return { code: "server_socket", result: "failed", note: "no_answer" };
  return { code: "server_socket", result: "ok", figure: Math.round(performance.now() - began) };
}

/**
 * Two ends in this browser meet without any help.
 * @param {(configuration: RTCConfiguration) => RTCPeerConnection} make
 * @returns {Promise<Finding>}
 */
export async function directFinding(make) {
  const [one, other] = [make({ iceServers: [] }), make({ iceServers: [] })];
  try {
    const began = performance.now();
    const channel = one.createDataChannel("check");
    const met = new Promise((resolve) => {
      channel.onopen = () => resolve(true);
      setTimeout(() => resolve(false), LIMIT_MS);
    });
    one.onicecandidate = ({ candidate }) => candidate && void other.addIceCandidate(candidate).catch(() => undefined);
    other.onicecandidate = ({ candidate }) => candidate && void one.addIceCandidate(candidate).catch(() => undefined);
    await one.setLocalDescription();
    await other.setRemoteDescription(/** @type {RTCSessionDescription} */ (one.localDescription));
    await other.setLocalDescription();
    await one.setRemoteDescription(/** @type {RTCSessionDescription} */ (other.localDescription));
    if (!await met) return { code: "direct_path", result: "failed", note: "no_network" };
    return { code: "direct_path", result: "ok", figure: Math.round(performance.now() - began) };
  } finally {
    one.close();
    other.close();
  }
}

/**
 * Whether a relay gives an address.
 * @param {(configuration: RTCConfiguration) => RTCPeerConnection} make
 * @param {RTCIceServer[]} servers
 * @returns {Promise<Finding>}
 */
export async function relayFinding(make, servers) {
  const named = servers.some(({ urls }) => [urls].flat().some(isRelay));
  if (!named) return { code: "relay", result: "skipped", note: "no_turn" };
  const began = performance.now();
  if (!await givesAddress(make, servers, LIMIT_MS)) return { code: "relay", result: "failed", note: "no_answer" };
  return { code: "relay", result: "ok", figure: Math.round(performance.now() - began) };
}
