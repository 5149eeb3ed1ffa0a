import assert from "node:assert/strict";
import { test } from "node:test";

import { Live } from "../../web/static/js/live.js";

/** A stream on a pretended server: `sources` are those opened, `heard` what the page was told. */
function stream(options = {}) {
  const sources = [];
  const heard = [];
  const live = new Live({
    page: "expert",
    ...options,
    events: {
      state: (state, session) => heard.push(["state", state, session]),
      outdated: () => heard.push(["outdated"]),
      server: (there) => heard.push(["server", there]),
    },
    connect: (url) => {
      const source = { url, tells: {}, closed: false, addEventListener: (name, tell) => (source.tells[name] = tell), close: () => (source.closed = true) };
      sources.push(source);
      return source;
    },
  });
  return { live, sources, heard };
}

test("a page says its version, and hears when it is old", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, sources, heard } = stream({ version: "abc", id: "s-1" });

  live.open();
  sources[0].onopen();
  sources[0].tells.outdated({ data: "{}" });

  assert.equal(sources[0].url, "/live?page=expert&id=s-1&version=abc");
  assert.deepEqual(heard, [["server", true], ["outdated"]]);
});

test("a stream that is silent for long is opened anew; a word of the server keeps it", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, sources, heard } = stream();
  live.open();
  sources[0].onopen();

  context.mock.timers.tick(24_000);
  sources[0].tells.here({ data: "{}" });
  context.mock.timers.tick(24_000);
  const kept = sources.length;
  context.mock.timers.tick(1001);
  context.mock.timers.tick(900);

  assert.deepEqual([kept, sources.length, sources[0].closed], [1, 2, true]);
  assert.deepEqual(heard, [["server", true], ["server", false]]);
});

test("a stream that broke comes back within a second", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, sources } = stream();
  live.open();

  for (let times = 0; times < 5; times += 1) {
    sources.at(-1).onerror();
    context.mock.timers.tick(900);
  }

  assert.equal(sources.length, 6);
});

test("after a sleep everything is asked anew, and what the old stream says is void", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, sources, heard } = stream();
  live.open();

  live.refresh();
  sources[0].tells.state({ data: '{"state": "closed", "session": "s-1"}' });
  sources[1].tells.state({ data: '{"state": "connected", "session": "s-2"}' });
  live.close();
  live.refresh();

  assert.deepEqual(heard, [["state", "connected", "s-2"]]);
  assert.equal(sources.length, 2);
});

test("a server that goes down says when to come back", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, sources } = stream();
  live.open();
  sources[0].onopen();

  sources[0].tells.bye({ data: '{"retry_after": 2}' });
  context.mock.timers.tick(1999);
  const early = sources.length;
  context.mock.timers.tick(501);

  assert.deepEqual([early, sources.length], [1, 2]);
  live.close();
});
