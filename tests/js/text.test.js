import assert from "node:assert/strict";
import { test } from "node:test";

import { TextChannel } from "../../web/static/js/text.js";

/** A channel with everything that was said on it and heard from it. */
function talk() {
  const heard = [];
  const sent = [];
  const wire = { readyState: "open", send: (text) => sent.push(JSON.parse(text)) };
  const channel = new TextChannel({ camera: true, microphone: false }, {
    media: (shown) => heard.push(shown),
    keyFrame: () => heard.push("key frame"),
    opened: () => heard.push("opened"),
  });
  channel.use(wire);
  return { channel, wire, heard, sent };
}

test("what can be seen and heard is told when the channel opens and on each change", () => {
  const { channel, sent, heard } = talk();

  channel.show({ camera: false, microphone: true });
  channel.askKeyFrame();

  assert.deepEqual(heard, ["opened"]);
  assert.deepEqual(sent, [
    { type: "media", camera: true, microphone: false },
    { type: "media", camera: false, microphone: true },
    { type: "key_frame" },
  ]);
});

test("the other side's word is heard, and what is no message is passed over", () => {
  const { wire, heard } = talk();

  for (const data of ["", "{", "null", "7", "[]", '{"type": "media"}', '{"type": "media", "camera": 1, "microphone": true}', '{"type": "text", "text": "x"}']) {
    wire.onmessage({ data });
  }
  wire.onmessage({ data: '{"type": "media", "camera": false, "microphone": true, "more": 1}' });
  wire.onmessage({ data: '{"type": "key_frame"}' });

  assert.deepEqual(heard, ["opened", { camera: false, microphone: true }, "key frame"]);
});

test("a closed channel says nothing", () => {
  const { channel, sent } = talk();

  channel.close();
  channel.askKeyFrame();

  assert.equal(sent.length, 1);
});

test("a device that cannot be had is told apart from one that is off, and the end of a session from a lost line", () => {
  const { channel, wire, heard, sent } = talk();
  channel.events.ended = () => heard.push("ended");

  channel.show({ camera: true, microphone: false, broken: ["microphone"] });
  channel.end();
  wire.onmessage({ data: '{"type": "media", "camera": true, "microphone": false, "broken": ["microphone", "speaker"]}' });
  wire.onmessage({ data: '{"type": "media", "camera": true, "microphone": false, "broken": "camera"}' });
  wire.onmessage({ data: '{"type": "ended"}' });

  assert.deepEqual(sent.slice(1), [{ type: "media", camera: true, microphone: false, broken: ["microphone"] }, { type: "ended" }]);
  assert.deepEqual(heard.slice(1), [
    { camera: true, microphone: false, broken: ["microphone"] }, { camera: true, microphone: false }, "ended",
  ]);
});
