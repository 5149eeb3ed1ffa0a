// A page that looks at the document: answers the agent's offer and notes, for every frame shown, how old its burnt-in clock is.

"use strict";

// The strip of etapalvelu/room/clock.py, in pixels of a 1920x1080 frame.
const STRIP = { left: 80, top: 80, cell: 40, columns: 11, rows: 4 };

window.looking = { connectedAt: 0, firstFrameAt: 0, firstWidth: 0, lags: [], shown: 0, unread: 0, told: [] };

async function answer(sdp) {
  const connection = new RTCPeerConnection({ iceServers: [] });
  window.connection = connection;
  connection.addEventListener("track", (event) => look(event.track));
  connection.addEventListener("connectionstatechange", () => {
    if (connection.connectionState === "connected") window.looking.connectedAt = performance.now();
  });
  connection.addEventListener("datachannel", (event) => {
    window.channel = event.channel;
    event.channel.binaryType = "arraybuffer";
    event.channel.addEventListener("message", (message) => {
      if (typeof message.data === "string") hear(JSON.parse(message.data));
    });
  });
  await connection.setRemoteDescription({ type: "offer", sdp });
  await connection.setLocalDescription();
  await new Promise((resolve) => {
    const check = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", check);
    check();
  });
  return connection.localDescription.sdp;
}

function hear(message) {
  if (message.type === "line") window.looking.told.push({ ...message, at: performance.now() });
}

function look(track) {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  video.play();
  const canvas = document.createElement("canvas");
  canvas.width = STRIP.columns * STRIP.cell;
  canvas.height = STRIP.rows * STRIP.cell;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const onFrame = () => {
    const seen = window.looking;
    if (!seen.firstFrameAt) [seen.firstFrameAt, seen.firstWidth] = [performance.now(), video.videoWidth];
    seen.shown += 1;
    brush.drawImage(video, STRIP.left, STRIP.top, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
    const clock = readClock(brush.getImageData(0, 0, canvas.width, canvas.height));
    if (clock === null) seen.unread += 1;
    else seen.lags.push({ at: performance.now(), lag: (Date.now() - clock + 2 ** 32) % 2 ** 32 });
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  window.video = video;
}

function readClock(image) {
  const bits = [];
  for (let row = 0; row < STRIP.rows; row++) {
    for (let column = 0; column < STRIP.columns; column++) {
      const x = (column + 0.5) * STRIP.cell, y = (row + 0.5) * STRIP.cell;
      bits.push(image.data[4 * (Math.floor(y) * image.width + Math.floor(x)) + 1] > 128 ? 1 : 0);
    }
  }
  const number = (from, count) => bits.slice(from, from + count).reduce((sum, bit) => sum * 2 + bit, 0);
  const parity = [2, 10, 18, 26].reduce((all, from) => all ^ number(from, 8), 0);
  const isWhole = bits[0] === 1 && bits[1] === 0 && bits[42] === 1 && bits[43] === 0 && number(34, 8) === parity;
  return isWhole ? number(2, 32) : null;
}

// What Chromium itself says of the picture.
async function inbound() {
  const report = await window.connection.getStats();
  const entries = [...report.values()];
  const stream = entries.find((entry) => entry.type === "inbound-rtp" && entry.kind === "video");
  if (!stream) return null;
  const codec = report.get(stream.codecId);
  return { ...stream, codec: codec?.mimeType, fmtp: codec?.sdpFmtpLine };
}

// The whole picture as it stands on the page, as a PNG.
function snapshot() {
  const canvas = document.createElement("canvas");
  canvas.width = window.video.videoWidth;
  canvas.height = window.video.videoHeight;
  canvas.getContext("2d").drawImage(window.video, 0, 0);
  return canvas.toDataURL("image/png");
}
