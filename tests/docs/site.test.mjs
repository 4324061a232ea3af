// The site builds, and every link within it, to a page, a place in it or a file of the repository, leads somewhere.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { COMMANDS, PRICES, TRAFFIC, cost } from "../../docs/.vitepress/theme/cost.mjs";
import { run } from "../../scripts/processes.mjs";
import { PAGES } from "./blocks.mjs";

const ROOT = join(import.meta.dirname, "../..");
const SITE = join(ROOT, "target/docs-site");
const REPOSITORY = "https://github.com/upstash-edge/upstash-edge/blob/main/";

test("the site builds, and its links lead somewhere", async () => {
  const built = await run("vitepress", ["build", join(ROOT, "docs")]);
  assert.equal(built.code, 0);
  const pages = globSync("**/*.html", { cwd: SITE });
  assert.equal(pages.length, globSync("docs/*.md", { cwd: ROOT }).length + 1);
  const text = new Map(pages.map((page) => [page, readFileSync(join(SITE, page), "utf8")]));
  const broken = [];
  let links = 0;
  for (const [page, html] of text) {
    for (const [, attribute = ""] of html.matchAll(/ (?:href|src)="([^"]+)"/g)) {
      links += 1;
      const link = attribute.replaceAll("&amp;", "&");
      const outside = link.startsWith(REPOSITORY) ? join(ROOT, link.slice(REPOSITORY.length)) : undefined;
      if (outside ? !existsSync(outside) : !leads(page, link)) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(links > 300, `${links}`);

  // As it is before a script runs.
  for (const commands of [COMMANDS.ours, COMMANDS.peers]) {
    const { dollars } = cost(commands, TRAFFIC, PRICES);
    assert.ok(text.get("operations.html")?.includes(`>${dollars.toFixed(2)}<`), `${dollars}`);
  }

  /** @param {string} page @param {string} link */
  function leads(page, link) {
    const { origin, pathname, hash } = new URL(link, `http://site/${page}`);
    if (origin !== "http://site") return true;
    const file = decodeURIComponent(pathname).slice(1) || "index.html";
    if (hash && hash !== "#") return text.get(file)?.includes(` id="${decodeURIComponent(hash.slice(1))}"`) ?? false;
    return existsSync(join(SITE, file)) || existsSync(join(SITE, `${file}.html`));
  }
});

test("the pages' links hold where they are read as files, too", () => {
  const broken = [];
  const read = (/** @type {string} */ file) => readFileSync(join(ROOT, file), "utf8");
  const headings = (/** @type {string} */ file) =>
    [...read(file).replace(/^```[^]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading.replaceAll("`", "").toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-"));
  for (const page of PAGES) {
    for (const [, link = ""] of read(page).replace(/^```[^]*?^```/gm, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const file = path ? join(dirname(page), path) : page;
      if (!existsSync(join(ROOT, file)) || (anchor && !headings(file).includes(anchor))) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});
