// The whole request in one trip: a limit and a session around a handler, and what their answers become in HTTP.

import { isText } from "./commands.js";
import { bad, wrong } from "./error.js";
import { limiterRedis, RateLimiter, recalls } from "./ratelimit.js";
import { viewOf } from "./redis.js";
import { pending, touched } from "./session.js";
import { Sessions, sessionsRedis } from "./sessions.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../index.js").Decision} Decision */
/** @typedef {{session?: Session, decision?: Decision}} Visit */
/** @typedef {(promise: Promise<unknown>) => void} Later */

/** The header that a runtime's platform writes, and no client can. @type {{addressHeader?: string}} */
export const defaults = {};

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
  #serves;
  #saveInBackground;

  /** @param {any} options */
  constructor(options) {
    const { redis, limiter, sessions, by, trustedAddressHeader = defaults.addressHeader } = options ?? {};
    const { onFailure = "anonymous", saveInBackground = false } = options ?? {};
    viewOf(redis);
    this.#limiter = partOf("limiter", limiter, RateLimiter, limiterRedis, redis);
    this.#sessions = partOf("sessions", sessions, Sessions, sessionsRedis, redis);
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

  /**
   * @param {Request} request @param {(request: Request, visit: Visit) => Response | Promise<Response>} handler
   * @param {{waitUntil?: (promise: Promise<unknown>) => void}} [context]
   * @returns {Promise<Response>}
   */
  async handle(request, handler, context) {
    if (typeof request?.headers?.get !== "function") throw bad("request must be a Request");
    if (typeof handler !== "function") throw bad("handler must be a function");
    const id = this.#id(request);
    const limiter = id === false ? undefined : this.#limiter;
    // Off the caller's stack, on which the core is never entered.
    await undefined;
    if (limiter && recalls(limiter, id)) {
      const known = await limiter.check(id);
      if (!known.allowed) return refusal(known);
    }
    const [checked, loaded] = await Promise.allSettled([limiter?.check(id), this.#sessions?.load(request)]);
    if (checked.status === "rejected") throw checked.reason;
    const decision = checked.value;
    if (decision && !decision.allowed) return refusal(decision);
    /** @type {unknown} */
    let lost;
    let session = loaded.status === "fulfilled" ? loaded.value : undefined;
    if (loaded.status === "rejected") {
      lost = loaded.reason;
      if (!OUTAGE.test(loaded.reason?.code)) throw lost;
      if (!this.#serves) return problem(503, "Service Unavailable", {});
      session = await this.#sessions?.load("");
    }
    const response = await handler(request, { session, decision });
    return this.#closed(response, session, lost, decision, context);
  }

  /** The answer, once the session is saved. @param {Response} response @param {Session | undefined} session @param {unknown} lost why the session could not be read @param {Decision | undefined} decision @param {{waitUntil?: Later}} [context] */
  async #closed(response, session, lost, decision, context) {
    const seen = session !== undefined && touched(session);
    const cookies = seen ? await this.#saved(session, lost, context) : [];
    return decorated(response, (headers) => {
      if (seen) {
        const told = privacy(headers.get("cache-control") ?? "", cookies.length > 0);
        if (told) headers.set("cache-control", told);
      }
      for (const cookie of cookies) headers.append("set-cookie", cookie);
      if (decision) for (const [name, value] of RateLimiter.headers(decision)) headers.set(name, value);
    });
  }

  /** @param {Session} session @param {unknown} lost @param {{waitUntil?: Later}} [context] @returns {Promise<string[]>} */
  async #saved(session, lost, context) {
    const { writes, tells } = pending(session);
    // What stands in Redis is not known: a save would begin another session, and its cookie end that one.
    if (lost && writes) throw lost;
    if (lost) return [];
    if (!this.#saveInBackground || tells || !writes || !context?.waitUntil) return session.save();
    // Nobody is left to hear of a failure.
    context.waitUntil(session.save().catch(() => {}));
    return [];
  }
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

/** @param {Decision} decision */
function refusal(decision) {
  const full = decision.policies.filter(({ name, remaining }) => name === decision.limitedBy || remaining === 0);
  const more = { type: QUOTA_EXCEEDED, "violated-policies": full.map(({ name }) => name) };
  const response = problem(429, "Request cannot be satisfied as assigned quota has been exceeded", more);
  for (const [name, value] of RateLimiter.headers(decision)) response.headers.set(name, value);
  return response;
}
