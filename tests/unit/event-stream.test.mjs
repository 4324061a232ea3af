// The reader of event streams in JavaScript, held to the answers of the one in Rust.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EventStream, read } from "../../pkg/src/event-stream.js";

/** @type {{streams: [string, string[]][], lines: Line[], patterns: Line[]}} */
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/event-stream.json"), "utf8"));
/** @typedef {[string, string[], string[] | string | null]} Line */

/** @param {Iterable<Uint8Array>} chunks @param {number} [largest] */
function events(chunks, largest) {
  const stream = new EventStream(largest);
  const all = [];
  for (const chunk of chunks) {
    stream.push(chunk);
    for (let data = stream.next(); data !== undefined; data = stream.next()) all.push(data);
  }
  return { all, retryMs: stream.retryMs };
}

/** @param {string} text */
const encoded = (text) => new TextEncoder().encode(text);

/** @param {Uint8Array} bytes @param {number} size */
function* pieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("the grammar is read whole, however the stream is cut", () => {
  for (const [text, expected] of vectors.streams) {
    const bytes = encoded(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(events([bytes.subarray(0, cut), bytes.subarray(cut)]).all, expected, `${JSON.stringify(text)} at ${cut}`);
    }
    assert.deepEqual(events(pieces(bytes, 1)).all, expected, JSON.stringify(text));
  }
});

test("each line means what was asked for", () => {
  for (const kind of /** @type {const} */ (["lines", "patterns"])) {
    for (const [line, names, expected] of vectors[kind]) {
      const of = `${JSON.stringify(line)} of ${names}`;
      if (expected === "corrupt") {
        assert.throws(() => read(line, names, kind === "patterns"), { code: "corrupt" }, of);
        continue;
      }
      const heard = read(line, names, kind === "patterns");
      const told = heard && (heard.message === undefined ? [heard.name] : [heard.name, heard.channel, heard.message]);
      assert.deepEqual(told ?? null, expected, of);
    }
  }
});

test("an event may be so long and no longer, however it is cut", () => {
  for (let size = 1; size < 30; size++) {
    assert.equal(events(pieces(encoded("data: 4567\n\ndata: 4567\n\n:234567890\n\n"), size), 10).all.length, 2);
    for (const text of ["data: 45678\n\n", ":2345678901", "data:6\ndata:678901\n\n"]) {
      assert.throws(() => events(pieces(encoded(text), size), 10), { code: "too_large" }, `${text} by ${size}`);
    }
  }
});

test("the last pace that the server set counts", () => {
  assert.equal(events([encoded("retry: 1500\nretry: 2s\nretry:\nretry: -1\n")]).retryMs, 1500);
});
