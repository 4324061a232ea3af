// The demonstration's sessions with what a real browser makes of cookies and of its history.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startStack } from "../worker/stack.mjs";
import { launch } from "./browser.mjs";

const { worker } = await startStack();
const browser = await launch();
after(() => browser.close());

async function open() {
  const page = await (await browser.newContext()).newPage();
  await page.goto(worker.url);
  /** As a script of the page asks. @param {string} path @param {{method?: string, body?: string}} [init] @returns {Promise<any>} */
  const ask = (path, init) => page.evaluate(([path, init]) => fetch(path, init).then((answer) => answer.json()), /** @type {const} */ ([path, init]));
  return { page, ask };
}

const login = { method: "POST", body: '{"userId":"ada"}' };

test("a browser keeps the session through a reload, and loses it at logout", async () => {
  const { page, ask } = await open();
  await ask("/api/session", { method: "PUT", body: '{"theme":"dark"}' });
  assert.equal((await ask("/api/session/login", login)).userId, "ada");
  await page.reload();
  const session = await ask("/api/session");
  assert.deepEqual([session.userId, session.data], ["ada", { theme: "dark" }]);
  assert.equal((await ask("/api/page")).userId, "ada");
  // The script of a page never sees it.
  assert.equal(await page.evaluate("document.cookie"), "");
  await ask("/api/session/logout", { method: "POST" });
  assert.deepEqual(await ask("/api/session"), { status: "new", data: {} });
});

test("what a session showed is gone after logout, for the back button too", async () => {
  const { page, ask } = await open();
  await ask("/api/session/login", login);
  await page.goto(`${worker.url}/api/session`);
  const shown = () => page.evaluate("document.body.innerText");
  assert.match(await shown(), /"userId":\s*"ada"/);
  await page.goto(worker.url);
  await ask("/api/session/logout", { method: "POST" });
  await page.goBack();
  assert.equal(page.url(), `${worker.url}/api/session`);
  assert.doesNotMatch(await shown(), /ada/);
});

test("without an ADMIN_TOKEN the page says how to open the console, and shows nothing else", async () => {
  const { page } = await open();
  await page.getByRole("heading", { name: "The console is off" }).waitFor();
  assert.equal(await page.locator("nav").isVisible(), false);
  assert.equal(await page.locator("#sign-in").isVisible(), false);
});
