import assert from "node:assert/strict";
import { test } from "node:test";

import { withStartBitrate } from "../../web/static/js/description.js";

const lines = (...text) => `${text.join("\r\n")}\r\n`;

test("every video codec gets the start rate, sound and repair do not", () => {
  const sdp = lines("v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
    "a=rtpmap:103 H264/90000", "a=fmtp:103 packetization-mode=1");

  assert.equal(withStartBitrate(sdp, 9000), lines("v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10", "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103", "a=rtpmap:96 VP8/90000",
    "a=fmtp:96 x-google-start-bitrate=2500", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:103 H264/90000",
    "a=fmtp:103 packetization-mode=1;x-google-start-bitrate=2500"));
});

test("a thin line keeps the rate it carried last", () => {
  const sdp = lines("v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000");

  assert.match(withStartBitrate(sdp, 400.4), /^a=fmtp:96 x-google-start-bitrate=400\r$/m);
});
