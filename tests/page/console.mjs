// The console before a Worker with something to show, in Chromium and Firefox without a window.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { INSTALLED } from "../runtimes/start.mjs";
import { TOKEN, startStack } from "../worker/stack.mjs";

/** @typedef {any} Page of puppeteer, which stands among the runtimes' packages */

export const ADMIN = "an-admin-token-of-the-tests";

const puppeteer = createRequire(join(INSTALLED, "package.json"))("puppeteer-core").default;
const found = (/** @type {string[]} */ paths) => paths.find((path) => existsSync(path));
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** @type {Record<string, () => Promise<any>>} */
export const BROWSERS = {
  Chromium: () => {
    const executablePath = found(["/usr/bin/chromium", "/usr/bin/google-chrome"]);
    return puppeteer.launch({ headless: true, ...(executablePath ? { executablePath } : { channel: "chrome" }), args: ARGS });
  },
  Firefox: () => puppeteer.launch({ headless: true, browser: "firefox", executablePath: found(["/usr/bin/firefox-esr", "/usr/bin/firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"]) }),
};

export const startConsole = () => startStack({ DEMO: "1", ADMIN_TOKEN: ADMIN });

/** Commands of Redis, by the gateway. @param {string} gateway @param {unknown[][]} commands */
export async function redis(gateway, commands) {
  const answer = await fetch(`${gateway}/pipeline`, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body: JSON.stringify(commands) });
  return /** @type {Promise<{result?: any, error?: string}[]>} */ (answer.json());
}

/** One command with a key of any bytes. @param {string} gateway @param {Buffer} key @param {string} value */
export async function plant(gateway, key, value) {
  // Bytes come in as the last argument alone.
  const script = "return redis.call('SET', ARGV[2], ARGV[1], 'EX', 600)";
  const url = `${gateway}/eval/${encodeURIComponent(script)}/0/${encodeURIComponent(value)}`;
  const answer = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body: new Uint8Array(key) });
  if (!answer.ok) throw new Error(await answer.text());
}

/** An hour as isolates would have counted it, up to some minutes ago. @param {number} now */
function hourBefore(now) {
  const last = Math.floor(now / 60_000) - 7;
  return Array.from({ length: 52 }, (_, n) => n).flatMap((n) => {
    const minute = last - n;
    const wave = 120 + Math.round(60 * Math.sin(n / 7) + 25 * Math.sin(n * 1.7));
    const counts = { n: wave, t: wave + 9, h: Math.round(wave * 0.82), s: (n % 5) * 2, m: Math.round(wave * 0.1), a: wave - (n % 9), r: n % 9, l8: Math.round(wave * 0.6), l14: Math.round(wave * 0.39), [`l${20 + (n % 4)}`]: 3 };
    const key = `{upstash-edge}:traffic:${Math.floor(minute / 60)}`;
    return Object.entries(counts).map(([what, count]) => ["HINCRBY", key, `${minute}:${what}`, count]);
  });
}

/** Traffic of every kind, and entries in every state. @param {{worker: {url: string}, gateway: {url: string}}} stack */
export async function fill({ worker, gateway }) {
  const get = (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) => fetch(worker.url + path, init).then((answer) => answer.text());
  await Promise.all(Array.from({ length: 30 }, () => get("/api/page")));
  for (const n of [1, 2, 3]) await get(`/api/fetch/report-${n}?ms=40`);
  await Promise.all(Array.from({ length: 12 }, (_, n) => get(`/api/limit/${n % 3 ? "203.0.113.9" : "user:ada"}?limit=4&window=60s`, { method: "POST" })));
  const now = Date.now();
  const history = hourBefore(now);
  for (let at = 0; at < history.length; at += 500) await redis(gateway.url, history.slice(at, at + 500));
  const entry = (/** @type {string} */ times, /** @type {string} */ tags, /** @type {string} */ value) => `ue1;j;${times};7;${tags};${tags ? "E;0" : ";"};${value}`;
  const at = (/** @type {number[]} */ ...after) => after.map((s) => now + s * 1_000).join(";");
  await redis(gateway.url, [
    ["HSET", "{demo:0}:t", "e", "E", "c", "0"],
    ["SET", "{demo:0}:e:article/42", entry(at(-40, 600, 900, 3_600), "news,author%3Aada", '{"title":"Forty-two","words":[1,2,3]}'), "EX", 3_600],
    ["SET", "{demo:0}:e:article/7", entry(at(-400, -30, 300, 900), "news", '{"title":"Seven"}'), "EX", 900],
    ["SET", "{demo:0}:e:price%3Aeur", entry(at(-300, -200, -100, 600), "", "1.09"), "EX", 900],
    ["SET", "{demo:0}:e:banner", entry(at(-100, 500, 500, 500), "campaign", '"spring"'), "EX", 900],
    ["HSET", "{demo:0}:t", "g:campaign", "1", "c", "1"],
    ["SET", "{demo:0}:e:written-by-another-client", '{"plain":true}', "EX", 86_400],
  ]);
}

/** A window of its own at the console. @param {any} browser @param {string} url @param {{width?: number, height?: number, scheme?: string}} [options] */
export async function open(browser, url, { width = 1280, height = 900, scheme } = {}) {
  const context = await browser.createBrowserContext();
  /** @type {Page} */
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (/** @type {Error} */ error) => problems.push(error.message));
  page.on("console", (/** @type {any} */ message) => {
    // What is refused on purpose is told there too.
    if (message.type() === "error" && !/status of (401|404|429|503)|NetworkError|ERR_/.test(message.text())) problems.push(message.text());
  });
  await page.setViewport({ width, height }).catch((/** @type {Error} */ error) => {
    // With the size goes how the screen is turned, which Firefox 140 does not know yet.
    if (!error.message.includes("setScreenOrientationOverride): unknown command")) throw error;
  });
  await holds(page, `innerWidth === ${width} && innerHeight === ${height}`);
  if (scheme) await setTheme(page, url, scheme);
  await page.goto(`${url}/api/console/`);
  return { page, problems, close: () => context.close() };
}

/** @param {Page} page @param {string} url @param {string} theme */
async function setTheme(page, url, theme) {
  await page.goto(`${url}/api/console/icon.svg`);
  await page.evaluate((/** @type {string} */ theme) => localStorage.setItem("theme", theme), theme);
}

/** @param {Page} page @param {string} [token] */
export async function signIn(page, token = ADMIN) {
  await page.waitForSelector("#sign-in:not([hidden])");
  await page.type("#token", token);
  await page.keyboard.press("Enter");
}

/** Signed in, at a panel. @param {Page} page @param {string} [panel] */
export async function enter(page, panel = "overview") {
  await signIn(page);
  await page.waitForSelector("body[data-view=console]");
  await go(page, panel);
}

/** @param {Page} page @param {string} panel */
export async function go(page, panel) {
  await page.click(`nav a[href="#${panel}"]`);
  await page.waitForSelector(`#${panel}:not([hidden])`);
}

/** What an element says. @param {Page} page @param {string} selector @returns {Promise<string>} */
export const text = (page, selector) => page.$eval(selector, (/** @type {HTMLElement} */ found) => found.innerText);

/** Until it is so: not by puppeteer, whose waiting the page's policy forbids in Firefox 140. @param {Page} page @param {string} expression */
export async function holds(page, expression) {
  for (let tries = 0; tries < 400; tries++) {
    if (await page.evaluate(expression)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 20 s: ${expression}`);
}

/** Until an element says so. @param {Page} page @param {string} selector @param {RegExp} said @param {number} [seconds] */
export async function says(page, selector, said, seconds = 20) {
  let last = "";
  for (let tries = 0; tries < seconds * 20; tries++) {
    last = await page.$eval(selector, (/** @type {HTMLElement} */ found) => found.innerText).catch(() => "");
    if (said.test(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${selector} never said ${said}, but: ${last.slice(0, 500)}`);
}
