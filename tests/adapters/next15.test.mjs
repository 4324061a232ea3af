// The adapters in Next 15, whose middleware, and a route, run on Next's edge.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { start } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/stack.mjs";
import { project } from "../pkg/packed.mjs";
import { requests, until } from "../edge/front.mjs";
import { command, folderBelow, INSTALLED } from "../runtimes/start.mjs";
import { cookieOf, startStack } from "./stack.mjs";

const { gateway, vars } = await startStack();

const EDGE = `import { Cache, Edge, Redis, Sessions } from "upstash-edge";
let made;
function make() {
  const redis = Redis.fromEnv();
  const sessions = new Sessions(redis, { secrets: process.env.SESSION_SECRETS });
  return { sessions, edge: new Edge({ redis, sessions }), cached: new Edge({ redis, cache: new Cache(redis, { metrics: false }) }) };
}
export const parts = () => (made ??= make());
`;
const MIDDLEWARE = `import { NextResponse } from "next/server";
import { proxy } from "upstash-edge/next";
import { parts } from "./edge.js";
export const middleware = proxy(() => parts().edge, { NextResponse }, (request, { session, headers }) => {
  headers.set("x-begins", String(session.isNew));
  if (session.isNew) session.set("since", "now");
});
export const config = { matcher: ["/"] };
`;
const PAGE = `import { cookies, headers } from "next/headers";
import { parts } from "../edge.js";
export default async function Page() {
  const jar = await cookies();
  const session = await parts().sessions.load(jar);
  return <p>{[session.status, session.get("since"), (await headers()).get("x-begins")].join(" ")}</p>;
}
`;
const CHANGES = `import { cookies } from "next/headers";
import { parts } from "../../edge.js";
export default async function Page() {
  const jar = await cookies();
  const session = await parts().sessions.load(jar);
  session.set("page", 1);
  return <p>{await session.save().then(() => "kept", (error) => error.code)}</p>;
}
`;
const ROUTE = `import { after } from "next/server";
import { route } from "upstash-edge/next";
import { parts } from "../../edge.js";
export const runtime = "edge";
export const GET = route(() => parts().cached, { after }, () => Response.json(crypto.randomUUID(), { headers: { "cache-control": "max-age=60" } }));
`;

const path = project(
  "app",
  {
    "edge.js": EDGE,
    "middleware.js": MIDDLEWARE,
    "app/layout.js": "export default ({ children }) => <html><body>{children}</body></html>;\n",
    "app/page.js": PAGE,
    "app/changes/page.js": CHANGES,
    "app/made/route.js": ROUTE,
    "next.config.mjs": "export default {};\n",
  },
  folderBelow("next15"),
);
const next = join(INSTALLED, "next15/node_modules/.bin/next");
await command(next, ["build"], path);
const port = await freePort();
const child = start(next, ["start", "-H", "127.0.0.1", "-p", `${port}`], { cwd: path, env: vars });
after(() => child.stop());
const url = `http://127.0.0.1:${port}`;
await until(() => fetch(`${url}/none`).then(Boolean, () => false), 30);

/** @param {Response} response */
const shown = async (response) => /<p>(.*?)<\/p>/.exec(await response.text())?.[1];

test("what a middleware on the edge tells twice is seen by the page behind it", async () => {
  const first = await fetch(url);
  assert.equal(await shown(first), "valid now true");
  assert.match(cookieOf(first), /^__Host-session=[^;]+$/);
  const second = await fetch(url, { headers: { cookie: cookieOf(first), "x-begins": "forged" } });
  assert.equal(await shown(second), "valid now false");
  assert.deepEqual(second.headers.getSetCookie(), []);
});

test("a page itself may change a session, and begin none", async () => {
  assert.equal(await shown(await fetch(`${url}/changes`)), "unsupported");
  const cookie = cookieOf(await fetch(url));
  assert.equal(await shown(await fetch(`${url}/changes`, { headers: { cookie } })), "kept");
});

test("a route on the edge stores behind its answer, and is served in one request", async () => {
  const get = async () => (await fetch(`${url}/made`)).json();
  const first = await get();
  await until(async () => (await get()) === (await get()));
  const kept = await get();
  assert.equal(await requests(gateway.url, async () => assert.equal(await get(), kept)), 1);
  assert.match(first, /^[0-9a-f-]{36}$/);
});
