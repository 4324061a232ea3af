// The page that `make run` shows, used by hand in Chromium.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startStack } from "../worker/stack.mjs";
import { launch } from "./browser.mjs";

const { worker } = await startStack();
const browser = await launch();
after(() => browser.close());

async function open() {
  const page = await (await browser.newContext()).newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(worker.url);
  return { page, problems };
}

/**
 * Presses a button of a section; gives the line that tells of the answer, and the answer's body.
 * @param {import("playwright-core").Page} page @param {string} section @param {string} button
 */
async function press(page, section, button) {
  const answered = page.waitForResponse((response) => response.url().includes("/api/") && !response.url().endsWith("/health"));
  await page.getByRole("region", { name: section, exact: true }).getByRole("button", { name: button, exact: true }).click();
  const response = await answered;
  const line = page.locator("#line");
  // The press itself takes the line of the press before away, so this is the line of this one.
  await line.getByText(/: (\d+ in \d+ ms|no answer)$/).waitFor();
  return { line: await line.textContent(), body: JSON.parse((await page.locator("#body").textContent()) ?? "") };
}

test("the page shows health and every route can be tried by hand", async () => {
  const { page, problems } = await open();
  await page.getByText("Redis is healthy").waitFor();

  for (let n = 0; n < 5; n++) assert.equal((await press(page, "Rate limit", "Check")).body.allowed, true);
  const refused = await press(page, "Rate limit", "Check");
  assert.match(refused.line ?? "", /: 429 in /);
  await page.locator("#headers dt", { hasText: "retry-after" }).waitFor();

  await press(page, "Cache", "Put");
  assert.equal((await press(page, "Cache", "Get")).body, "hello");
  assert.deepEqual((await press(page, "Cache", "Delete")).body, { deleted: true });
  assert.match((await press(page, "Cache", "Get")).line ?? "", /: 404 in /);

  const made = await press(page, "Cache in front of a slow origin", "Get or fetch");
  const again = await press(page, "Cache in front of a slow origin", "Get or fetch");
  assert.equal(again.body.madeAt, made.body.madeAt);

  assert.equal((await press(page, "The whole page", "Get the page")).body.page.title, "One round trip");
  assert.deepEqual(problems, []);
});

test("a browser keeps the session through a reload, and loses it at logout", async () => {
  const { page, problems } = await open();
  await press(page, "Session", "Put");
  assert.equal((await press(page, "Session", "Log in")).body.userId, "ada");
  await page.reload();
  const session = await press(page, "Session", "Get");
  assert.deepEqual([session.body.userId, session.body.data], ["ada", { theme: "dark" }]);
  assert.equal((await press(page, "The whole page", "Get the page")).body.userId, "ada");
  // The script of a page never sees it.
  assert.equal(await page.evaluate("document.cookie"), "");
  await press(page, "Session", "Log out");
  assert.deepEqual((await press(page, "Session", "Get")).body, { status: "new", data: {} });
  assert.deepEqual(problems, []);
});

test("what a session showed is gone after logout, for the back button too", async () => {
  const { page, problems } = await open();
  await press(page, "Session", "Put");
  await press(page, "Session", "Log in");
  await page.goto(`${worker.url}/api/session`);
  const shown = () => page.evaluate("document.body.innerText");
  assert.match(await shown(), /"userId":\s*"ada"/);
  await page.goto(worker.url);
  await press(page, "Session", "Log out");
  await page.goBack();
  assert.equal(page.url(), `${worker.url}/api/session`);
  assert.doesNotMatch(await shown(), /ada|dark/);
  assert.deepEqual(problems, []);
});
