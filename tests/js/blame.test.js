import assert from "node:assert/strict";
import { test } from "node:test";

import { blame } from "../../web/static/js/blame.js";

const LOST = { own: "expert", peer: "room", ours: false, dead: true, roomLives: false };

test("who still reaches the server names the other end's line, and who does not, its own", () => {
  assert.equal(blame(LOST), "site_network");
  assert.equal(blame({ ...LOST, own: "room", peer: "expert" }), "expert_side");
  assert.equal(blame({ ...LOST, own: "room", peer: "expert2" }), "expert_side");
  assert.equal(blame({ ...LOST, ours: true }), "expert_side");
  assert.equal(blame({ ...LOST, own: "room", peer: "expert", ours: true }), "site_network");
});

test("a camera that falls silent alone has a fault of its own, one that goes with its room has not", () => {
  assert.equal(blame({ ...LOST, peer: "camera" }), "site_network");
  assert.equal(blame({ ...LOST, peer: "camera", roomLives: true }), "document_camera");
});

test("where something still comes the line is not to blame", () => {
  assert.equal(blame({ ...LOST, dead: false }), "unknown");
});
