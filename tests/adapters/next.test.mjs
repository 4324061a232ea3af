// The Next example, built once without a variable of the environment and started twice over one Redis.

import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { start } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/stack.mjs";
import { address, requests, until } from "../edge/front.mjs";
import { command, INSTALLED } from "../runtimes/start.mjs";
import { cookieOf, example, startStack } from "./stack.mjs";

const { gateway, vars } = await startStack();
const path = example("next", "next16");
// Its modules lie in a folder above.
renameSync(join(path, "next.config.mjs"), join(path, "example.config.mjs"));
writeFileSync(join(path, "next.config.mjs"), 'import config from "./example.config.mjs";\nexport default { ...config, turbopack: { root: new URL("../..", import.meta.url).pathname } };\n');
const next = join(INSTALLED, "next16/node_modules/.bin/next");
await command(next, ["build"], path);

/** One process of Next. */
async function aProcess() {
  const port = await freePort();
  const child = start(next, ["start", "-H", "127.0.0.1", "-p", `${port}`], { cwd: path, env: vars });
  after(() => child.stop());
  const url = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${url}/api/products`).then(Boolean, () => false), 30);
  return { url, output: child.output };
}
const [one, two] = await Promise.all([aProcess(), aProcess()]);

/** As a visitor of an address that nobody else has. @param {string} url @param {RequestInit & {headers?: Record<string, string>}} [init] */
const ask = (url, { headers, ...init } = {}) => fetch(url, { redirect: "manual", ...init, headers: { "x-forwarded-for": address(), ...headers } });

/** What a page shows. @param {Response} response */
async function shown(response) {
  const html = await response.text();
  const [, visitor = ""] = /id="visitor">([^]*?)<\/p>/.exec(html) ?? [];
  return { who: visitor.replaceAll(/<!-- -->/g, ""), made: /id="made-([^"]*)"/.exec(html)?.[1], action: /name="(\$ACTION_ID_\w+)"/.exec(html)?.[1] ?? "" };
}

test("a session that the proxy begins is told to the browser and to the page behind it at once", async () => {
  const first = await ask(one.url);
  const page = await shown(first);
  assert.match(page.who, /^a stranger since \d{4}-/);
  const [cookie = "", ...more] = first.headers.getSetCookie();
  assert.match(cookie, /^__Host-session=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  assert.deepEqual(more, []);
  assert.match(first.headers.get("cache-control") ?? "", /no-store/);
  assert.equal(first.headers.get("ratelimit"), '"default";r=99;t=60');
  // The same session, by the cookie, in the other process.
  const second = await ask(two.url, { headers: { cookie: cookieOf(first) } });
  assert.equal((await shown(second)).who, page.who);
  assert.deepEqual(second.headers.getSetCookie(), []);
});

test("a page costs one request before it, and those of what it asks itself", async () => {
  const get = async (/** @type {Record<string, string>} */ headers) => {
    const answer = await ask(one.url, { headers });
    await answer.text();
    return cookieOf(answer);
  };
  let cookie = "";
  // Until it is quiet.
  await requests(gateway.url, async () => (cookie = await get({})));
  // Its session, and what it has cached.
  assert.equal(await requests(gateway.url, () => get({ cookie })), 3);
});

test("a login in a Server Action lasts, and a logout ends it", async () => {
  const begun = await ask(one.url);
  const { action } = await shown(begun);
  const submit = async (/** @type {string} */ cookie, /** @type {string} */ id) => {
    const body = new FormData();
    body.set(id, "");
    return ask(`${one.url}/`, { method: "POST", body, headers: { cookie, origin: one.url } });
  };
  const loggedIn = await submit(cookieOf(begun), action);
  const cookie = cookieOf(loggedIn);
  assert.match(cookie, /^__Host-session=/);
  const page = await shown(await ask(two.url, { headers: { cookie } }));
  assert.match(page.who, /^ada since /);
  const ended = await submit(cookie, page.action);
  assert.match(ended.headers.getSetCookie().join(), /Max-Age=0/);
  assert.match((await shown(await ask(two.url, { headers: { cookie } }))).who, /^a stranger since /);
});

test("limit and session around a route are one request and one save, and a refusal that is remembered asks nobody", async () => {
  const url = `${one.url}/api/visits`;
  const headers = { "x-forwarded-for": "10.9.9.9" };
  let first = new Response();
  assert.equal(await requests(gateway.url, async () => (first = await ask(url, { method: "POST", headers }))), 2);
  assert.deepEqual(await first.json(), { visits: 1, remaining: 99 });
  const cookie = cookieOf(first);
  const second = await ask(url, { method: "POST", headers: { ...headers, cookie } });
  assert.deepEqual(await second.json(), { visits: 2, remaining: 98 });
  assert.equal(second.headers.get("cache-control"), "private, no-store");
  for (let n = 0; n < 98; n += 14) await Promise.all(Array.from({ length: 14 }, () => ask(url, { method: "POST", headers })));
  const refused = await ask(url, { method: "POST", headers });
  assert.deepEqual([refused.status, refused.headers.get("content-type")], [429, "application/problem+json"]);
  let again = new Response();
  assert.equal(await requests(gateway.url, async () => (again = await ask(url, { method: "POST", headers }))), 0);
  assert.equal(again.status, 429);
  // Before a page too.
  const page = await ask(one.url, { headers });
  assert.deepEqual([page.status, page.headers.get("content-type")], [429, "application/problem+json"]);
});

test("what one process has made is served by both, and made anew where either invalidates it", async () => {
  const made = async (/** @type {{url: string}} */ process) => (await shown(await ask(process.url))).made;
  const first = await made(one);
  assert.match(first ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual([await made(two), await made(one)], [first, first]);
  const post = async (/** @type {{url: string}} */ process, /** @type {string} */ how) => assert.equal((await ask(`${process.url}/api/products${how}`, { method: "POST" })).status, 204);
  await post(two, "");
  const second = await made(one);
  assert.notEqual(second, first);
  assert.equal(await made(two), second);
  await post(one, "?path=/");
  const third = await made(two);
  assert.notEqual(third, second);
  assert.equal(await made(one), third);
  // Served once more, and made anew behind that.
  await post(two, "?stale");
  assert.equal(await made(one), third);
  await until(async () => (await made(two)) !== third);
  const fourth = await made(one);
  assert.equal(await made(two), fourth);
});

test("no token, secret or session id stands in what they print", () => {
  for (const { output } of [one, two]) {
    const text = output();
    assert.ok(!text.includes(vars.UPSTASH_REDIS_REST_TOKEN) && !text.includes(vars.SESSION_SECRETS) && !/__Host-session=/.test(text), text);
  }
});

test("without Redis what is cached is made anew, and nobody sees an error", async () => {
  await gateway.stop();
  const made = [];
  for (const { url } of [one, two, one]) made.push((await (await ask(`${url}/api/products`)).json()).made);
  assert.equal(new Set(made).size, 3);
});
