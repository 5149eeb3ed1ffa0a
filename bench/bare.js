// The yardstick: two browsers and a websocket that carries every message to the other. Camera and microphone are open
// before the click, everything else is the browser's default: offer on click, answer, trickled candidates.

const socket = new WebSocket(`ws://${location.host}/relay`);
const theirs = document.getElementById("theirs");
const own = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
let pc = null;
const waiting = [];
// Told, and not asked for again and again: that would keep the page busy while it is timed.
window.framed = () => new Promise((resolve) => (window.firstFrame ? resolve(window.firstFrame) : waiting.push(resolve)));

const send = (message) => socket.send(JSON.stringify(message));
const now = () => performance.timeOrigin + performance.now();

function connect() {
  pc?.close();
  pc = new RTCPeerConnection();
  for (const track of own.getTracks()) pc.addTrack(track, own);
  pc.onicecandidate = ({ candidate }) => send({ candidate });
  pc.ontrack = ({ streams }) => {
    if (theirs.srcObject === streams[0]) return;
    theirs.srcObject = streams[0];
    theirs.requestVideoFrameCallback(() => {
      window.firstFrame = now();
      for (const resolve of waiting.splice(0)) resolve(window.firstFrame);
    });
  };
  window.firstFrame = 0;
}

socket.onmessage = async ({ data }) => {
  const { description, candidate } = JSON.parse(data);
  if (description?.type === "offer") connect();
  if (description) await pc.setRemoteDescription(description);
  if (description?.type === "offer") {
    await pc.setLocalDescription();
    send({ description: pc.localDescription });
  }
  if (candidate) await pc.addIceCandidate(candidate);
};

document.getElementById("call").onclick = async () => {
  window.clicked = now();
  connect();
  await pc.setLocalDescription();
  send({ description: pc.localDescription });
};

window.hangUp = () => {
  pc?.close();
  theirs.srcObject = null;
  window.firstFrame = 0;
};
window.ready = true;
