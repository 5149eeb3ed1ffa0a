/**
 * A pretended room agent in a page: sits on the seat `camera`, sends a picture of a table, and says on the channel
 * `document` what a test has it say. Marks and the pointer it keeps as the true one does. `window.agent` is for tests.
 */

import { Call } from "/js/call.js";

const WIDTH = 1280;
const HEIGHT = 720;
const FRAMES_PER_SECOND = 8;
const canvas = document.querySelector("canvas");
const pen = canvas.getContext("2d");
const peers = new Map();
const heard = [];
const picture = new Image();
/** What is said to each viewer that comes: the newest of each type. */
const said = new Map();
let marks = { type: "marks", page: 0, marks: [], pointer: null };

function tell(message) {
  said.set(message.type, message);
  for (const { channel } of peers.values()) if (channel.readyState === "open") channel.send(JSON.stringify(message));
}

/** Another sheet takes its marks with it. */
function page(message) {
  const whole = { type: "page", page: 1, at: new Date().toISOString(), view: "table", corners: null, hint: null, calm: true, ppi: null, ...message };
  tell(whole);
  if (whole.page !== marks.page) mark({ page: whole.page, marks: [], pointer: null });
}

function mark(change) {
  marks = { ...marks, ...change };
  tell(marks);
}

async function show(address) {
  picture.src = address;
  await picture.decode();
}

function draw() {
  pen.drawImage(picture, 0, 0, WIDTH, HEIGHT);
  // a picture that never changes is not sent at all
  pen.fillStyle = `rgb(${Math.random() * 255} 0 0)`;
  pen.fillRect(0, 0, 2, 2);
}

function listen(seat, text) {
  const message = JSON.parse(text);
  heard.push({ seat, ...message });
  const others = marks.marks.filter(({ id }) => id !== message.id);
  switch (message.type) {
    case "point":
      return mark({ pointer: message.point });
    case "point_end":
      return mark({ pointer: null });
    case "mark":
      return mark({ marks: [...others, { id: message.id, points: message.points }] });
    case "mark_undo":
      return mark({ marks: marks.marks.slice(0, -1) });
    case "mark_clear":
      return mark({ marks: [] });
    default:
      return undefined;
  }
}

async function offer(seat) {
  const generation = (peers.get(seat)?.generation ?? 0) + 1;
  peers.get(seat)?.pc.close();
  const pc = new RTCPeerConnection();
  const channel = pc.createDataChannel("document", { ordered: true });
  peers.set(seat, { pc, channel, generation });
  channel.onmessage = ({ data }) => listen(seat, data);
  channel.onopen = () => [...said.values()].forEach(tell);
  pc.addTransceiver(canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0], { direction: "sendonly" });
  pc.onicecandidate = ({ candidate }) => call.send({ type: "candidate", to: seat, generation, candidate: candidate?.toJSON() ?? null });
  await pc.setLocalDescription();
  call.send({ type: "description", to: seat, generation, description: { type: "offer", sdp: pc.localDescription.sdp } });
}

function received(message) {
  const peer = peers.get(message.from);
  if (message.type === "welcome") message.present.forEach(({ seat }) => void offer(seat));
  else if (message.type === "seat_joined") void offer(message.seat);
  else if (message.generation !== peer?.generation) return;
  else if (message.type === "description") void peer.pc.setRemoteDescription(message.description);
  else if (message.type === "candidate") void peer.pc.addIceCandidate(message.candidate ?? undefined);
}

const call = new Call({
  url: `${location.origin.replace("http", "ws")}/call`,
  ticket: async () => {
    const answer = await fetch("/api/v1/sessions/trial/ticket", { method: "POST", body: '{"seat": "camera"}' });
    return { ticket: (await answer.json()).ticket };
  },
  received,
  changed: () => undefined,
});

canvas.width = WIDTH;
canvas.height = HEIGHT;
let status = "ok";
setInterval(draw, 1000 / FRAMES_PER_SECOND);
const beat = () => tell({ type: "status", camera: status, at: new Date().toISOString(), ...(status === "ok" ? { width: 1920, height: 1080 } : {}) });
setInterval(beat, 500);
window.agent = {
  heard,
  tell,
  page,
  mark,
  show,
  camera: (state) => {
    status = state;
    beat();
  },
  sit: () => call.open(),
};
