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

/** Whatever stands between us and the server may say anything. */
const LONGEST_ASKED_SECONDS = 60;
/** Who is asked to wait comes a little later by chance, never sooner. */
const SPREAD = 0.25;

/**
 * @param {number} tries how often it failed before
 * @param {() => number} [random]
 * @param {number} [asked] how many seconds the server wants us to wait
 */
export function backoff(tries, random = Math.random, asked = 0) {
  const whole = tries > SHORT_OUTAGE_TRIES ? LONG_MS : PAUSES_MS[tries] ?? MOST_MS;
  return Math.max(whole * (1 - random() / 2), Math.min(asked, LONGEST_ASKED_SECONDS) * 1000 * (1 + random() * SPREAD));
}

/** What the server says of it, in seconds; 0 when nothing that makes sense. @param {unknown} said */
export function seconds(said) {
  const number = Number(said ?? 0);
  return Number.isFinite(number) ? Math.max(0, number) : 0;
}
