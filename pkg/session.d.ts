// Sessions: what they are configured with, and one visitor's data in hand.

import type { Duration, Redis } from "./index.js";

export interface SessionsOptions {
  /** 32 bytes each, or more. The first signs, all verify. */
  secrets: string | string[];
  /** The namespace of keys; a cookie of one is not valid in another. Default `"session"`. */
  name?: string;
  /**
   * Default: `__Host-session`, Secure, SameSite=Lax, Path=/, no Domain; always HttpOnly. What a browser would drop is
   * refused. For `http://localhost` where the browser wants TLS there too: `{ name: "session", secure: false }`.
   */
  cookie?: { name?: string; sameSite?: "lax" | "strict" | "none"; domain?: string; path?: string; secure?: boolean };
  /** How long one lives without a visit. Default `"30m"`. */
  idle?: Duration;
  /** How long one lives at most, since it began or since its login. Default `"24h"`. */
  absolute?: Duration;
  /** A visit is noted when the last one noted is so long ago, half of `idle` at most. Default `"1m"`. */
  touchEvery?: Duration;
  /** How long the old id still opens the session after `rotate()`. Default `"10s"`. */
  grace?: Duration;
  /** How long Redis is waited for. Default `"2s"`. */
  timeout?: Duration;
  /** Of data, keys and JSON, in bytes. Default 65536. */
  maxBytes?: number;
}

/** One session of a user. `handle` opens nothing; it stays the same until the next login. Instants in epoch milliseconds. */
export interface SessionInfo {
  handle: string;
  createdAt: number;
  lastSeenAt: number;
  expiresAt: number;
  info: Record<string, string>;
}

export interface LoginOptions {
  /** What {@link Sessions.list} tells of this login: a device, a place. */
  info?: Record<string, string>;
  /** In place of the sessions' own. The idle limit holds all the same. */
  absolute?: Duration;
  /** The browser keeps the cookie when it is closed, "remember me": for 400 days at most, as browsers have it. */
  persistent?: boolean;
}

/** A key that another request changed first: what this session would make it, and what it is. `undefined`: deleted. */
export interface SessionConflict {
  key: string;
  ours: unknown;
  theirs: unknown;
}

/** With a name and a value all that a cookie is. */
export interface CookieAttributes {
  path: string;
  /** Absent: this host alone. */
  domain?: string;
  secure: boolean;
  httpOnly: true;
  sameSite: "lax" | "strict" | "none";
  /** In seconds; 0 removes the cookie. Absent: until the browser is closed. */
  maxAge?: number;
}

/**
 * The cookies of a framework: Next's `await cookies()`, SvelteKit's `event.cookies`, `Astro.cookies`; or three functions
 * over Hono's or h3's helpers. What else it has is not used.
 */
export interface CookieJar {
  /** A cookie's value, or an object that has it. */
  get(name: string): string | { readonly value?: string | undefined } | null | undefined;
  /** Of one name, or of all: several of one name are tried in turn, so that none shadows the genuine one. */
  getAll?(name: any): readonly { readonly name: string; readonly value: string }[];
  /** May throw where the framework takes no cookies, and may give a promise. */
  set(name: string, value: string, attributes: CookieAttributes): unknown;
}

/** Opens and saves sessions: a signed cookie outside, a hash in Redis inside. Making one does nothing. */
export declare class Sessions {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(redis: Redis, options: SessionsOptions);
  /**
   * By a request, its headers, its `Cookie` header, or a framework's jar, which `save` then puts the cookie into. One
   * round trip; none without a cookie that a secret signed.
   */
  load(source: Request | Headers | string | CookieJar): Promise<Session>;
  /** A user's sessions, those first that may live longest, 1,000 at most. Two round trips at most. */
  list(userId: string): Promise<SessionInfo[]>;
  /** Ends one of a user's sessions; whether there was one. */
  revoke(userId: string, handle: string): Promise<boolean>;
  /** Ends all of them, whatever their number, in one round trip; how many. `except` must be this user's, and valid. */
  revokeAll(userId: string, options?: { except?: Session }): Promise<number>;
}

/** One visitor's data, read once. Changes wait for `save`. */
export interface Session {
  /** Whether `status` is not `"valid"`. */
  readonly isNew: boolean;
  /** `expired`: the cookie is genuine and opens nothing any more. `invalid`: no secret signed it. */
  readonly status: "new" | "valid" | "expired" | "invalid";
  readonly userId?: string;
  readonly createdAt: number;
  /** If nobody comes back. */
  readonly expiresAt: number;
  /** A copy: to change it, `set` it. */
  get<T = unknown>(key: string): T | undefined;
  /** `overwrite`: the last write wins, where else the later of two saves fails with `conflict`. */
  set(key: string, value: unknown, options?: { overwrite?: boolean }): void;
  delete(key: string): void;
  /** Removes all data, not the login. Of a `clear` and another request's `set` the later save fails with `conflict`. */
  clear(): void;
  /** With a value: keeps it for one read, in this request or the next. Without: reads it, and it is gone. */
  flash(key: string, value?: unknown): unknown;
  /** For the forms of one response; holds until the id changes. After `login` or `rotate` it is one for the new id. */
  csrfToken(): Promise<string>;
  /** In constant time. */
  verifyCsrf(token: string): Promise<boolean>;
  /** A new id at `save`, the old one dead; the data stays. */
  login(userId: string, options?: LoginOptions): void;
  /** A new id at `save`; for the grace the old one is let through, and never receives the new cookie. */
  rotate(): void;
  destroy(): void;
  /**
   * One round trip (two for a login), none when nothing changed; the `Set-Cookie` values that are yet to be sent: none
   * where the session was loaded from a jar, which has them then. Where that takes no cookie, it fails with `unsupported`,
   * and the next `save` or `commit` tells the cookie. Fails with `conflict` when
   * another request changed the same key first (`conflicts` of the error tells both values) or ended the session, and
   * with `too_large` before anything is sent.
   */
  save(): Promise<string[]>;
  /** Saves; the response with the cookies, that of a session of a jar too, and `Cache-Control: no-store`: a copy where its headers cannot be changed. */
  commit(response: Response): Promise<Response>;
}
