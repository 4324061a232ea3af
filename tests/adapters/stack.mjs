// What the adapters' tests share: a Redis, a gateway that counts, the packed package beside the frameworks, the examples.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { project } from "../pkg/packed.mjs";
import { folderBelow, INSTALLED } from "../runtimes/start.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "token-of-the-tests";
export const SECRET = "a secret of the tests that is 32 bytes long or more";

/** A Redis and a gateway, and the variables that name it; gone when the tests end. */
export async function startStack() {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  after(async () => {
    await gateway.stop();
    await redis.stop();
  });
  const vars = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN, SESSION_SECRETS: SECRET };
  return { redis, gateway, vars };
}

/** A module of the package that is installed there. @param {string} path @param {string} file */
export const packed = (path, file) => import(join(path, "node_modules/upstash-edge/dist", file));

/** A project beside the frameworks that has the package. @param {Record<string, string>} [files] */
export const beside = (files = {}) => project("adapters", files, folderBelow());

/** @param {string} folder @returns {string} */
const version = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;

/**
 * An example, as a newcomer copies it, with the package from its tarball; what else it depends on lies in a folder above.
 * @param {string} name @param {string} [below] @returns {string} its folder
 */
export function example(name, below = "") {
  const folder = join(ROOT, "examples", name);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { "upstash-edge": own, ...others } = dependencies;
  assert.equal(own, `^${version(join(ROOT, "pkg"))}`);
  // What is tested is what is written there: of the same major version.
  for (const [other, range] of Object.entries({ ...others, ...devDependencies })) {
    assert.equal(range, `^${version(join(other === "wrangler" ? ROOT : join(INSTALLED, below), "node_modules", other)).split(".")[0]}`, other);
  }
  const files = globSync("**/*.*", { cwd: folder, exclude: (path) => /node_modules|\.next|\.wrangler/.test(path) }).filter((file) => file !== "package.json");
  return project(name, Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), "utf8")])), folderBelow(below));
}

/** The `Cookie` header that answers what an answer set. @param {Response} response */
export const cookieOf = (response) => response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
