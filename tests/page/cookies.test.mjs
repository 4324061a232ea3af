// The package's sessions with what a real browser makes of cookies: Chromium, and a server in Node on hosts of its own.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { launch } from "./browser.mjs";

/** @type {typeof import("../../pkg/index.js")} */
const { Redis, Sessions } = await import(new URL("../../pkg/dist/inline.js", import.meta.url).href);

const token = "token-of-the-tests";
const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token });
const client = new Redis({ url: gateway.url, token });
const secrets = "a secret of the tests that is 32 bytes long or more";
const kept = { secrets, timeout: /** @type {const} */ ("60s") };
/** By the first part of the path. */
const SESSIONS = {
  default: new Sessions(client, kept),
  plain: new Sessions(client, { ...kept, cookie: { name: "session" } }),
  development: new Sessions(client, { ...kept, cookie: { name: "session", secure: false } }),
};

const server = createServer(async (incoming, outgoing) => {
  const [, kind = "", act = ""] = (incoming.url ?? "").split("/");
  const sessions = SESSIONS[/** @type {keyof typeof SESSIONS} */ (kind)];
  if (act === "toss") {
    // What a host beside it can do: the longer path is sent first.
    outgoing.setHeader("set-cookie", ["__Host-session", "session"].map((name) => `${name}=${"A".repeat(130)}; Domain=shop.localhost; Path=/${kind}; Secure`));
    return outgoing.end("tossed");
  }
  if (!sessions) return outgoing.writeHead(404).end();
  const cookies = incoming.headers.cookie ?? "";
  const session = await sessions.load(cookies);
  if (act === "login") session.login("ada", { persistent: true });
  if (act === "rotate") session.rotate();
  if (act === "logout") session.destroy();
  const seen = `${session.status} ${session.userId ?? "nobody"} ${cookies.split("=").length - 1}`;
  const answer = await session.commit(new Response(seen));
  for (const [name, value] of answer.headers) outgoing.appendHeader(name, value);
  outgoing.end(await answer.text());
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

// Hosts below localhost count as secure, as if they were served over TLS; those below test do not.
const browser = await launch("--host-resolver-rules=MAP *.test 127.0.0.1");
after(async () => {
  await browser.close();
  server.close();
  await gateway.stop();
  await redis.stop();
});
const APP = `http://app.shop.localhost:${port}`;
const BESIDE = `http://beside.shop.localhost:${port}`;
const INSECURE = `http://app.shop.test:${port}`;

/** A browser's window; how it shows an address, and what it shows. */
async function open() {
  const page = await (await browser.newContext()).newPage();
  const shown = () => page.evaluate("document.body.innerText");
  const visit = async (/** @type {string} */ url) => {
    await page.goto(url);
    return shown();
  };
  return { page, shown, visit };
}

test("a login lasts through reloads and rotations; after logout the back button shows nothing of it", async () => {
  const { page, shown, visit } = await open();
  assert.equal(await visit(`${APP}/default`), "new nobody 0");
  await visit(`${APP}/default/login`);
  assert.equal(await visit(`${APP}/default`), "valid ada 1");
  await page.reload();
  assert.equal(await shown(), "valid ada 1");
  assert.equal(await page.evaluate("document.cookie"), "");
  const [before] = await page.context().cookies();
  await visit(`${APP}/default/rotate`);
  const [after] = await page.context().cookies();
  assert.ok(before && after && before.value !== after.value && after.httpOnly && after.secure);
  assert.equal(await visit(`${APP}/default`), "valid ada 1");
  await visit(`${APP}/default/logout`);
  assert.deepEqual(await page.context().cookies(), []);
  await page.goBack();
  assert.equal(page.url(), `${APP}/default`);
  assert.equal(await shown(), "new nobody 0");
});

test("what a host beside it tosses shadows no session: not taken by the default name, tried in turn by another", async () => {
  for (const kind of ["default", "plain"]) {
    const { page, visit } = await open();
    await visit(`${APP}/${kind}/login`);
    await visit(`${BESIDE}/${kind}/toss`);
    const tossed = (await page.context().cookies()).filter(({ value }) => value.startsWith("AAA"));
    assert.deepEqual(tossed.map(({ name }) => name), ["session"]);
    // Its own and the tossed one: that is sent to both hosts.
    assert.equal(await visit(`${APP}/${kind}`), "valid ada 2");
    assert.equal(await visit(`${BESIDE}/${kind}`), `${kind === "default" ? "new" : "invalid"} nobody 1`);
  }
});

test("over plain HTTP a cookie is kept only where that was asked for", async () => {
  const { visit } = await open();
  for (const kind of ["default", "plain"]) {
    await visit(`${INSECURE}/${kind}/login`);
    assert.equal(await visit(`${INSECURE}/${kind}`), "new nobody 0");
  }
  await visit(`${INSECURE}/development/login`);
  assert.equal(await visit(`${INSECURE}/development`), "valid ada 1");
  await visit(`${INSECURE}/development/logout`);
  assert.equal(await visit(`${INSECURE}/development`), "new nobody 0");
});
