// The whole request in one trip: a limit, a session and a stored answer around a handler, and what they become in HTTP.

import { Cache, cacheRedis, lookOf } from "./cache.js";
import { isText } from "./commands.js";
import { milliseconds } from "./duration.js";
import { bad, wrong } from "./error.js";
import { limiterRedis, RateLimiter, recalls } from "./ratelimit.js";
import { viewOf } from "./redis.js";
import { runtime } from "./runtime.js";
import { pending, touched } from "./session.js";
import { Sessions, sessionsRedis } from "./sessions.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../index.js").Decision} Decision */
/** @typedef {{session?: Session, decision?: Decision, refreshes?: true}} Visit */
/** @typedef {(promise: Promise<unknown>) => void} Later */
/** @typedef {import("./respond.js").Look} Look */
/** @typedef {(request: Request, visit: Visit) => Response | Promise<Response>} Handler */

/** Codes of a Redis that could not be asked, as opposed to having refused. */
const OUTAGE = /^(timeout|network|server_error|quota_exceeded|corrupt)$/;

/** The problem type of draft-ietf-httpapi-ratelimit-headers-11. */
const QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/** A part of an edge, which must share its client: else it would be a request of its own. @param {string} name @param {any} part @param {any} kind @param {(part: any) => Redis} redisOf @param {Redis} redis */
function partOf(name, part, kind, redisOf, redis) {
  if (part === undefined) return undefined;
  if (!(part instanceof kind)) throw wrong(`${name} must be a ${kind.name} of this package`);
  if (viewOf(redisOf(part)).shared !== viewOf(redis).shared) throw wrong(`${name} must be made with the same redis: with another it would be a second request`);
  return part;
}

/** What tells one client's network from another's: of IPv6 the first 64 bits, which one customer has whole. @param {string} address */
function network(address) {
  if (!address.includes(":")) return /^[\d.]+$/.test(address) ? address : "";
  const url = `http://[${address}]`;
  if (!URL.canParse(url)) return "";
  const [left = "", right] = new URL(url).hostname.slice(1, -1).split("::");
  const [head, tail] = [left, right ?? ""].map((part) => part.split(":").filter(Boolean));
  const groups = [...(head ?? []), ...Array(8 - (head?.length ?? 0) - (tail?.length ?? 0)).fill("0"), ...(tail ?? [])];
  // An IPv4 address in the clothes of IPv6.
  return groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff" ? groups.join(":") : `${groups.slice(0, 4).join(":")}::`;
}

export class Edge {
  /** @type {RateLimiter | undefined} */
  #limiter;
  /** @type {Sessions | undefined} */
  #sessions;
  /** @type {(request: Request) => unknown} */
  #by;
  /** @type {Cache | undefined} */
  #cache;
  #ttl;
  #serves;
  #saveInBackground;

  /** @param {any} options */
  constructor(options) {
    const { redis, limiter, sessions, cache, ttl, by, trustedAddressHeader = runtime.addressHeader } = options ?? {};
    const { onFailure = "anonymous", saveInBackground = false } = options ?? {};
    viewOf(redis);
    this.#limiter = partOf("limiter", limiter, RateLimiter, limiterRedis, redis);
    this.#sessions = partOf("sessions", sessions, Sessions, sessionsRedis, redis);
    this.#cache = partOf("cache", cache, Cache, cacheRedis, redis);
    if (ttl !== undefined) milliseconds("ttl", ttl);
    this.#ttl = ttl;
    if (by !== undefined && typeof by !== "function") throw wrong("by must be a function");
    if (trustedAddressHeader !== undefined && !(isText(trustedAddressHeader) && /^[\w-]+$/.test(trustedAddressHeader))) throw wrong("trustedAddressHeader must be the name of a header");
    if (limiter && !by && !trustedAddressHeader) throw wrong("by must say whom the limiter counts, or trustedAddressHeader name the header in which this platform tells the client's address");
    this.#by = by ?? ((request) => network(request.headers.get(trustedAddressHeader)?.trim() ?? ""));
    if (onFailure !== "anonymous" && onFailure !== "refuse") throw wrong('onFailure must be "anonymous" or "refuse"');
    if (typeof saveInBackground !== "boolean") throw wrong("saveInBackground must be true or false");
    this.#serves = onFailure === "anonymous";
    this.#saveInBackground = saveInBackground;
  }

  /** Whom the limiter counts; nothing that would make strangers share a quota. @param {Request} request @returns {any} */
  #id(request) {
    if (!this.#limiter) return false;
    const id = this.#by(request);
    const named = id === false || (typeof id === "object" && id !== null ? Object.values(id).every(Boolean) : id && typeof id === "string");
    if (named) return id;
    throw bad("by must give whom to count, a string that is not empty or one for each limit's name, or false to count nobody; without it the request must tell an address in the trusted header");
  }

  /** @param {Request} request @param {Handler} handler @param {{waitUntil?: Later}} [context] @returns {Promise<Response>} */
  async handle(request, handler, context) {
    if (typeof request?.headers?.get !== "function") throw bad("request must be a Request");
    if (typeof handler !== "function") throw bad("handler must be a function");
    const id = this.#id(request);
    const limiter = id === false ? undefined : this.#limiter;
    // A context's own method: taken out of it, it is none in Workers.
    const waitUntil = context?.waitUntil && ((/** @type {Promise<unknown>} */ promise) => context.waitUntil?.(promise));
    // Off the caller's stack, on which the core is never entered.
    await undefined;
    if (limiter && recalls(limiter, id)) {
      const known = await limiter.check(id);
      if (!known.allowed) return refusal(known);
    }
    const look = this.#cache && lookOf(this.#cache, request, { ttl: this.#ttl, waitUntil });
    const [checked, loaded] = await Promise.allSettled([limiter?.check(id), this.#sessions?.load(request), look?.first]);
    try {
      const decision = valueOf(checked);
      if (decision && !decision.allowed) return await given(look, refusal(decision), waitUntil);
      const lost = loaded.status === "rejected" && OUTAGE.test(loaded.reason?.code) ? loaded.reason : undefined;
      if (lost && !this.#serves) return await given(look, problem(503, "Service Unavailable", {}), waitUntil);
      const session = lost ? await this.#sessions?.load("") : valueOf(loaded);
      return await this.#served({ request, handler, waitUntil, look, visit: { session, decision }, lost });
    } catch (error) {
      // Nobody asks the handler any more, if it was asked at all.
      await given(look, undefined, waitUntil);
      throw error;
    }
  }

  /** @param {{request: Request, handler: Handler, waitUntil?: Later, look?: Look, visit: Visit, lost: unknown}} all */
  async #served({ request, handler, waitUntil, look, visit, lost }) {
    const { session, decision } = visit;
    const found = await look?.find();
    if (look && found) {
      // For a visitor of whom nothing is known: what it answers is for all.
      if (look.wanted) await later(this.#sessions ? this.#refreshed(look, handler) : look.refresh((asked) => handler(asked, { refreshes: true })), waitUntil);
      return decorated(found, (headers) => limited(headers, decision));
    }
    /** @type {Response} */
    let response;
    try {
      response = await handler(look ? look.request : request, visit);
      if (typeof response?.headers?.get !== "function") throw bad("handler must give a Response");
    } catch (error) {
      if (!look) throw error;
      const stands = await look.failed(error);
      return decorated(stands, (headers) => limited(headers, decision));
    }
    const seen = session !== undefined && touched(session);
    const told = response.headers.get("cache-control") ?? "";
    const cookies = seen ? await this.#saved(session, lost, waitUntil) : [];
    const answer = look ? await look.keep(response, !seen || isPublic(told)) : response;
    return decorated(answer, (headers) => {
      const control = seen ? privacy(told, cookies.length > 0) : undefined;
      if (control) headers.set("cache-control", control);
      for (const cookie of cookies) headers.append("set-cookie", cookie);
      limited(headers, decision);
    });
  }

  /** Asks the handler behind a stale answer; what has seen a session is for all only by its word. @param {Look} look @param {Handler} handler */
  async #refreshed(look, handler) {
    const session = await this.#sessions?.load("");
    await look.refresh(
      (asked) => handler(asked, { session, refreshes: true }),
      (response) => !session || !touched(session) || isPublic(response.headers.get("cache-control") ?? ""),
    );
  }

  /** @param {Session} session @param {unknown} lost why it could not be read @param {Later} [waitUntil] @returns {Promise<string[]>} */
  async #saved(session, lost, waitUntil) {
    const { writes, tells } = pending(session);
    // What stands in Redis is not known: a save would begin another session, and its cookie end that one.
    if (lost && writes) throw lost;
    if (lost) return [];
    if (!this.#saveInBackground || tells || !writes || !waitUntil) return session.save();
    // Nobody is left to hear of a failure.
    waitUntil(session.save().catch(() => {}));
    return [];
  }
}

/** @template T @param {PromiseSettledResult<T>} settled @returns {T} */
function valueOf(settled) {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

/** Behind the answer, where the runtime lets it. @param {Promise<unknown>} promise @param {Later} [waitUntil] */
async function later(promise, waitUntil) {
  if (waitUntil) waitUntil(promise);
  else await promise;
}

/** An answer without the handler, whose turn is another's. @template T @param {Look | undefined} look @param {T} answer @param {Later} [waitUntil] @returns {Promise<T>} */
async function given(look, answer, waitUntil) {
  if (look) await later(look.release(), waitUntil);
  return answer;
}

/** Names of directives know no case. @param {string} told */
const directives = (told) => told.split(",").map((part) => /^[^=]*/.exec(part)?.[0].trim().toLowerCase());

/** Whether an answer is for everybody, by its handler's word. @param {string} told its Cache-Control */
export const isPublic = (told) => directives(told).includes("public");

/** The `Cache-Control` of an answer whose handler has seen the session, or that tells a cookie; nothing where it may stay. @param {string} told @param {boolean} cookies */
export function privacy(told, cookies) {
  if (cookies || !told.trim()) return "private, no-store";
  return directives(told).some((name) => name === "public" || name === "private" || name === "no-store") ? undefined : `private, ${told}`;
}

/** Itself, or a copy where its headers cannot be changed. A WebSocket's head is not ours. @param {Response} response @param {(headers: Headers) => void} change */
function decorated(response, change) {
  if (response.status === 101) return response;
  try {
    change(response.headers);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    change(copy.headers);
    return copy;
  }
}

/** RFC 9457. @param {number} status @param {string} title @param {object} more */
function problem(status, title, more) {
  const body = JSON.stringify({ type: "about:blank", title, status, ...more });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", "cache-control": "no-store" } });
}

/** @param {Headers} headers @param {Decision} [decision] */
function limited(headers, decision) {
  if (decision) for (const [name, value] of RateLimiter.headers(decision)) headers.set(name, value);
}

/** @param {Decision} decision */
function refusal(decision) {
  const full = decision.policies.filter(({ name, remaining }) => name === decision.limitedBy || remaining === 0);
  const more = { type: QUOTA_EXCEEDED, "violated-policies": full.map(({ name }) => name) };
  const response = problem(429, "Request cannot be satisfied as assigned quota has been exceeded", more);
  limited(response.headers, decision);
  return response;
}
