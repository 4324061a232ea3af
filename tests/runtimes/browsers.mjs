// Opens a page in a browser without a window and waits for what it leaves in `results`.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { INSTALLED } from "./start.mjs";

/** @typedef {import("./start.mjs").Results} Results */

/** @returns {{launch(options: object): Promise<any>}} */
const puppeteer = () => createRequire(join(INSTALLED, "package.json"))("puppeteer-core").default;

/** @param {string[]} paths */
const found = (paths) => paths.find((path) => existsSync(path));

const CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** @param {string} url @returns {Promise<Results>} */
export function inChromium(url) {
  const executablePath = found(["/usr/bin/chromium", "/usr/bin/google-chrome"]);
  return opened(url, { ...(executablePath ? { executablePath } : { channel: "chrome" }), args: CHROMIUM });
}

/** @param {string} url @returns {Promise<Results>} */
export function inFirefox(url) {
  const executablePath = found(["/usr/bin/firefox-esr", "/usr/bin/firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"]);
  return opened(url, { browser: "firefox", executablePath });
}

/** @param {string} url @param {object} options */
async function opened(url, options) {
  const browser = await puppeteer().launch({ headless: true, ...options });
  try {
    const page = await browser.newPage();
    /** @type {string[]} */
    const problems = [];
    page.on("pageerror", (/** @type {Error} */ error) => problems.push(error.message));
    await page.goto(url);
    await page.waitForFunction("globalThis.results", { timeout: 120_000 }).catch((/** @type {Error} */ cause) => {
      throw new Error(`the page never had results: ${problems.join("; ")}`, { cause });
    });
    return await page.evaluate("globalThis.results");
  } finally {
    await browser.close();
  }
}
