// `make bench-edge`: what the front adds to a page, in workerd: beside the origin itself, and beside a Worker that only passes
// it on; with Redis next door and 20 ms away. One client, one page after the other, in turns, so that what else the machine
// does strikes all alike: read the differences. Then how many requests to Redis each takes.

import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../scripts/processes.mjs";
import { freePort, startGateway, startRedis } from "../scripts/stack.mjs";
import { distant } from "./lib/http.mjs";
import { bench } from "./lib/report.mjs";
import { ascending, quantile, sized } from "./lib/rounds.mjs";

const ROOT = join(import.meta.dirname, "..");
const PAGES = sized(400, 60);
const TOKEN = "token-of-the-bench";
const SECRET = "a secret of the bench that is 32 bytes long or more";

const RULES = [
  { path: "/plain", cache: false, session: false, limit: false },
  { path: "/limited", cache: false, session: false },
  { path: "/cached", session: false },
  { path: "/missing/*", session: false },
  { path: "/once", limit: "1/10m", session: false, cache: false },
];
/** What is asked, by what it shows. @type {Record<string, (n: number) => string>} */
const SHOWN = {
  "passed on": () => "/plain",
  "limited": () => "/limited",
  "limited, a hit": () => "/cached",
  "limited, a miss": (n) => `/missing/${n}-${Math.random()}`,
  "limited, with a session, public hit": () => "/members",
  "refused, remembered": () => "/once",
};

const BARE = `export default { fetch: (request, env) => fetch(env.ORIGIN_URL + new URL(request.url).pathname, request) };`;

/** As a Worker of workerd has them. @param {Record<string, string>} vars */
const bindings = (vars) => `bindings = [${Object.entries(vars).map(([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`)}]`;

/**
 * The front, and beside it the Worker that only passes on, in one workerd.
 * @param {Record<string, string>} vars
 */
async function startBoth(vars) {
  const folder = mkdtempSync(join(tmpdir(), "upstash-edge-"));
  for (const file of ["index.js", "index_bg.wasm"]) symlinkSync(join(ROOT, "build", file), join(folder, file));
  writeFileSync(join(folder, "bare.mjs"), BARE);
  const [front, bare] = [await freePort(), await freePort()];
  const worker = (/** @type {string} */ modules) => `worker = (modules = [${modules}], compatibilityDate = "2026-10-20", globalOutbound = "loopback", `;
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "front", ${worker('(name = "index.js", esModule = embed "index.js"), (name = "index_bg.wasm", wasm = embed "index_bg.wasm")')}${bindings(vars)})),
    (name = "bare", ${worker('(name = "bare.mjs", esModule = embed "bare.mjs")')}${bindings({ ORIGIN_URL: vars.ORIGIN_URL ?? "" })})),
    (name = "loopback", network = (allow = ["local", "private"])),
  ],
  sockets = [
    (name = "front", address = "127.0.0.1:${front}", http = (), service = "front"),
    (name = "bare", address = "127.0.0.1:${bare}", http = (), service = "bare"),
  ],
);
`,
  );
  const child = start("workerd", ["serve", join(folder, "config.capnp"), "config"], { folder });
  const urls = { front: `http://127.0.0.1:${front}`, bare: `http://127.0.0.1:${bare}` };
  for (let tries = 0; !(await fetch(`${urls.front}/plain`).catch(() => undefined)); tries++) {
    if (tries > 200) throw new Error(`workerd did not start:\n${child.output()}`);
    await sleep(50);
  }
  return { ...child, ...urls };
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
/** How long one page took, in milliseconds. @param {string} url @param {Record<string, string>} headers @returns {Promise<number>} */
function timed(url, headers) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    get(url, { agent, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(performance.now() - started));
    }).on("error", reject);
  });
}

await bench("what the front adds to a page", async (report) => {
  const page = "<p>page</p>".repeat(200);
  const origin = createServer(({ url }, response) => {
    if (url === "/login") response.setHeader("upstash-edge-login", "ada");
    response.setHeader("cache-control", url === "/members" ? "public, max-age=600" : "max-age=600").end(page);
  });
  await new Promise((resolve) => origin.listen(0, "127.0.0.1", () => resolve(undefined)));
  const ORIGIN_URL = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (origin.address()).port}`;
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const count = async () => (await (await fetch(`${gateway.url}/stats`)).json()).requests;

  for (const ms of [0, 20]) {
    const rest = ms ? await distant(gateway.port, ms) : gateway.url;
    const workers = await startBoth({
      ORIGIN_URL,
      UPSTASH_REDIS_REST_URL: rest,
      UPSTASH_REDIS_REST_TOKEN: TOKEN,
      RATE_LIMIT: "1000000/1m",
      SESSION_SECRETS: SECRET,
      RULES: JSON.stringify(RULES),
      LOG: "off",
    });
    const login = await fetch(`${workers.front}/login`, { headers: { "cf-connecting-ip": "192.0.2.1" } });
    const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const headers = { "cf-connecting-ip": "192.0.2.1", cookie };
    /** @type {Record<string, (n: number) => Promise<number>>} */
    const ways = { "the origin itself": () => timed(`${ORIGIN_URL}/plain`, headers), "a Worker that only passes it on": () => timed(`${workers.bare}/plain`, headers) };
    for (const [name, path] of Object.entries(SHOWN)) ways[name] = (n) => timed(workers.front + path(n), headers);
    /** @type {Record<string, number[]>} */
    const times = {};
    for (let n = -10; n < PAGES; n++) {
      for (const [name, way] of Object.entries(ways)) {
        const took = await way(n);
        // The first ones learn scripts and open connections.
        if (n >= 0) (times[name] ??= []).push(took);
      }
    }
    const rows = [];
    const passed = ascending(times["a Worker that only passes it on"] ?? []);
    for (const [name, all] of Object.entries(times)) {
      const before = await count();
      for (let n = 0; n < 10; n++) await ways[name]?.(PAGES + n);
      await sleep(200);
      const [requests, sorted] = [((await count()) - before) / 10, ascending(all)];
      rows.push([name, quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 0.5) - quantile(passed, 0.5), `${requests}`]);
      // The peer is here who adds nothing.
      if (name in SHOWN) report.compare(`ms a page, Redis ${ms} ms away, ${name}`, all, times["a Worker that only passes it on"] ?? [], { less: true });
    }
    report.table(`Redis ${ms} ms away: milliseconds a page, ${PAGES} pages each`, ["", "median", "p95", "added", "requests to Redis"], rows);
    await workers.stop();
  }
});
