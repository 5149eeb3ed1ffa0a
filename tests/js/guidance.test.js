import assert from "node:assert/strict";
import { test } from "node:test";

import { advice, Guidance } from "../../web/static/js/guidance.js";
import { Voice } from "../../web/static/js/voice.js";

const PAGE = { type: "page", page: 3, at: "", view: "table", corners: null, hint: null, calm: true, ppi: null };

test("one thing is advised: the agent's hint, or that a sheet lying there calmly is good", () => {
  assert.deepEqual(
    [null, PAGE, { ...PAGE, calm: false }, { ...PAGE, page: 0 }, { ...PAGE, hint: "glare" }, { ...PAGE, page: 0, hint: "no_page" },
      { ...PAGE, hint: "no_page", calm: false }, { ...PAGE, hint: "of_a_later_version" }].map(advice),
    [null, "good", null, null, "glare", "no_page", null, null],
  );
});

/** Guidance on a clock of its own, with all that was shown and when. */
function guidance(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const shown = [];
  const own = new Guidance((what) => shown.push([now, what]));
  const want = (what, after = 0) => {
    for (let passed = 0; passed < after; passed += 100) {
      now += 100;
      t.mock.timers.tick(100);
    }
    own.want(what, now);
  };
  return { own, shown, want };
}

test("the first advice stands at once, the next when the first could be read", (t) => {
  const { shown, want } = guidance(t);

  want("cut");
  want("glare", 500);
  want("glare", 5000);

  assert.deepEqual(shown, [[0, "cut"], [2500, "glare"]]);
});

test("what comes and goes in between is never shown", (t) => {
  const { shown, want } = guidance(t);

  want("cut");
  ["glare", "cut", "hand", "dark"].forEach((what) => want(what, 300));
  want("cut", 300);
  want("cut", 9000);

  assert.deepEqual(shown, [[0, "cut"]]);
});

test("good is short, and gives way sooner", (t) => {
  const { shown, want } = guidance(t);

  want("good");
  want("hand", 200);
  want("hand", 3000);

  assert.deepEqual(shown, [[0, "good"], [1200, "hand"]]);
});

test("what was said stays while it is looked again, and goes when nothing comes", (t) => {
  const { shown, want } = guidance(t);

  want("good");
  want(null, 5000);
  want("good", 1000);
  want(null, 1000);
  want(null, 2000);

  assert.deepEqual(shown, [[0, "good"], [8500, null]]);
});

test("at the end nothing is advised, at once", (t) => {
  const { own, shown, want } = guidance(t);

  want("cut");
  want("glare", 100);
  own.stop();
  want(null, 9000);

  assert.deepEqual(shown, [[0, "cut"], [100, null]]);
});

const LOCAL = { lang: "fi-FI", localService: true, default: false };
const REMOTE = { lang: "sv-SE", localService: false, default: true };
const CHOSEN = { lang: "fi_FI", localService: true, default: true };

/** A voice over a pretended machine; what it said, and which states it told. */
function voice(voices) {
  const said = [];
  const states = [];
  const speech = {
    getVoices: () => voices,
    speak: (utterance) => said.push(utterance),
    cancel: () => said.push("cancel"),
    addEventListener: (_name, heard) => (speech.heard = heard),
    removeEventListener: () => (speech.heard = null),
  };
  const own = new Voice(speech, (state) => states.push(state), (words) => ({ words }));
  return { own, said, states, speech };
}

test("a new sentence breaks off the older, in the machine's own voice, softly, each once", () => {
  const { own, said } = voice([REMOTE, LOCAL, CHOSEN]);
  own.speaks("fi");

  own.say("ennen");
  own.turn(true);
  own.say("Siirrä paperi.");
  own.say("Siirrä paperi.");
  own.say("Hyvä.");

  const spoken = (words) => ({ words, voice: CHOSEN, lang: "fi_FI", volume: 0.55, rate: 0.95 });
  assert.deepEqual(said, ["cancel", spoken("Siirrä paperi."), "cancel", spoken("Hyvä.")]);
});

test("a voice from the network never speaks, and that there is none is told", () => {
  const { own, said, states } = voice([REMOTE, LOCAL]);
  own.speaks("sv");

  own.turn(true);
  own.say("Flytta pappret.");

  assert.deepEqual([said, states], [[], ["off", "no_voice"]]);
});

test("voices that come later are found, and another language finds its own", () => {
  const voices = [];
  const { own, states, speech } = voice(voices);
  own.speaks("fi");
  own.turn(true);

  voices.push(LOCAL);
  speech.heard();
  own.speaks("en");

  assert.deepEqual(states, ["off", "no_voice", "on", "no_voice"]);
});

test("turned off it is silent in the middle of a word, and closed it listens no more", () => {
  const { own, said, speech } = voice([LOCAL]);
  own.speaks("fi");
  own.turn(true);
  own.say("Siirrä paperi.");

  own.close();
  own.say("Hyvä.");

  assert.deepEqual([said.length, said.at(-1), own.state, speech.heard], [3, "cancel", "off", null]);
});

test("a browser that cannot speak says so", () => {
  const states = [];
  const own = new Voice(undefined, (state) => states.push(state));

  own.turn(true);
  own.say("Hyvä.");

  assert.deepEqual(states, ["none"]);
});
