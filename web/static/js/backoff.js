/**
 * How long to wait before what failed is tried again: soon at first, and never long while an outage may be a short one. Each
 * pause is a little shorter by chance, so that a thousand pages do not come back in the same moment.
 */

const PAUSES_MS = [200, 400, 700];
/** Somebody looks at the page: it is to be whole again within a second of the server's return. */
const MOST_MS = 900;
/** An outage of some five minutes is no short one. */
const SHORT_OUTAGE_TRIES = 400;
const LONG_MS = 5000;

/**
 * @param {number} tries how often it failed before
 * @param {() => number} [random]
 */
export function backoff(tries, random = Math.random) {
  const whole = tries > SHORT_OUTAGE_TRIES ? LONG_MS : PAUSES_MS[tries] ?? MOST_MS;
  return whole * (1 - random() / 2);
}
