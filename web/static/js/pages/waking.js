/** A machine that slept or was off the network: its sockets may be dead without the browser knowing. */

const TICK_MS = 1000;
const ASLEEP_MS = 4000;
/** Browsers let the timers of hidden pages run once a minute. */
const HIDDEN_ASLEEP_MS = 70_000;

/** @param {() => void} tell the machine is back: everything is to be helped at once */
export function woken(tell) {
  // the wall clock, since others stand still while the machine sleeps
  let before = Date.now();
  setInterval(() => {
    const now = Date.now();
    const missed = now - before - TICK_MS;
    before = now;
    if (missed > (document.hidden ? HIDDEN_ASLEEP_MS : ASLEEP_MS)) tell();
  }, TICK_MS);
  addEventListener("online", tell);
}
