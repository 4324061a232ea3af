// A master lost under a write load: the client gets errors, then answers again; nothing is done twice, no answer is wrong.
// What asynchronous replication loses is what was acknowledged and had not reached the replica.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { startGateway } from "../../scripts/stack.mjs";
import { cli, replicaOf, reshard, startCluster, startSentinels, until } from "../../scripts/topology.mjs";
import { Load } from "./load.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await import(path);

/** @typedef {import("../../scripts/topology.mjs").Topology} Topology */
/** @typedef {import("../../scripts/stack.mjs").Part} Part */
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

/** After so long a silence a master is given up: what is usual would be long for a test. */
const DOWN_AFTER_MS = 1000;

/** Of each test's own: what one left would be the next one's starting point. @param {(downAfterMs: number) => Promise<Topology>} start */
async function begun(start) {
  const topology = await start(DOWN_AFTER_MS);
  after(topology.stop);
  return topology;
}

/** A client of a gateway of its own. @param {Topology} topology */
async function client(topology) {
  const gateway = await startGateway({ redisUrl: topology.url, token });
  after(() => gateway.stop());
  return new Redis({ url: gateway.url, token });
}

/**
 * A load, disturbed until another is the master.
 * @param {string} name @param {Topology} topology @param {string[]} keys
 * @param {(load: Load, master: Part) => Promise<unknown>} disturb
 * @returns {Promise<Told>}
 */
async function under(name, topology, keys, disturb) {
  const load = new Load(await client(topology), String(Object.keys(table).length), keys);
  await load.answered(50);
  const master = await topology.master("a");
  await disturb(load, master);
  await until("another is the master", async () => (await topology.master("a")) !== master);
  await load.answered(20);
  load.recovered();
  await load.answered(50);
  const told = await load.end(await client(topology));
  table[name] = told;
  assert.deepEqual([told.doubled, told.wrong, told.lostLater], [0, 0, 0]);
  return told;
}

// Of three masters.
const KEYS = ["a", "b", "c"];

for (const [name, start, keys] of /** @type {const} */ ([["cluster", startCluster, KEYS], ["Sentinel", startSentinels, ["a"]]])) {
  test(`${name}: a master that hands over is followed`, async () => {
    const topology = await begun(start);
    const told = await under(`${name}, handed over`, topology, [...keys], () => topology.handOver("a"));
    // A cluster's master waits for its replica; one of Sentinel's does not.
    if (name === "cluster") assert.deepEqual([told.lost, told.errors], [0, {}]);
  });

  test(`${name}: a master that is killed is replaced`, async () => {
    const topology = await begun(start);
    const told = await under(`${name}, master killed`, topology, [...keys], async (_, { pid }) => process.kill(pid, "SIGKILL"));
    assert.ok(Object.keys(told.errors).length > 0);
  });
}

test("cluster: a slot that moves from master to master under a load loses nothing, and nothing is done twice", async () => {
  const topology = await begun(startCluster);
  let moved = 0;
  const told = await under("cluster, a slot resharded", topology, KEYS, async () => {
    moved = await reshard(topology, "a");
  });
  assert.ok(moved > 0);
  assert.equal(told.lost, 0);
  // A transaction waits for the end of the move, what is alone is asked of the other: if anybody is told anything, it is to try again.
  assert.deepEqual(Object.keys(told.errors).filter((kind) => !kind.startsWith("server_error")), []);
});

test("cluster: what its replica had not received is lost with a master, and WAIT tells which that is", async () => {
  const topology = await begun(startCluster);
  let meanwhile = 0;
  let marks = "";
  const told = await under("cluster, replica cut off, master killed", topology, KEYS, async (load, master) => {
    const replica = await replicaOf(topology, master);
    marks += await waited(master, "{a}reached");
    const before = load.acknowledged();
    await cutOff(master, [replica]);
    marks += await waited(master, "{a}lost");
    await load.answered(20);
    process.kill(master.pid, "SIGKILL");
    // Those under way are answered or not.
    meanwhile = load.acknowledged() - before + load.near.length;
    process.kill(replica.pid, "SIGCONT");
  });
  assert.equal(marks, "+OK\r\n:1\r\n+OK\r\n:0\r\n");
  const redis = await client(topology);
  assert.deepEqual(await redis.mget("{a}reached", "{a}lost"), ["x", null]);
  // Twenty or more of each of eight writers.
  assert.ok(told.lost >= 160 && told.lost <= meanwhile, `${told.lost} lost of ${meanwhile}`);
});

test("Sentinel: with min-replicas-to-write a master that lost its replicas refuses, and nothing is lost", async () => {
  const topology = await begun(startSentinels);
  for (const node of topology.nodes) await cli(node, "CONFIG", "SET", "min-replicas-to-write", 1);
  const told = await under("Sentinel, min-replicas-to-write 1, replicas cut off, master killed", topology, ["a"], async (load, master) => {
    const replicas = topology.nodes.filter((node) => node !== master);
    await cutOff(master, replicas);
    await until("writes are refused", async () => Object.keys(load.errors()).some((kind) => kind.includes("NOREPLICAS")));
    process.kill(master.pid, "SIGKILL");
    for (const { pid } of replicas) process.kill(pid, "SIGCONT");
  });
  assert.equal(told.lost, 0);
});

/** Nothing more reaches the replicas: they hold still, and their connections are closed. @param {Part} master @param {Part[]} replicas */
async function cutOff(master, replicas) {
  for (const { pid } of replicas) process.kill(pid, "SIGSTOP");
  await cli(master, "CLIENT", "KILL", "TYPE", "replica");
}

/** What the master says to a write, and to WAIT for one replica after it, on one connection. @param {Part} master @param {string} key */
async function waited(master, key) {
  const socket = connect(master.port, "127.0.0.1");
  socket.write(`SET ${key} x\r\nWAIT 1 500\r\n`);
  let text = "";
  for await (const bytes of socket) {
    text += bytes;
    if (text.split("\r\n").length > 2) break;
  }
  return text;
}
