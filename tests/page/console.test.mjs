// The console in Chromium and Firefox, used as its reader would: every panel, every act, by mouse and by keyboard, with
// Redis there and away.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { startRedis } from "../../scripts/stack.mjs";
import { BROWSERS, enter, fill, go, holds, open, plant, says, signIn, startConsole, text } from "./console.mjs";

/** @typedef {import("./console.mjs").Page} Page */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ROOT = join(import.meta.dirname, "../..");
const SCREENS = join(ROOT, "build/screens");
const DARK = { dark: { scheme: "dark" }, 360: { scheme: "light", width: 360, height: 780 } };
/** @type {Record<string, Record<string, {scheme: string, width?: number, height?: number}>>} */
const SCREENS_OF = { Chromium: { light: { scheme: "light" }, ...DARK }, Firefox: DARK };
/** Those that the README shows. */
const PICTURES = process.env.WRITE ? join(ROOT, "docs/pictures") : undefined;
const SHOWN = ["light-overview", "dark-playground", "light-cache"];

const stack = await startConsole();
const { worker, gateway } = stack;
await fill(stack);
mkdirSync(SCREENS, { recursive: true });
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

/** What axe finds wrong, and how many of its rules hold. @param {Page} page */
async function axe(page) {
  // Evaluated from outside: the page's policy has no say in it. What is hidden is another panel's.
  const found = await page.evaluate(`(globalThis.axe || (() => {${AXE}})(), axe.run(document, {resultTypes: ["violations"]}))`);
  const wrong = found.violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.target + " " + (node.any[0]?.message ?? "")).join("; ")}`);
  return { wrong, held: found.passes.length };
}

/** @param {Page} page */
const overflow = (page) => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

/** Checks a few times, so that there is something to see. @param {Page} page */
async function play(page) {
  await go(page, "playground");
  for (let n = 0; n < 5; n++) {
    await page.click("#play button[value=check]");
    await new Promise((resolve) => setTimeout(resolve, 100 + 60 * n));
  }
  await page.click("#play button[value=burst]");
  await says(page, "#verdict", /Refused/);
}

for (const [name, launch] of Object.entries(BROWSERS)) {
  const browser = await launch();
  after(() => browser.close());

  test(`${name}: a stranger sees how to sign in, a wrong token gets nowhere, the right one in, sign-out out`, async () => {
    const { page, problems, close } = await open(browser, worker.url);
    await signIn(page, "not the token at all");
    await says(page, "#sign-in-problem", /this is not the ADMIN_TOKEN/);
    assert.equal(await page.$eval("#overview", (/** @type {HTMLElement} */ panel) => panel.hidden), true);
    assert.equal(await text(page, "#tiles"), "");
    await page.click("#token", { count: 3 });
    await enter(page);
    assert.equal(await page.evaluate("document.cookie + location.href + JSON.stringify(localStorage)").then((/** @type {string} */ all) => all.includes("token")), false);
    await page.reload();
    await page.waitForSelector("body[data-view=console]");
    await says(page, "#tiles", /%/);
    await page.click("#sign-out");
    await page.waitForSelector("#sign-in:not([hidden])");
    assert.equal(await text(page, "#tiles"), "");
    await page.reload();
    await page.waitForSelector("#sign-in:not([hidden])");
    assert.deepEqual(problems, []);
    await close();
  });

  test(`${name}: the overview tells what the Worker did, and goes on telling`, async () => {
    const { page, problems, close } = await open(browser, worker.url);
    await enter(page);
    await says(page, "#health", /Redis is healthy/);
    await page.waitForSelector(".plot canvas");
    await says(page, "#caches", /demo-page/);
    const refused = await says(page, "#refused", /203\.0\.113\.9/);
    assert.match(refused, /demo/);
    assert.match((await text(page, "#tiles")).replace(/\n/g, " "), /Hit rate [\d.]+ %.*p50 \d.*p99 \d.*Round trips a request 1\.\d\d.*Refused [\d.]+ %/);
    const requests = async () => Number(/(\d+) requests/.exec(await text(page, "#tiles"))?.[1]);
    const before = await requests();
    for (let n = 0; n < 5; n++) await fetch(`${worker.url}/api/page`);
    // The minute that falls out of the five holds what was filled, so less may be there, but not the same.
    for (let tries = 0; (await requests()) === before; tries++) {
      assert.ok(tries < 200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.match(await page.$eval(".plot", (/** @type {Element} */ plot) => plot.getAttribute("aria-label") ?? ""), /Cache, a minute, .*: hits [\d,]+, stale [\d,]+, misses [\d,]+/);
    assert.deepEqual(problems, []);
    await close();
  });

  test(`${name}: the playground draws the window, counts down, and lets the next pass when it said`, async () => {
    const { page, problems, close } = await open(browser, worker.url);
    await enter(page, "playground");
    await page.$eval("#play [name=id]", (/** @type {HTMLInputElement} */ input, /** @type {string} */ id) => (input.value = id), `id of ${name}`);
    await page.$eval("#play [name=limit]", (/** @type {HTMLInputElement} */ input) => (input.value = "3"));
    await page.$eval("#play [name=window]", (/** @type {HTMLInputElement} */ input) => (input.value = "4s"));
    await page.click("#play button[value=burst]");
    await says(page, "#verdict", /Refused/);
    const count = (/** @type {string} */ what) => page.$$eval(`#drawing .past .${what}`, (/** @type {Element[]} */ all) => all.length);
    assert.equal(await count("passed"), 3);
    assert.ok((await count("refused")) >= 1);
    const shift = () => page.$eval("#drawing g[transform]", (/** @type {Element} */ group) => Number(/[\d.-]+/.exec(group.getAttribute("transform") ?? "")));
    const [first, wait] = [await shift(), Number(/([\d.]+)/.exec(await text(page, "#retry"))?.[1])];
    assert.ok(wait > 0 && wait <= 4);
    await page.waitForSelector("#drawing .next");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok((await shift()) < first);
    assert.match(await text(page, "#drawing"), /in [\d.]+ s/);
    await says(page, "#retry", /now/);
    // It goes with the next frame.
    await holds(page, "!document.querySelector('#drawing .next')");
    await page.click("#play button[value=check]");
    await says(page, "#verdict", /Allowed/);
    assert.match(await text(page, "#said"), /Allowed, \d of 3 left/);
    await page.click("#play button[value=reset]");
    await says(page, "#verdict", /Forgotten/);
    assert.equal(await count("passed"), 0);
    assert.deepEqual(problems, []);
    await close();
  });

  test(`${name}: entries are shown with their times and tags, opened, made gone, deleted; hostile names are text`, async () => {
    const hostile = [Buffer.from(`<img src=x onerror="document.title='taken'">`), Buffer.from("‮txt.exe"), Buffer.from("x".repeat(10_240)), Buffer.from([0xff, 0xfe])];
    const cache = `hostile-${name}`;
    for (const key of hostile) await plant(gateway.url, Buffer.concat([Buffer.from(`{${cache}:0}:e:`), key]), "<b>planted</b>");
    const { page, problems, close } = await open(browser, worker.url);
    await enter(page, "cache");
    const entries = await says(page, "#entries", /article\/42[^]*|written-by/);
    for (const part of [/Fresh\s/, /Stale\s/, /On error\s/, /Gone\s/]) assert.match(entries, part);
    await page.$$eval(".entry", (/** @type {HTMLElement[]} */ rows) => {
      const row = rows.find((row) => row.innerText.includes("article/42"));
      /** @type {HTMLElement} */ (row?.querySelector("button"))?.click();
    });
    await says(page, "#value-body", /"title": "Forty-two"/);
    await page.keyboard.press("Escape");
    await holds(page, "!document.querySelector('#value').open");

    const look = async (/** @type {string} */ of) => {
      await page.$eval("#look [name=name]", (/** @type {HTMLInputElement} */ input, /** @type {string} */ of) => (input.value = of), of);
      await page.click("#look button");
    };
    await look(cache);
    await says(page, "#cache-said", /4 entries, that is all/);
    assert.match(await text(page, "#entries"), /<img src=x onerror/);
    assert.match(await text(page, "#entries"), /10\.0 KB of name/);
    assert.match(await text(page, "#entries"), /Its name is no text/);
    assert.equal(await page.$("#entries img"), null);
    assert.ok((await overflow(page)) <= 0);
    assert.equal(await page.title(), "Cache · upstash-edge console");
    for (let left = 4; left > 1; left--) {
      await page.click('#entries button[aria-label^="Delete"]');
      await says(page, "#cache-said", /Deleted/);
      await holds(page, `document.querySelectorAll(".entry").length === ${left - 1}`);
    }

    const now = Date.now();
    const tagged = `ue1;j;${now};${now + 600_000};${now + 700_000};${now + 700_000};7;news;E;0;1`;
    const { redis } = await import("./console.mjs");
    await redis(gateway.url, [["HSET", `{tagged-${name}:0}:t`, "e", "E", "c", "0"], ["SET", `{tagged-${name}:0}:e:a`, tagged, "EX", 600]]);
    await look(`tagged-${name}`);
    await says(page, "#entries", /Fresh/);
    await page.click(".tag");
    assert.equal(await page.$eval("#invalidate [name=tags]", (/** @type {HTMLInputElement} */ input) => input.value), "news");
    await page.click("#invalidate button[value=stale]");
    await says(page, "#sure-text", /becomes stale: news/);
    await page.click("#sure-yes");
    await says(page, "#entries", /Stale/);
    await page.click("#invalidate button[value=gone]");
    await page.click("#sure-no");
    await page.click("#invalidate button[value=gone]");
    await page.click("#sure-yes");
    await says(page, "#entries", /Gone[^]*a tag was invalidated/);
    assert.deepEqual(problems, []);
    await close();
  });

  test(`${name}: a user's sessions are listed and ended, by keyboard alone from signing in on`, async () => {
    const user = `<i>${name}</i>`;
    for (let n = 0; n < 3; n++) await fetch(`${worker.url}/api/session/login`, { method: "POST", body: JSON.stringify({ userId: user }) });
    const { page, problems, close } = await open(browser, worker.url);
    const focused = () => page.evaluate("(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText) || document.activeElement.name");
    const tabTo = async (/** @type {RegExp} */ wanted) => {
      for (let presses = 0; presses < 40; presses++) {
        if (wanted.test(await focused())) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`no tab leads to ${wanted}`);
    };
    await signIn(page);
    await page.waitForSelector("body[data-view=console]");
    await page.evaluate("document.activeElement.blur(); document.querySelector('.skip').focus()");
    await tabTo(/^Sessions$/);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#sessions:not([hidden])");
    await tabTo(/^user$/);
    await page.keyboard.type(user);
    await page.keyboard.press("Enter");
    await says(page, "#sessions-said", /^3 sessions of <i>/);
    await tabTo(/^Revoke the session/);
    await page.keyboard.press("Enter");
    await says(page, "#sessions-said", /^Revoked. 2 sessions/);
    await page.keyboard.down("Shift");
    for (let presses = 0; presses < 5 && !/Revoke all/.test(await focused()); presses++) await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
    await page.keyboard.press("Enter");
    await says(page, "#sure-title", /Revoke all/);
    await tabTo(/^Yes$/);
    await page.keyboard.press("Enter");
    await says(page, "#sessions-said", /^2 revoked. 0 sessions/);
    assert.equal(await page.$("#sessions i"), null);
    assert.deepEqual(problems, []);
    await close();
  });

  test(`${name}: axe finds nothing wrong, and nothing is wider than the screen, light, dark and at 360 px`, async () => {
    // Colours are the same in both browsers: of the wide screens the second one sees the dark.
    for (const [screen, options] of Object.entries(SCREENS_OF[name] ?? {})) {
      const { page, problems, close } = await open(browser, worker.url, options);
      /** @type {string[]} */
      const told = [];
      const keep = async (/** @type {string} */ panel) => {
        const { wrong, held } = await axe(page);
        assert.deepEqual(wrong, [], `${screen}, ${panel}`);
        assert.ok(held > 10, `${screen}, ${panel}: ${held} rules`);
        told.push(`${panel} ${held}`);
        assert.ok((await overflow(page)) <= 0, `${screen}, ${panel}`);
        if (name !== "Chromium") return;
        await page.screenshot({ path: join(SCREENS, `${screen}-${panel}.png`), fullPage: true });
        if (PICTURES && SHOWN.includes(`${screen}-${panel}`)) await page.screenshot({ path: join(PICTURES, `${screen}-${panel}.png`), clip: { x: 0, y: 0, width: 1280, height: 740 } });
      };
      await page.waitForSelector("#sign-in:not([hidden])");
      await keep("sign-in");
      await enter(page);
      await page.waitForSelector(".plot canvas");
      await says(page, "#caches", /demo/);
      await keep("overview");
      await play(page);
      await keep("playground");
      await go(page, "cache");
      await says(page, "#entries", /article/);
      await keep("cache");
      await page.click('#entries button[aria-label^="Value of article"]');
      await says(page, "#value-body", /./);
      await keep("value");
      await page.click("#value-close");
      await go(page, "sessions");
      await fetch(`${worker.url}/api/session/login`, { method: "POST", body: JSON.stringify({ userId: "ada" }) });
      await page.type("#users input", "ada");
      await page.keyboard.press("Enter");
      await says(page, "#sessions-said", /of ada/);
      await keep("sessions");
      console.log(`axe, ${name}, ${screen}: 0 violations; rules that hold: ${told.join(", ")}`);
      assert.deepEqual(problems, []);
      await close();
    }
  });

  test(`${name}: all of it is less than 100 KB`, async () => {
    const { page, close } = await open(browser, worker.url);
    await enter(page);
    await page.waitForSelector(".plot canvas");
    const loaded = await page.evaluate(`[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .map(({name, transferSize, encodedBodySize}) => [name.split("/").pop(), transferSize, encodedBodySize])`);
    const files = loaded.filter((/** @type {[string, number, number]} */ [file]) => !["metrics", "health", "session"].includes(file));
    const bytes = files.reduce((/** @type {number} */ sum, /** @type {[string, number, number]} */ [, sent, body]) => sum + Math.max(sent, body), 0);
    console.log(`${name} loaded ${files.length} files, ${bytes} bytes: ${files.map((/** @type {any[]} */ file) => file.join(" ")).join(", ")}`);
    assert.ok(files.length >= 4 && bytes > 10_000 && bytes < 100_000, `${bytes}`);
    await close();
  });

  test(`${name}: a Redis that is away is told of, and when it is back nobody need do anything`, async () => {
    const { page, close } = await open(browser, worker.url);
    await enter(page);
    await says(page, "#tiles", /%/);
    const shown = await text(page, "#tiles");
    process.kill(stack.redis.pid, "SIGSTOP");
    try {
      await says(page, "#banner", /Redis does not answer.*Asking again every 2 seconds/);
      await says(page, "#health", /Redis is unhealthy/);
      assert.equal(await text(page, "#tiles"), shown);
      await go(page, "cache");
      await says(page, "#cache-problem", /Not done/);
    } finally {
      process.kill(stack.redis.pid, "SIGCONT");
    }
    await says(page, "#health", /Redis is healthy/);
    await says(page, "#banner", /^$/);
    await go(page, "overview");
    await close();
  });
}

test("a Redis that comes back empty has forgotten who was signed in: the console says so and asks", async () => {
  const browser = await /** @type {() => Promise<any>} */ (BROWSERS.Chromium)();
  try {
    const { page } = await open(browser, worker.url);
    await enter(page);
    const { port } = stack.redis;
    await stack.redis.stop();
    await says(page, "#banner", /Redis does not answer/);
    stack.redis = await startRedis({ port });
    await page.waitForSelector("#sign-in:not([hidden])");
    await says(page, "#sign-in-problem", /Your session is over/);
    assert.equal(await text(page, "#tiles"), "");
    await enter(page);
  } finally {
    await browser.close();
  }
});
