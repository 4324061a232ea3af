// docs/openapi.yaml: a sound description, of the Worker as it is.

import { createConfig, lint } from "@redocly/openapi-core";
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/processes.mjs";
import { ADMIN, fill, startConsole } from "../page/console.mjs";
import { ask, cookieOf } from "../worker/stack.mjs";

const FILE = "docs/openapi.yaml";
const stack = await startConsole();
const { worker } = stack;
const json = { "content-type": "application/json" };

test("the description is sound by Redocly's strict rules", async () => {
  // A redirect alone, and the folder that it leads to.
  const rules = /** @type {const} */ ({ "operation-2xx-response": "off", "no-path-trailing-slash": "off", "no-server-example.com": "off" });
  const config = await createConfig({ extends: ["recommended-strict"], rules });
  const problems = await lint({ ref: FILE, config });
  assert.deepEqual(problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`), []);
});

test("the Worker in workerd answers as it says, whatever schemathesis makes up", async () => {
  await fill(stack);
  const signIn = async () => cookieOf((await ask(worker.url, "/api/admin/session", { method: "POST", headers: json, body: JSON.stringify({ token: ADMIN }) })).headers);
  const value = (/** @type {string} */ cookie) => cookie.slice(cookie.indexOf("=") + 1);
  const login = await ask(worker.url, "/api/session/login", { method: "POST", body: '{"userId":"ada"}' });
  const env = { CONSOLE: value(await signIn()), SACRIFICED: await signIn(), SESSION: value(cookieOf(login.headers)), PYTHONUTF8: "1" };
  const config = join(import.meta.dirname, "schemathesis.toml");
  const result = await run(join(process.env.SCHEMATHESIS_DIR ?? "", "bin/schemathesis"), ["--config-file", config, "run", FILE, "--url", worker.url], env);
  assert.equal(result.code, 0, "schemathesis has found what its output tells");
  const passed = Number(/(\d+) generated, \d+ passed/.exec(result.output)?.[1]);
  assert.ok(passed > 1_000, `${passed} requests`);
});
