// Hono: the edge as a middleware.

import { bad } from "../error.js";
import { once } from "./made.js";

/** @typedef {import("../../edge.js").Edge} Edge */
/** @typedef {import("../../edge.js").EdgeVisit} Visit */
/** @typedef {{fetch: (request: Request, env?: any, context?: any) => Response | Promise<Response>}} App */

/** Node, Deno and Bun have none: there it throws. @param {any} c */
function contextOf(c) {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}

/** @param {any} c @param {Visit} visit */
function tell(c, { session, decision }) {
  c.set("session", session);
  c.set("decision", decision);
}

/** In its place: of one that stands there Hono would copy the headers onto this one. @param {any} c @param {Response} [response] */
function put(c, response) {
  c.res = undefined;
  if (response) c.res = response;
}

/** @param {Edge | ((c: any) => Edge)} given @param {App} [app] */
export function edge(given, app) {
  const edgeFor = once(given);
  if (app !== undefined && typeof app?.fetch !== "function") throw bad("app must be a Hono");
  /** What comes through the app once more, behind an answer. @type {WeakMap<Request, Visit>} */
  const refreshed = new WeakMap();
  return async (/** @type {any} */ c, /** @type {() => Promise<void>} */ next) => {
    const visit = refreshed.get(c.req.raw);
    if (visit) {
      tell(c, visit);
      return next();
    }
    const context = contextOf(c);
    /** @type {Promise<Response> | undefined} */
    let running;
    const handler = async (/** @type {Request} */ request, /** @type {Visit} */ visit) => {
      if (visit.refreshes && app) {
        refreshed.set(request, visit);
        return app.fetch(request, c.env, context);
      }
      tell(c, visit);
      c.req.raw = request;
      await next();
      return c.res;
    };
    try {
      const answer = await edgeFor(c).handle(c.req.raw, (request, visit) => (running = handler(request, visit)), context);
      // A context has one answer at a time: one that is made anew on it comes before the stale one.
      if (!app) await running?.catch(() => {});
      put(c, answer);
    } catch (error) {
      put(c);
      throw error;
    }
  };
}
