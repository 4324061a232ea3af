// The types of `upstash-edge/hono`.

import type { Context, MiddlewareHandler } from "hono";
import type { Edge } from "../edge.js";
import type { Decision } from "../index.js";
import type { Session } from "../session.js";

/** What the middleware sets, for `c.get` and `c.var`. */
export interface EdgeVariables {
  /** Of an edge that has sessions. */
  session: Session;
  /** Where somebody was counted. */
  decision: Decision | undefined;
}

/**
 * An edge as a middleware: what all that stands behind it needs of limit, session and stored answer is one POST, and a
 * refusal (429, problem+json) or a stored answer reaches nothing behind it. With an edge of one part it is that part alone.
 *
 * `c.get("session")` is saved, and its cookies are set, when all behind it is done. Where Hono has an `executionCtx` what
 * follows an answer goes to its `waitUntil`; on Node, Deno and Bun it is done before the answer's end.
 *
 * A stale answer is made anew before it is answered, for a context has one answer; with `app`, the Hono that serves the
 * request, it is made behind the answer, by a request of its own.
 *
 * @param edge an `Edge`, or what makes one when the first request comes: in a Worker, of `c.env`. It is kept.
 * @throws EdgeError `invalid_argument`
 * @example
 * const app = new Hono<{ Bindings: Bindings; Variables: EdgeVariables }>();
 * app.use(edge((c) => edgeOf(c.env), app));
 * app.get("/", (c) => c.text(`hello ${c.get("session").userId ?? "stranger"}`));
 */
export function edge(
  edge: Edge | ((context: Context<any>) => Edge),
  app?: { fetch(request: Request, env?: any, context?: any): Response | Promise<Response> },
): MiddlewareHandler<{ Variables: EdgeVariables }>;
