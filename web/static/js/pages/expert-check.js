/** The expert's own machine looks at itself when the expert asks. The results stand here and go nowhere. */

import { directFinding, relayFinding, serverFindings, socketFinding } from "../check-line.js";
import { SUBPROTOCOL } from "../messages.js";
import { cameraFinding, codecFinding, soundFindings } from "./check-media.js";
import { callAddress, element, say, says } from "./page.js";

/** @typedef {import("../check-line.js").Finding} Finding */

const CODES = ["camera", "microphone", "speaker", "server_http", "server_socket", "direct_path", "relay", "codecs", "clock"];
const SHAPES = { ok: "good", warn: "warn", failed: "bad", skipped: "unknown" };
const KINDS = { ok: "good", warn: "warn", failed: "bad", skipped: "" };

/** @param {import("../api.js").Api} server */
export function expertCheck(server) {
  const dialog = element("check-dialog", HTMLDialogElement);
  const again = element("check-again", HTMLButtonElement);
  /** @type {AbortController | null} */
  let looking = null;

  async function begin() {
    looking?.abort();
    const own = new AbortController();
    looking = own;
    again.disabled = true;
    element("check-words", HTMLElement).textContent = say("check.running");
    element("check-list", HTMLElement).replaceChildren(...CODES.map((code) => row(code, null)));
    /** @type {Finding[]} */
    const found = [];
    const take = (/** @type {Finding[]} */ findings) => {
      if (own.signal.aborted) return;
      for (const finding of findings) document.getElementById(`check-${finding.code}`)?.replaceWith(row(finding.code, finding));
      found.push(...findings);
    };
    await Promise.allSettled([
      cameraFinding(own.signal).then((one) => take([one])).then(() => soundFindings(own.signal)).then(take),
      lines(server, take),
    ]);
    if (own.signal.aborted) return;
    const bad = found.filter(({ result }) => result === "failed").length;
    element("check-words", HTMLElement).textContent = bad ? say("check.some_failed", { count: bad }) : say("check.all_well");
    again.disabled = false;
  }

  element("check-open", HTMLButtonElement).addEventListener("click", () => {
    dialog.showModal();
    void begin();
  });
  again.addEventListener("click", () => void begin());
  dialog.addEventListener("close", () => looking?.abort());
}

/**
 * @param {import("../api.js").Api} server
 * @param {(findings: Finding[]) => void} take
 */
async function lines(server, take) {
  take([codecFinding()]);
  take(await serverFindings());
  take([await socketFinding(() => new WebSocket(callAddress(), SUBPROTOCOL))]);
  const make = (/** @type {RTCConfiguration} */ configuration) => new RTCPeerConnection(configuration);
  take([await directFinding(make)]);
  try {
    const { ice_servers: servers } = /** @type {{ ice_servers: RTCIceServer[] }} */ (await server.get("/queue/next"));
    take([await relayFinding(make, servers)]);
  } catch {
    take([{ code: "relay", result: "skipped", note: "no_answer" }]);
  }
}

/**
 * @param {string} code
 * @param {Finding | null} finding null while it is looked at
 */
function row(code, finding) {
  const place = document.createElement("li");
  place.id = `check-${code}`;
  place.className = "check-row";
  const name = document.createElement("span");
  name.className = "check-name";
  name.textContent = say(`check.name.${code}`);
  place.append(badge(finding), name);
  const words = finding ? told(finding) : "";
  if (words) {
    const told = document.createElement("span");
    told.className = "check-told";
    told.textContent = words;
    place.append(told);
  }
  return place;
}

/** @param {Finding} finding what to do, or why it was left out */
function told({ code, result, note }) {
  if (result === "ok") return "";
  const special = `check.do.${code}_${note}`;
  if (note && says(special)) return say(special);
  return result === "skipped" ? say(`check.skipped.${note === "no_turn" ? "no_turn" : "other"}`) : say(`check.do.${code}`);
}

/** @param {Finding | null} finding */
function badge(finding) {
  const place = document.createElement("span");
  const result = finding?.result;
  place.className = result && KINDS[result] ? `badge badge-${KINDS[result]}` : "badge";
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${result ? SHAPES[result] : "wait"}`);
  icon.append(use);
  place.append(icon, say(`check.result.${result ?? "running"}`));
  return place;
}
