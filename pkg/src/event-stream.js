// Server-sent events, and what Upstash says in them of subscriptions: as src/wire/event_stream.rs and subscription.rs
// do. It stands here for its size: 0.8 KB of gzip, several times less than in wasm.
// tests/vectors/event-stream.json holds both to the same answers.

import { EdgeError } from "./error.js";

/** A longer event is refused: what never ends would fill the memory of an isolate, of which there are 128 MB. */
const LARGEST = 16 * 2 ** 20;

/** A reader of one stream: chunks go in, the data of events comes out, one at a time. */
export class EventStream {
  /** Decoders differ in what they make of a byte order mark that is cut: it is left to this reader. */
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #begun = false;
  #chunk = "";
  #at = 0;
  #line = "";
  /** With a line feed after each of its lines. */
  #data = "";
  #type = "";
  #afterCr = false;
  /** How long to wait before a reconnection, as the server said last. */
  retryMs = 0;

  /** @param {number} [largest] */
  constructor(largest = LARGEST) {
    this.largest = largest;
  }

  /** The next chunk, wherever it was cut. The last one is to be read to its end before. @param {Uint8Array} bytes */
  push(bytes) {
    this.#chunk = this.#decoder.decode(bytes, { stream: true });
    this.#at = 0;
    if (!this.#chunk) return;
    if (!this.#begun && this.#chunk[0] === "\ufeff") this.#at = 1;
    this.#begun = true;
    // The second half of a line's end is no empty line.
    if (this.#afterCr && this.#chunk[0] === "\n") this.#at = 1;
    this.#afterCr = this.#chunk.endsWith("\r");
  }

  /** The data of the next event of this chunk, lines with a line feed in between; `undefined` at the chunk's end. */
  next() {
    const lineEnd = /\r\n?|\n/g;
    for (;;) {
      lineEnd.lastIndex = this.#at;
      const end = lineEnd.exec(this.#chunk);
      this.#line += this.#chunk.slice(this.#at, end?.index);
      if (this.#line.length + this.#data.length > this.largest) throw new EdgeError("too_large", "an event of the stream is larger than 16 MiB");
      if (!end) {
        this.#chunk = "";
        this.#at = 0;
        return undefined;
      }
      this.#at = lineEnd.lastIndex;
      const line = this.#line;
      this.#line = "";
      if (line) this.#field(line);
      else {
        const [data, type] = [this.#data, this.#type];
        this.#data = this.#type = "";
        // One with a type of its own is not for readers of messages.
        if (data && (!type || type === "message")) return data.slice(0, -1);
      }
    }
  }

  /** @param {string} line */
  #field(line) {
    const [, name, value = ""] = /^([^:]*):? ?([^]*)$/.exec(line) ?? [];
    // Not `id`: the server keeps no past that it could be asked for.
    if (name === "data") this.#data += `${value}\n`;
    else if (name === "event") this.#type = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}

/**
 * The commas that every channel of this pattern holds; one in `[..]` stands for a choice.
 * @param {string} pattern
 */
const commas = (pattern) => pattern.replace(/\\[^,]|\[(?:\\.|[^\]\\])*\]?/gs, "").split(",").length - 1;

/**
 * Reads one line of a stream that was asked for `names`: a message, or a name alone that is subscribed to now.
 *
 * Nothing in a line is quoted, so which comma ends what is known from `names`; of several none may hold a comma. Where a
 * pattern's channel ends the protocol does not say: it is taken to hold the pattern's commas and no other.
 * @param {string} line @param {string[]} names @param {boolean} patterns
 * @returns {{name: string, channel?: string, message?: string} | undefined}
 */
export function read(line, names, patterns) {
  const [, kind, rest = ""] = (patterns ? /^(psubscribe|pmessage),([^]*)$/ : /^(subscribe|message),([^]*)$/).exec(line) ?? [];
  if (!kind) return;
  const confirmed = kind.endsWith("subscribe");
  for (const name of names) {
    if (!rest.startsWith(`${name},`)) continue;
    const after = rest.slice(name.length + 1);
    if (confirmed) {
      if (/^\d+$/.test(after)) return { name };
    } else {
      if (!patterns) return { name, channel: name, message: after };
      let end = -1;
      for (let more = commas(name); more >= 0; more--) {
        end = after.indexOf(",", end + 1);
        if (end < 0) return;
      }
      return { name, channel: after.slice(0, end), message: after.slice(end + 1) };
    }
  }
  if (confirmed) throw new EdgeError("corrupt", "the server confirmed a subscription that was not asked for");
}
