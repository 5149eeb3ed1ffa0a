/** What we change in a received description before the browser sees it. The wire carries descriptions as they are. */

/** Video starts at this rate instead of the browser's 300 kbit/s: the first key frame is then whole and early. */
export const START_KBIT = 2500;
/** Below this no start rate is worth setting. */
const LEAST_KBIT = 150;

/**
 * `sdp` with a start bitrate on every video codec. The sender reads it from the *remote* description.
 * @param {string} sdp
 * @param {number} kbit
 */
export function withStartBitrate(sdp, kbit) {
  const rate = Math.round(Math.min(START_KBIT, Math.max(LEAST_KBIT, kbit)));
  const [session = "", ...media] = sdp.split(/(?=^m=)/m);
  return session + media.map((part) => (part.startsWith("m=video") ? rated(part, rate) : part)).join("");
}

/**
 * @param {string} part
 * @param {number} rate
 */
function rated(part, rate) {
  const parameter = `x-google-start-bitrate=${rate}`;
  return part.replace(/^a=rtpmap:(\d+) (VP8|VP9|H264|H265|AV1)\/90000\r?\n/gm, (line, type) => {
    const has = new RegExp(`^a=fmtp:${type} `, "m").test(part);
    return has ? line : `${line}a=fmtp:${type} ${parameter}\r\n`;
  }).replace(/^(a=fmtp:(\d+) )(?!x-google|apt=)(.*?)(\r?\n)/gm, (_line, start, _type, rest, end) =>
    `${start}${rest};${parameter}${end}`);
}
