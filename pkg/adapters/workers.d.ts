// The types of `upstash-edge/workers`.

import type { Edge, EdgeVisit } from "../edge.js";

/** What a Worker's `fetch` is given of its runtime, as far as it is used here. */
export interface WorkerContext {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * A Worker's `fetch` behind an edge, which is made once for its `env`; what follows an answer goes to `waitUntil`.
 *
 * @param edge an `Edge`, or what makes one of the bindings
 * @param fetch asked for what was neither refused nor stored
 * @throws EdgeError `invalid_argument`
 * @example
 * export default handler(
 *   (env: Env) => new Edge({ redis: Redis.fromEnv(env), .. }),
 *   (request, { session }, env, context) => new Response(`hello ${session?.userId ?? "stranger"}`),
 * );
 */
export function handler<Env extends object = any, Context extends WorkerContext = WorkerContext>(
  edge: Edge | ((env: Env) => Edge),
  fetch: (request: Request, visit: EdgeVisit, env: Env, context: Context) => Response | Promise<Response>,
): { fetch(request: Request, env: Env, context: Context): Promise<Response> };
