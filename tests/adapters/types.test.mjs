// The adapters' types beside the frameworks' own: programs that must compile, lines that must not, and the examples.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "../pkg/packed.mjs";
import { command, folderBelow } from "../runtimes/start.mjs";

const ROOT = join(import.meta.dirname, "../..");

/** @param {Record<string, string>} files @param {string} [below] */
async function compile(files, below) {
  const path = project("types", files, folderBelow(below));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "--target", "esnext", "--lib", "esnext,dom,dom.iterable", "--types", ""];
  await command(join(ROOT, "node_modules/.bin/tsc"), [...options, ...Object.keys(files)], path);
}

const HONO = `import { Hono } from "hono";
import { Edge, type Decision, type Redis, type Session } from "upstash-edge";
import { edge, type EdgeVariables } from "upstash-edge/hono";
declare const redis: Redis;
declare const made: Edge;

const app = new Hono<{ Bindings: { URL: string }; Variables: EdgeVariables & { own: number } }>();
app.use(edge(made));
app.use("/api/*", edge(() => made, app));
app.use(edge((c) => new Edge({ redis, by: () => c.env.URL }), app));
app.get("/", (c) => {
  const session: Session = c.get("session");
  const decision: Decision | undefined = c.var.decision;
  return c.json([session.userId, decision?.remaining, c.get("own")]);
});
// Told by the middleware alone.
new Hono().use(edge(made)).get("/", (c) => c.text(c.get("session").status));
// @ts-expect-error
edge({ redis });
// @ts-expect-error
edge(() => redis);
// @ts-expect-error
edge(made, {});
// @ts-expect-error
app.get("/", (c) => c.text(c.var.decision.limitedBy));
`;

const WORKERS = `import { Edge, Redis } from "upstash-edge";
import { handler } from "upstash-edge/workers";
interface Env { URL: string; TOKEN: string; QUEUE: { send(text: string): Promise<void> } }
interface Context { waitUntil(promise: Promise<any>): void; passThroughOnException(): void }

const worker = handler(
  (env: Env) => new Edge({ redis: new Redis({ url: env.URL, token: env.TOKEN }) }),
  async (request, { session, decision }, env, context: Context) => {
    context.waitUntil(env.QUEUE.send(request.url));
    context.passThroughOnException();
    return new Response(\`\${session?.userId} \${decision?.remaining}\`);
  },
);
export default { ...worker, scheduled: () => {} };
declare const env: Env;
declare const context: Context;
const response: Promise<Response> = worker.fetch(new Request("https://a"), env, context);
// @ts-expect-error
handler((env: Env) => env, () => new Response());
// @ts-expect-error
handler((env: Env) => new Edge({ redis: Redis.fromEnv() }), () => "text");
// @ts-expect-error
worker.fetch(new Request("https://a"), {}, context);
export { response };
`;

const NEXT = `import type { NextConfig } from "next";
import type { CacheHandler } from "next/dist/server/lib/cache-handlers/types";
import { after, NextResponse, type NextProxy, type NextRequest } from "next/server";
import { cookies } from "next/headers";
import { Edge, type Redis, type Sessions } from "upstash-edge";
import handler, { cacheHandler } from "upstash-edge/next-cache-handler";
import { proxy, route } from "upstash-edge/next";
declare const redis: Redis;
declare const sessions: Sessions;
const edge = new Edge({ redis });

export const GET = route(edge, { after }, async (request, { session }, { params }: { params: Promise<{ id: string }> }) =>
  Response.json([(await params).id, session?.userId, request.url]));
const POST: (request: NextRequest, context: unknown) => Promise<Response> = route(() => edge, { after }, () => new Response());
const passes: NextProxy = proxy(edge, { NextResponse });
const decides: NextProxy = proxy(() => edge, { NextResponse }, async (request, { session, headers }) => {
  headers.set("x-user", session?.userId ?? "");
  if (request.url.endsWith("/old")) return new URL("/new", request.url);
  if (!session?.userId) return NextResponse.redirect(new URL("/login", request.url));
});
// What Next calls.
const caches: CacheHandler[] = [handler, cacheHandler(), cacheHandler({ redis, name: "n", timeout: "1s", onError: ({ operation, code }) => \`\${operation === "store"} \${code === "timeout"}\` })];
const config: NextConfig = { cacheHandlers: { default: "handler" } };
const visitor = async () => (await sessions.load(await cookies())).userId;
// @ts-expect-error
route(edge, {}, () => new Response());
// @ts-expect-error
route(edge, { after }, () => "text");
// @ts-expect-error
proxy(edge, {});
// @ts-expect-error
proxy(edge, { NextResponse }, () => "/login");
// @ts-expect-error
cacheHandler({ timeout: 500 });
export { caches, config, decides, passes, POST, visitor };
`;

test("Hono's and a Worker's types are true, and so are the examples'", () => {
  const index = (/** @type {string} */ name) => readFileSync(join(ROOT, "examples", name, "src/index.ts"), "utf8");
  return compile({ "hono.ts": HONO, "workers.ts": WORKERS, "hono-worker.ts": index("hono-worker"), "worker.ts": index("workers") });
});

test("Next's types are true", () => compile({ "next.ts": NEXT }, "next16"));
