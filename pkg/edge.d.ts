// The types of the edge, by hand.

import type { Cache, Decision, Duration, Identifier, RateLimiter, Redis } from "./index.js";
import type { Session, Sessions } from "./session.js";

export interface EdgeOptions {
  /** What all parts are made with: what one request needs of them is one POST. */
  redis: Redis;
  /** Limits how often. Refused requests reach no handler. */
  limiter?: RateLimiter;
  /** Opens the session of each request, and saves it. */
  sessions?: Sessions;
  /** Keeps whole answers, as {@link Cache.respond} does. A hit reaches no handler. */
  cache?: Cache;
  /** For how long an answer is kept that states no lifetime. Without this it is not kept. */
  ttl?: Duration;
  /**
   * Whom the limiter counts: a string that is not empty, or one for each limit's name; `false` counts nobody. Default: the
   * client's address of {@link EdgeOptions.trustedAddressHeader}, of IPv6 its first 64 bits. What it throws, `handle` rejects with;
   * anything else it gives is `invalid_argument`: strangers never share a quota by accident.
   */
  by?: (request: Request) => Identifier | false;
  /**
   * The header in which the platform tells the client's address, whatever the client sends. Default in Workers
   * `"cf-connecting-ip"`, elsewhere none: a limiter then wants `by`.
   */
  trustedAddressHeader?: string;
  /**
   * What becomes of a request whose session cannot be read, Redis being gone, too slow or over its quota: the handler gets
   * an anonymous one (the default), or nobody is served (503). What a handler changes in such a session cannot be saved:
   * `handle` rejects with what befell the load. Limits have a policy of their own.
   */
  onFailure?: "anonymous" | "refuse";
  /**
   * Answer before a changed session is saved, where the save has no cookie to tell and there is a `waitUntil`. Nobody then
   * hears of a conflict, or of a Redis that is gone. Default `false`.
   */
  saveInBackground?: boolean;
}

/** What a handler is told of the request besides the request itself. */
export interface EdgeVisit {
  /** Where the edge has sessions. Whatever it is asked makes the answer private, unless that says `Cache-Control: public`. */
  session?: Session;
  /** Where somebody was counted. */
  decision?: Decision;
  /** The answer is for the cache: it makes a stale one anew, which its visitor has got already. */
  refreshes?: true;
}

/** What a request passes through on its way to a handler, in one round trip. Making one does nothing. */
export declare class Edge {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(options: EdgeOptions);
  /**
   * Answers one request: limit, session and stored answer are read by one POST, a refusal that this isolate remembers by none.
   *
   * - Refused: 429 with `RateLimit-Policy`, `RateLimit`, `Retry-After` and a problem+json of type `quota-exceeded`.
   * - A stored answer is served, a 304 among them. A stale one is made anew behind itself, for a visitor of whom nothing is
   *   known: `session` is an anonymous one there, and what is changed in it is not saved.
   * - Else the handler runs. The limits are told on its answer too. A session that it changed is saved before the answer, and
   *   its cookies are put on it.
   * - An answer whose handler has asked the session anything is private: `Cache-Control` is `private, no-store` where it says
   *   nothing, and begins with `private` where it says neither `public` nor `private` nor `no-store`. One with a cookie of the
   *   session is `private, no-store` in any case. What is private is not stored, and no cookie of the session ever is.
   * - What may be stored is stored behind the answer; without a `waitUntil` the body's end waits for that.
   *
   * Rejects with what the handler throws, and with what befell limiter or session where their policies do not serve; a save
   * may reject with `conflict`.
   */
  handle(
    request: Request,
    handler: (request: Request, visit: EdgeVisit) => Response | Promise<Response>,
    context?: { waitUntil?(promise: Promise<unknown>): void },
  ): Promise<Response>;
}
