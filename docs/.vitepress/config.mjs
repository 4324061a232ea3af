// The site: `make docs`. Its pages are read at GitHub too, so what is special to VitePress stays in this folder.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitepress";

const REPOSITORY = "https://github.com/upstash-edge/upstash-edge/blob/main/";
const ROOT = join(import.meta.dirname, "../..");

export default defineConfig({
  title: "upstash-edge",
  description: "Caching, exact rate limiting and sessions for edge runtimes: what is asked together is one HTTP request",
  base: process.env.DOCS_BASE ?? "/",
  outDir: join(ROOT, "target/docs-site"),
  cacheDir: join(ROOT, "target/docs-cache"),
  cleanUrls: false,
  markdown: {
    // As GitHub names headings, so that a link holds in both.
    anchor: { slugify: (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-") },
    config(md) {
      const links = md.renderer.rules.link_open;
      md.renderer.rules.link_open = (tokens, at, ...rest) => {
        const href = tokens[at]?.attrGet("href") ?? "";
        // What lies outside of the pages is read where the code is.
        if (href.startsWith("../")) tokens[at]?.attrSet("href", REPOSITORY + href.slice(3));
        return links?.(tokens, at, ...rest) ?? "";
      };
    },
  },
  buildEnd: ({ outDir }) => copyFileSync(join(ROOT, "docs/openapi.yaml"), join(outDir, "openapi.yaml")),
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    socialLinks: [{ icon: "github", link: REPOSITORY.replace("/blob/main/", "") }],
    sidebar: [
      { text: "Begin", items: [{ text: "From zero to deployed", link: "/guide" }, { text: "Adapters", link: "/adapters" }] },
      {
        text: "Parts",
        items: [
          { text: "The cache", link: "/cache" },
          { text: "Sessions", link: "/sessions" },
          { text: "The edge", link: "/edge" },
          { text: "Leaderboards", link: "/leaderboard" },
          { text: "Job queues", link: "/queue" },
          { text: "The console", link: "/console" },
        ],
      },
      { text: "Run it", items: [{ text: "Operations and cost", link: "/operations" }, { text: "Reliability", link: "/reliability" }, { text: "Moving a store", link: "/migration" }, { text: "Dependencies", link: "/dependencies" }] },
      {
        text: "Coming from",
        items: ["upstash-redis", "upstash-ratelimit", "cachified", "iron-session"].map((peer) => ({ text: peer, link: `/from-${peer}` })),
      },
    ],
  },
});
