// The types of `upstash-edge/next`.

import type { NextResponse } from "next/server";
import type { Edge, EdgeVisit } from "../edge.js";

/** What is used of `NextResponse`. */
export type NextResponseLike = Pick<typeof NextResponse, "next" | "rewrite">;

/**
 * A route handler behind an edge. Session cookies are put on its answer, and what follows it goes to `after`.
 *
 * @param edge an `Edge`, or what makes one when the first request comes: a build has no variables of the environment
 * @param server Next's own `next/server`, of which `after` is used
 * @param handler the request may be a plain `Request`, asked by the cache; `context` is Next's, with `params`
 * @throws EdgeError `invalid_argument`
 * @example
 * import { after } from "next/server";
 * export const GET = route(edge, { after }, async (request, { session }) => Response.json({ user: session?.userId }));
 */
export function route<Context = unknown>(
  edge: Edge | (() => Edge),
  server: { after(work: Promise<unknown>): void },
  handler: (request: Request, visit: EdgeVisit, context: Context) => Response | Promise<Response>,
): (request: Request, context: Context) => Promise<Response>;

/** What a proxy's handler is told of the request besides the request itself. */
export interface ProxyVisit extends EdgeVisit {
  /** What the page behind is told in place of the request's own: change it. */
  headers: Headers;
}

/**
 * A proxy (a middleware, before Next 16) behind an edge: limits and sessions before pages. A session that was changed here
 * is told twice, to the browser by `Set-Cookie` and to the page behind by its `Cookie` header: `cookies()` there has the
 * new one.
 *
 * @param edge an `Edge`, or what makes one when the first request comes; one without a cache: pages are not its to keep
 * @param server Next's own `next/server`, of which `NextResponse` is used
 * @param handler gives nothing to go on to the page, a URL to go on to that one (a rewrite), or an answer, a redirect
 *   among them. Default: goes on.
 * @throws EdgeError `invalid_argument`
 * @example
 * import { NextResponse } from "next/server";
 * const limited = proxy(edge, { NextResponse }, (request, { session, headers }) => {
 *   headers.set("x-user", session?.userId ?? "");
 * });
 * export { limited as proxy };
 */
export function proxy(
  edge: Edge | (() => Edge),
  server: { NextResponse: NextResponseLike },
  handler?: (request: Request, visit: ProxyVisit) => Response | URL | void | Promise<Response | URL | void>,
): (request: Request, event: { waitUntil(promise: Promise<unknown>): void }) => Promise<Response>;
