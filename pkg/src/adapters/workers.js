// Workers: the edge around a module's fetch.

import { called, edgeOf } from "./made.js";

/** @typedef {import("../../edge.js").Edge} Edge */
/** @typedef {import("../../edge.js").EdgeVisit} Visit */
/** @typedef {{waitUntil(promise: Promise<unknown>): void}} Context */

/**
 * @param {Edge | ((env: any) => Edge)} given
 * @param {(request: Request, visit: Visit, env: any, context: Context) => Response | Promise<Response>} fetch
 */
export function handler(given, fetch) {
  called("fetch", fetch);
  const make = typeof given === "function" ? given : undefined;
  const one = make ? undefined : edgeOf(given);
  /** An isolate has one `env`; the tests of a Worker have several in one. @type {WeakMap<object, Edge>} */
  const edges = new WeakMap();
  const edgeFor = (/** @type {any} */ env) => {
    if (!make) return /** @type {Edge} */ (one);
    const edge = edges.get(env) ?? edgeOf(make(env));
    edges.set(env, edge);
    return edge;
  };
  return {
    /** @param {Request} request @param {any} env @param {Context} context */
    async fetch(request, env, context) {
      return edgeFor(env).handle(request, (asked, visit) => fetch(asked, visit, env, context), context);
    },
  };
}
