// Whole HTTP answers: bodies, and what runtimes do to them. The core decides what is served, asked for and stored.
//
// It comes in two halves, so that more than a cache can stand in one request: `Look` joins the batch of its tick, and
// what is made of it (`find`, then `keep` or `release`) is for later.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { FAILED, FETCH, FORGOTTEN_MS, FOUND, LOST, NOTHING, RELEASED, SEND, SLEEP, SLEPT, handed } from "./flow.js";
import { pause } from "./pause.js";
import { joined } from "./pump.js";

/** @typedef {import("./cache.js").Places} Places */
/** @typedef {(promise: Promise<unknown>) => void} WaitUntil */
/**
 * @typedef {object} Ways what a look needs of its cache
 * @property {string} config
 * @property {(op: (handle: number) => string | undefined) => Promise<Places>} ask
 * @property {(keys: string[]) => Promise<unknown>} remove
 * @property {(failed: any) => void} tell of what failed, `operation code`, if anything did
 *
 * @typedef {object} Plain options, checked
 * @property {number} ttlMs 0: there is none
 * @property {string} tags JSON, or empty
 * @property {string} [key]
 * @property {number} early in thousandths of what the handler took
 * @property {number} maxBytes
 * @property {WaitUntil} [waitUntil]
 */

/** workerd keeps a body as it came and decodes what is read of it; it encodes again what goes out with the header. */
const ENCODES = "WebSocketPair" in globalThis;

/** One request: what the cache has for it, and what becomes of the handler's answer. */
export class Look {
  /** @type {number | undefined} */
  #flow;
  #step = [0, SEND, 0];
  /** What was found, in the bytes that arrived. */
  #found = /** @type {Uint8Array<ArrayBuffer>} */ (new Uint8Array());
  #begin;
  #ways;
  #request;
  #options;
  #first;

  /** Looks with this tick's batch. @param {Ways} ways @param {Request} request @param {Plain} options */
  constructor(ways, request, options) {
    const { ttlMs, tags, key, early, waitUntil } = options;
    this.#ways = ways;
    this.#request = request;
    this.#options = options;
    this.#begin = () => {
      const now = Date.now();
      const { method, url, headers } = request;
      return core.respond_begin(ways.config, method, url, key, lines(headers), ttlMs, tags, early, Boolean(waitUntil), now, now + FORGOTTEN_MS);
    };
    this.#first = this.#send();
  }

  /** The first answer of Redis has come, or will not: never rejects. */
  get first() {
    return this.#first;
  }

  /**
   * The answer that needs no handler, if there is one: waits for who fetches it already. It may be a stale one; then
   * the handler is wanted all the same.
   * @returns {Promise<Response | undefined>}
   */
  async find() {
    await this.#first;
    for (;;) {
      const [answer, next, ms = 0] = this.#step;
      if (answer === FOUND) {
        const found = this.#made(core.respond_found(this.#handle, Date.now(), 0));
        if (next !== FETCH) await this.#later(this.#end());
        return found;
      }
      if (next === SLEEP) {
        await pause(ms, undefined);
        this.#happened(SLEPT);
      } else if (next === SEND) {
        await this.#send();
      } else {
        const refused = core.respond_refused(this.#handle);
        if (refused) await this.release();
        return refused ? this.#made(refused) : undefined;
      }
    }
  }

  /** Whether the handler is to be asked. */
  get wanted() {
    return this.#step[1] === FETCH;
  }

  /** What the handler is to be asked: for the whole answer, or for what has changed since the one that was found. */
  get request() {
    const conditions = core.respond_conditions(this.#handle);
    if (!conditions) return this.#request;
    // A copy, whose headers can be changed: Bun takes headers of which none is left for none given.
    const request = new Request(this.#request);
    for (const [name, value] of fields(conditions, 0)) {
      if (value) request.headers.set(name, value);
      else request.headers.delete(name);
    }
    return request;
  }

  /** The whole of it. @param {(request: Request) => Response | Promise<Response>} handler @returns {Promise<Response>} */
  async through(handler) {
    const found = await this.find();
    if (found) {
      if (this.wanted) await this.#later(this.refresh(handler));
      return found;
    }
    let response;
    try {
      response = await answered(handler, this.request);
    } catch (error) {
      return this.failed(error);
    }
    return this.keep(response);
  }

  /** Asks the handler behind a stale answer, and stores what it says, if it `may` be. Never rejects. @param {(request: Request) => Response | Promise<Response>} handler @param {(response: Response) => boolean} [may] */
  async refresh(handler, may = () => true) {
    try {
      const response = await answered(handler, this.request);
      const { stores, built, renewedAt } = this.#judged(response, may(response));
      if (stores) return await this.#store(response, renewedAt ? this.#found.subarray(renewedAt) : response.body);
      await response.body?.cancel();
      this.#happened(built ? FAILED : NOTHING);
    } catch {
      this.#happened(FAILED);
    }
    await this.#end();
  }

  /** Nobody will ask the handler: another may. */
  async release() {
    await this.#first;
    this.#happened(RELEASED);
    await this.#end();
  }

  /** The handler threw: what may stand in for its answer, or else what it threw. @param {unknown} error @returns {Promise<Response>} */
  async failed(error) {
    this.#happened(FAILED);
    const stands = this.#step[0] === FOUND ? this.#made(core.respond_found(this.#handle, Date.now(), 500)) : undefined;
    await this.#later(this.#end());
    if (stands) return stands;
    throw error;
  }

  /**
   * What the client gets of what the handler answered. It is stored behind that, unless it must not be, or `store` is false.
   * @param {Response} response @param {boolean} [store]
   * @returns {Promise<Response>}
   */
  async keep(response, store = true) {
    const { stores, built, renewedAt, told, odd } = this.#judged(response, store);
    const { body } = response;
    const invalid = core.respond_invalidates(this.#handle, response.status, lines(response.headers));
    if (invalid) await this.#later(this.#ways.remove(JSON.parse(invalid)).catch(() => {}));
    if (!stores) {
      this.#happened(built ? FAILED : NOTHING);
      await this.#later(this.#end());
      if (!built) return odd ? response : passed(response, body, told);
      await body?.cancel();
      return this.#made(told);
    }
    if (built || !body) {
      // Before the flow ends: it says what the client gets.
      const client = built ? this.#made(told) : passed(response, null, told);
      await this.#later(this.#store(response, renewedAt ? this.#found.subarray(renewedAt) : body));
      return client;
    }
    const [theirs, ours] = body.tee();
    const stored = this.#store(response, ours);
    if (this.#options.waitUntil) {
      await this.#later(stored);
      return passed(response, theirs, told);
    }
    // The runtime may end when the answer has: so that ends when it is stored.
    return passed(response, theirs.pipeThrough(new TransformStream({ flush: () => stored })), told);
  }

  get #handle() {
    return this.#flow ?? NaN;
  }

  /** @param {number} event */
  #happened(event) {
    this.#step = JSON.parse(core.flow_step(this.#handle, event, Date.now()));
  }

  /** Sends what the flow wants sent. Never rejects. @param {"lookup" | "store"} [operation] */
  async #send(operation = "lookup") {
    try {
      const { numbers, answers } = await this.#ways.ask((handle) => {
        // Begun with the tick's batch: the core is never entered on top of a caller's own deep stack.
        this.#flow ??= this.#begin();
        return core.push_flow(handle, this.#flow, Date.now());
      });
      const [answer, next, ms, failed, , place = 0, start, end] = numbers;
      this.#step = /** @type {number[]} */ ([answer, next, ms]);
      this.#ways.tell(failed);
      if (numbers.length > 4) this.#found = /** @type {Uint8Array<ArrayBuffer>} */ (answers[place]?.subarray(start, end));
    } catch (error) {
      this.#ways.tell(`${operation} ${/** @type {EdgeError} */ (error).code}`);
      this.#happened(LOST);
    }
  }

  /** Sends what is left, and forgets the flow. Never rejects. */
  async #end() {
    while (this.#step[1] === SEND) await this.#send("store");
    core.flow_end(this.#handle);
  }

  /** Behind the answer, where the runtime lets it. @param {Promise<unknown>} promise */
  #later(promise) {
    return handed(this.#options.waitUntil, promise);
  }

  /** What the core makes of what the handler answered. @param {Response} response @param {boolean} store */
  #judged(response, store) {
    const { status, headers } = response;
    const encoding = headers.get("content-encoding");
    // What is no answer of HTTP, or is somebody's already.
    const odd = status < 200 || /** @type {any} */ (response).webSocket || response.bodyUsed;
    // Of what a Worker has made itself nobody can say whether its bytes are encoded yet, but for gzip by its first two.
    const unclear = ENCODES && encoding && !response.url && !/^(x-)?gzip$/i.test(encoding);
    const large = Number(headers.get("content-length")) > this.#options.maxBytes;
    const may = store && !odd && !unclear && !large;
    const text = core.respond_keep(this.#handle, status, lines(headers), may, Date.now());
    const end = text.indexOf("\n");
    const [kept = 0, renewedAt = 0] = text.slice(0, end).split(" ").map(Number);
    return { stores: (kept & 1) > 0, built: (kept & 2) > 0, renewedAt, told: text.slice(end + 1), odd };
  }

  /** Stores a body when it has come whole. Never rejects. @param {Response} response @param {Uint8Array | Response["body"]} body */
  async #store(response, body) {
    try {
      const bytes = body instanceof Uint8Array ? body : await joined(body, this.#options.maxBytes);
      if (bytes) {
        const decoded = !(body instanceof Uint8Array) && isDecoded(response, bytes);
        this.#step = JSON.parse(core.respond_body(this.#handle, bytes, decoded, Date.now()));
      } else {
        this.#happened(NOTHING);
      }
    } catch {
      // It broke off: nothing of it is stored.
      this.#happened(FAILED);
    }
    await this.#end();
  }

  /** An answer as the core tells it. @param {string} text */
  #made(text) {
    const end = text.indexOf("\n");
    const [status, at = 0] = text.slice(0, end).split(" ").map(Number);
    const body = at > 0 ? this.#found.subarray(at) : null;
    // What is encoded was stored so.
    return new Response(body, /** @type {ResponseInit} */ ({ status, headers: fields(text, end + 1), encodeBody: "manual" }));
  }
}

/** As the core reads a head. @param {Headers} headers */
function lines(headers) {
  let text = "";
  headers.forEach((value, name) => (text += `${name}:${value}\n`));
  return text;
}

/** As the core writes one. @param {string} text @param {number} start @returns {[string, string][]} */
function fields(text, start) {
  /** @type {[string, string][]} */
  const pairs = [];
  for (let end; (end = text.indexOf("\n", start)) > 0; start = end + 1) {
    const colon = text.indexOf(":", start);
    pairs.push([text.slice(start, colon), text.slice(colon + 1, end)]);
  }
  return pairs;
}

/** @param {(request: Request) => Response | Promise<Response>} handler @param {Request} request */
async function answered(handler, request) {
  const response = await handler(request);
  if (typeof response?.headers?.forEach === "function") return response;
  throw new EdgeError("invalid_argument", "handler must give a Response");
}

/** The same answer with another body, and what the cache says of it. @param {Response} response @param {Response["body"]} body @param {string} told */
function passed(response, body, told) {
  const answer = new Response(body, response);
  answer.headers.append("cache-status", told);
  // fetch has decoded it, and nobody will encode it again.
  if (!ENCODES && response.url && answer.headers.has("content-encoding")) {
    answer.headers.delete("content-encoding");
    answer.headers.delete("content-length");
  }
  return answer;
}

/** Whether what was read is what the `Content-Encoding` makes of it. @param {Response} response @param {Uint8Array} bytes */
function isDecoded(response, bytes) {
  if (!response.headers.has("content-encoding")) return false;
  return Boolean(response.url) || (ENCODES && !(bytes[0] === 0x1f && bytes[1] === 0x8b));
}
