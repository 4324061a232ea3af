// More than one Redis: a cluster of three masters and three replicas, and a Sentinel set. Loopback only.
// Each is whole when its function returns: every node knows it, and every replica follows its master.

import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort, startRedis } from "./stack.mjs";

/** @typedef {import("./stack.mjs").Part} Part */
/**
 * @typedef {object} Topology
 * @property {string} url for the gateway's `--redis`
 * @property {Part[]} nodes those that hold data
 * @property {(key: string) => Promise<Part>} master whoever holds this key now
 * @property {(key: string) => Promise<unknown>} handOver asks for another master of this key
 * @property {() => Promise<void>} stop
 */

/** After so long a silence a master is given up: on a busy machine, a second of it is no failure. */
const PATIENT_MS = 15_000;
// By default a master waits 5 s for more replicas to come before it sends its data to the first.
const COMMON = ["--repl-diskless-sync-delay", "0"];
const SLOTS = 16384;
const NAME = "main";

const run = promisify(execFile);

/** What a node answers, as `redis-cli` writes it. @param {{port: number}} node @param {...(string | number)} words */
export async function cli({ port }, ...words) {
  const { stdout } = await run("redis-cli", ["-p", `${port}`, ...words.map(String)]);
  return stdout.trimEnd();
}

/**
 * Waits until it is so; a server that cannot be asked is "not yet".
 * @param {string} what @param {() => Promise<boolean>} ready
 */
export async function until(what, ready) {
  const limit = Date.now() + 60_000;
  while (!(await ready().catch(() => false))) {
    if (Date.now() > limit) throw new Error(`not within a minute: ${what}`);
    await sleep(20);
  }
}

/** The one replica of a master, once it follows. @param {Topology} topology @param {Part} master @returns {Promise<Part>} */
export async function replicaOf({ nodes }, master) {
  /** @type {Part | undefined} */
  let replica;
  await until("a replica follows", async () => {
    const [, ip, port] = (await cli(master, "ROLE")).match(/^master\n\d+\n([\d.]+)\n(\d+)/) ?? [];
    replica = ip ? nodes.find((node) => `${node.port}` === port) : undefined;
    return replica !== undefined && (await follows(replica));
  });
  return /** @type {Part} */ (replica);
}

/** @param {Part} node */
async function follows(node) {
  return /^slave\n.*\n.*\nconnected\n/.test(await cli(node, "ROLE"));
}

/** Three masters with a third of the slots each, and a replica for each. @param {number} [downAfterMs] @returns {Promise<Topology>} */
export async function startCluster(downAfterMs = PATIENT_MS) {
  const buses = await Promise.all(Array.from({ length: 6 }, () => freePort()));
  const nodes = await Promise.all(buses.map((bus) => startRedis({ settings: [...COMMON, ...clustered(bus, downAfterMs)] })));
  const masters = nodes.slice(0, 3);
  const replicas = nodes.slice(3);
  for (const [n, master] of masters.entries()) {
    const [from, to] = [n, n + 1].map((n) => Math.round((n * SLOTS) / 3));
    await cli(master, "CLUSTER", "ADDSLOTSRANGE", from ?? 0, (to ?? 0) - 1);
    // Masters of one epoch would first have to find out which of them yields.
    await cli(master, "CLUSTER", "SET-CONFIG-EPOCH", n + 1);
  }
  const first = at(nodes, 0);
  await Promise.all(nodes.slice(1).map(({ port }, n) => cli(first, "CLUSTER", "MEET", "127.0.0.1", port, buses[n + 1] ?? 0)));
  const views = () => Promise.all(nodes.map((node) => cli(node, "CLUSTER", "NODES")));
  await until("the nodes know each other", async () =>
    (await views()).every((view) => view.split("\n").length === nodes.length && !view.includes("handshake")),
  );
  for (const [n, replica] of replicas.entries()) {
    await cli(replica, "CLUSTER", "REPLICATE", await cli(at(masters, n), "CLUSTER", "MYID"));
  }
  await until("the cluster is whole", async () => {
    const states = await Promise.all(nodes.map((node) => cli(node, "CLUSTER", "INFO")));
    const known = (await views()).every((view) => view.match(/[ ,]slave /g)?.length === replicas.length);
    const following = await Promise.all(replicas.map(follows));
    return known && following.every(Boolean) && states.every((state) => state.includes("cluster_state:ok"));
  });
  /** @type {Topology} */
  const topology = {
    url: `redis-cluster://${addresses(nodes)}`,
    nodes,
    master: (key) => holder(nodes, key),
    handOver: async (key) => cli(await replicaOf(topology, await topology.master(key)), "CLUSTER", "FAILOVER"),
    stop: () => stop(nodes),
  };
  return topology;
}

/** @param {number} bus @param {number} downAfterMs */
function clustered(bus, downAfterMs) {
  // Its own bus port: the usual one, 10,000 higher, may not be free, or not exist.
  return ["--cluster-enabled", "yes", "--cluster-port", `${bus}`, "--cluster-node-timeout", `${downAfterMs}`];
}

/**
 * Gives the slot of a key to another master, key by key, as `redis-cli --cluster reshard` does.
 * @param {Topology} topology @param {string} key @param {(moved: number) => unknown} [onMoved] told after each key
 */
export async function reshard({ nodes, master }, key, onMoved = () => {}) {
  const from = await master(key);
  const roles = await Promise.all(nodes.map((node) => cli(node, "ROLE")));
  const masters = nodes.filter((_, n) => roles[n]?.startsWith("master"));
  const to = at(masters, (masters.indexOf(from) + 1) % masters.length);
  const slot = await cli(from, "CLUSTER", "KEYSLOT", key);
  const [source, target] = [await cli(from, "CLUSTER", "MYID"), await cli(to, "CLUSTER", "MYID")];
  await cli(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", source);
  await cli(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", target);
  let moved = 0;
  for (;;) {
    const keys = (await cli(from, "CLUSTER", "GETKEYSINSLOT", slot, 10)).split("\n").filter(Boolean);
    if (keys.length === 0) break;
    await cli(from, "MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys);
    onMoved((moved += keys.length));
  }
  // The one that takes it first, or nobody would hold it for a moment.
  for (const node of [to, from, ...masters.filter((one) => one !== to && one !== from)]) await cli(node, "CLUSTER", "SETSLOT", slot, "NODE", target);
  return moved;
}

/** Who answers for a key. @param {Part[]} nodes @param {string} key @returns {Promise<Part>} */
async function holder(nodes, key) {
  for (const node of nodes) {
    const slot = Number(await cli(node, "CLUSTER", "KEYSLOT", key).catch(() => -1));
    if (slot < 0) continue;
    for (const line of (await cli(node, "CLUSTER", "NODES")).split("\n")) {
      const [, address = "", flags, , , , , , ...ranges] = line.split(" ");
      const holds = ranges.some((range) => {
        const [from = NaN, to = from] = range.split("-").map(Number);
        return from <= slot && slot <= to;
      });
      const master = nodes.find(({ port }) => address.startsWith(`127.0.0.1:${port}@`));
      if (holds && master && !flags?.includes("fail")) return master;
    }
  }
  throw new Error("nobody holds the key");
}

/** A master, two replicas and three Sentinels. @param {number} [downAfterMs] @returns {Promise<Topology>} */
export async function startSentinels(downAfterMs = PATIENT_MS) {
  const master = await startRedis({ settings: COMMON });
  const following = ["--replicaof", `127.0.0.1 ${master.port}`];
  const replicas = await Promise.all([1, 2].map(() => startRedis({ settings: [...COMMON, ...following] })));
  const sentinel = `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 2
sentinel down-after-milliseconds ${NAME} ${downAfterMs}
sentinel failover-timeout ${NAME} 10000
`;
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedis({ sentinel })));
  await until("the replicas follow", async () => (await Promise.all(replicas.map(follows))).every(Boolean));
  await until("the Sentinels know each other and the replicas", async () => {
    const known = await Promise.all(sentinels.map((one) => cli(one, "SENTINEL", "MASTER", NAME)));
    return known.every((text) => /\nnum-slaves\n2\n/.test(text) && /\nnum-other-sentinels\n2\n/.test(text));
  });
  const nodes = [master, ...replicas];
  return {
    url: `redis-sentinel://${NAME}@${addresses(sentinels)}`,
    nodes,
    async master() {
      const told = await cli(at(sentinels, 0), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME);
      const port = Number(told.split("\n")[1]);
      return at(nodes, nodes.findIndex((node) => node.port === port));
    },
    handOver: () => cli(at(sentinels, 0), "SENTINEL", "FAILOVER", NAME),
    stop: () => stop([...sentinels, ...nodes]),
  };
}

/** @param {Part[]} nodes */
function addresses(nodes) {
  return nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
}

/** @param {Part[]} nodes @param {number} index */
function at(nodes, index) {
  const node = nodes[index];
  if (!node) throw new Error(`there is no node ${index}`);
  return node;
}

/** @param {Part[]} parts */
async function stop(parts) {
  await Promise.all(parts.map((part) => part.stop()));
}
