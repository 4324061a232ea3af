// A master lost under a write load: the client gets errors, then answers again; nothing is done twice, no answer is wrong.
// What asynchronous replication loses is what was acknowledged and had not reached the replica.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../scripts/stack.mjs";
import { replicaOf, startCluster, startSentinels, until } from "../../scripts/topology.mjs";
import { Load } from "./load.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/node.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await import(path);

/** @typedef {import("../../scripts/topology.mjs").Topology} Topology */
/** @typedef {import("./load.mjs").Told} Told */

const token = "token-of-the-tests";
/** @type {Record<string, Told>} */
const table = {};
after(() => {
  for (const [name, { errors, ...counts }] of Object.entries(table)) {
    console.log(name);
    console.log(`  ${Object.entries(counts).map(([what, count]) => `${what} ${count}`).join(", ")}`);
    for (const [kind, count] of Object.entries(errors)) console.log(`  ${count} x ${kind}`);
  }
});

/** A client of a gateway before it. @param {Topology} topology */
async function client(topology) {
  const gateway = await startGateway({ redisUrl: topology.url, token });
  after(async () => {
    await gateway.stop();
    await topology.stop();
  });
  return new Redis({ url: gateway.url, token });
}

/**
 * A load, disturbed.
 * @param {string} name @param {import("../../pkg/index.js").Redis} redis @param {string[]} keys @param {() => Promise<unknown>} disturb
 * @returns {Promise<Told>}
 */
async function under(name, redis, keys, disturb) {
  const load = new Load(redis, String(Object.keys(table).length), keys);
  await load.answered(50);
  await disturb();
  await load.answered(50);
  const told = await load.end();
  table[name] = told;
  return told;
}

// Of three masters.
const KEYS = ["a", "b", "c"];

/** @param {Topology} topology @param {import("../../scripts/stack.mjs").Part} master */
function replaced(topology, master) {
  return until("another is the master", async () => (await topology.master("a")) !== master);
}

for (const [name, start, keys] of /** @type {const} */ ([["cluster", startCluster, KEYS], ["Sentinel", startSentinels, ["a"]]])) {
  const topology = await start();
  const redis = await client(topology);

  test(`${name}: a master hands over to its replica`, async () => {
    const told = await under(`${name}, handed over`, redis, [...keys], async () => {
      const master = await topology.master("a");
      await topology.handOver("a");
      await replaced(topology, master);
      await replicaOf(topology, await topology.master("a"));
    });
    assert.deepEqual([told.doubled, told.wrong], [0, 0]);
  });

  test(`${name}: a master that is killed is replaced`, async () => {
    const told = await under(`${name}, master killed`, redis, [...keys], async () => {
      const master = await topology.master("a");
      process.kill(master.pid, "SIGKILL");
      await replaced(topology, master);
    });
    assert.deepEqual([told.doubled, told.wrong], [0, 0]);
    assert.ok(Object.keys(told.errors).length > 0);
  });
}
