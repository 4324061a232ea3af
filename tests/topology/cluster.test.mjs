// What a cluster answers otherwise than one Redis, command by command, as our client tells it. What is not here is as
// on one Redis: a command whose keys are in one slot, and so every feature of this project.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { startGateway } from "../../scripts/stack.mjs";
import { cli, startCluster, until } from "../../scripts/topology.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await import(path);

const token = "token-of-the-tests";
const cluster = await startCluster();
const gateway = await startGateway({ redisUrl: cluster.url, token });
after(async () => {
  await gateway.stop();
  await cluster.stop();
});
const redis = new Redis({ url: gateway.url, token });

/** One on each master. */
const KEYS = ["a", "b", "c"];
const masters = await Promise.all(KEYS.map(cluster.master));
assert.equal(new Set(masters).size, 3);

const CROSSSLOT = "CROSSSLOT Keys in request don't hash to the same slot";
const SCRIPT_READS_B = "return redis.call('GET', 'b')";

/** @param {string} text @param {string[]} lines @returns {[words: string[], text: string][]} */
const refused = (text, lines) => lines.map((line) => [line.split(" "), text]);

/** Refused by nature, and nothing of it done. */
const REFUSED = [
  ...refused(CROSSSLOT, ["MGET a b", "MSET a 1 b 2", "MSETNX a 1 b 2", "DEL a b", "UNLINK a b", "EXISTS a b", "TOUCH a b"]),
  ...refused(CROSSSLOT, ["RENAME a b", "RENAMENX a b", "COPY a b", "LCS a b", "BITOP and a b", "PFCOUNT a b", "PFMERGE a b"]),
  ...refused(CROSSSLOT, ["SORT a STORE b", "LMOVE a b LEFT RIGHT", "RPOPLPUSH a b", "LMPOP 2 a b LEFT"]),
  ...refused(CROSSSLOT, ["SMOVE a b m", "SINTER a b", "SUNION a b", "SDIFF a b", "SINTERCARD 2 a b"]),
  ...refused(CROSSSLOT, ["SINTERSTORE a b", "SUNIONSTORE a b", "SDIFFSTORE a b"]),
  ...refused(CROSSSLOT, ["ZINTER 2 a b", "ZUNION 2 a b", "ZDIFF 2 a b", "ZINTERCARD 2 a b", "ZMPOP 2 a b MIN", "ZRANGESTORE a b 0 1"]),
  ...refused(CROSSSLOT, ["ZINTERSTORE a 1 b", "ZUNIONSTORE a 1 b", "ZDIFFSTORE a 1 b"]),
  ...refused(CROSSSLOT, ["GEOSEARCHSTORE a b FROMLONLAT 0 0 BYRADIUS 1 m", "XREAD STREAMS a b 0 0", "EVAL return 2 a b"]),
  ...refused("ERR BY option of SORT denied in Cluster mode.", ["SORT a BY w_*"]),
  ...refused("ERR GET option of SORT denied in Cluster mode.", ["SORT a GET w_*"]),
];

for (const [[name = "", ...args], text] of REFUSED) {
  test(`${name} ${args.join(" ")}: ${text}`, async () => {
    await Promise.all(KEYS.map((key) => redis.set(key, "1")));
    await assert.rejects(redis.command(name, ...args), { code: "redis_error", message: text });
    assert.deepEqual(await Promise.all(KEYS.map((key) => redis.get(key))), ["1", "1", "1"]);
  });
}

test("the same in one slot works", async () => {
  await redis.command("MSET", "{a}1", "x", "{a}2", "y");
  assert.deepEqual(await redis.mget("{a}1", "{a}2"), ["x", "y"]);
  assert.equal(await redis.command("RENAME", "{a}1", "{a}3"), "OK");
  assert.equal(await redis.del("{a}2", "{a}3"), 2);
});

test("a script reaches the keys that it declared, in one slot", async () => {
  const away = /^ERR Script attempted to access a non local key in a cluster node/;
  await assert.rejects(redis.command("EVAL", SCRIPT_READS_B, 1, "a"), { code: "redis_error", message: away });
  assert.equal(await redis.command("EVAL", "return redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]) or '')", 2, "{a}1", "{a}2"), "OK");
});

test("a transaction over two slots is refused whole", async () => {
  await redis.flushall();
  const text = `EXECABORT Transaction discarded because of: ${CROSSSLOT}`;
  await assert.rejects(redis.multi().incr("a").incr("b").exec(), { code: "redis_error", message: text });
  assert.equal(await redis.dbsize(), 0);
  assert.deepEqual(await redis.multi().incr("{a}1").ping().incr("{a}2").exec(), [1, "PONG", 1]);
});

for (const command of ["DBSIZE", "FLUSHALL", "RANDOMKEY", "SCAN 0", "KEYS *", "SCRIPT FLUSH"]) {
  test(`${command} in a transaction: refused, for it goes to every node`, async () => {
    const [name = "", ...args] = command.split(" ");
    const text = `EXECABORT Transaction discarded because of: ERR ${name} goes to every node of the cluster: not in a transaction`;
    await assert.rejects(redis.multi().incr("n").command(name, ...args).exec(), { code: "redis_error", message: text });
    assert.equal(await redis.get("n"), null);
  });
}

test("KEYS, SCAN, DBSIZE, RANDOMKEY and FLUSHALL are of all masters", async () => {
  await redis.flushall();
  assert.equal(await redis.randomkey(), null);
  await redis.set("b", "1");
  // Only one master has a key: it is found each time.
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => redis.randomkey())), ["b", "b", "b"]);
  await Promise.all(KEYS.map((key) => redis.set(key, "1")));
  assert.equal(await redis.dbsize(), 3);
  assert.deepEqual((await redis.keys("*")).sort(), KEYS);
  const found = [];
  for await (const key of redis.scan()) found.push(key);
  assert.deepEqual(found.sort(), KEYS);
  assert.equal(await redis.flushall(), "OK");
  assert.deepEqual(await Promise.all(masters.map((master) => cli(master, "DBSIZE"))), ["0", "0", "0"]);
});

test("scripts and functions are loaded, found and forgotten on all masters", async () => {
  const sha = await redis.command("SCRIPT", "LOAD", "return redis.call('INCR', KEYS[1])");
  for (const key of KEYS) assert.equal(await redis.command("EVALSHA", String(sha), 1, key), 1);
  const [one] = masters;
  await cli(/** @type {{port: number}} */ (one), "SCRIPT", "FLUSH");
  // Known to all, or not known.
  assert.deepEqual(await redis.command("SCRIPT", "EXISTS", String(sha)), [0]);
  assert.equal(await redis.command("SCRIPT", "FLUSH"), "OK");
  const library = "#!lua name=mine\nredis.register_function('f', function(keys) return redis.call('INCR', keys[1]) end)";
  assert.equal(await redis.command("FUNCTION", "LOAD", library), "mine");
  for (const key of KEYS) assert.equal(await redis.command("FCALL", "f", 1, key), 2);
  assert.equal(await redis.command("FUNCTION", "DELETE", "mine"), "OK");
  for (const key of KEYS) await assert.rejects(redis.command("FCALL", "f", 1, key), { code: "redis_error" });
});

test("who listens is told of all masters, and a message reaches everybody", async () => {
  const listeners = masters.map(({ port }) => connect(port, "127.0.0.1"));
  after(() => listeners.forEach((socket) => socket.destroy()));
  const heard = listeners.map(async (socket) => {
    let text = "";
    for await (const bytes of socket) {
      text += bytes;
      if (text.includes("hello")) return;
    }
    throw new Error(`it ended: ${text}`);
  });
  for (const [n, socket] of listeners.entries()) socket.write(`SUBSCRIBE news\r\nSUBSCRIBE own-${n}\r\nPSUBSCRIBE n*\r\n`);
  await until("all have subscribed", async () => (await redis.command("PUBSUB", "NUMPAT")) === 3);
  assert.deepEqual(await redis.command("PUBSUB", "NUMSUB", "news", "own-1"), ["news", 3, "own-1", 1]);
  const channels = /** @type {string[]} */ (await redis.command("PUBSUB", "CHANNELS"));
  assert.deepEqual(channels.sort(), ["news", "own-0", "own-1", "own-2"]);
  await redis.publish("news", "hello");
  await Promise.all(heard);
});

test("what has no key otherwise is answered by one master", async () => {
  await redis.flushall();
  assert.equal(await redis.ping(), "PONG");
  assert.match(String(await redis.command("INFO", "cluster")), /cluster_enabled:1/);
  assert.equal((await redis.time()).length, 2);
  assert.equal(await redis.command("EVAL", "return 7", 0), 7);
});

test("what REST cannot carry is refused before it is sent", async () => {
  for (const [name = "", ...args] of ["MOVE a 1", "SWAPDB 0 1", "SELECT 1", "WAIT 1 0", "CLUSTER INFO", "READONLY"].map((line) => line.split(" "))) {
    await assert.rejects(redis.command(name, ...args), { code: "unsupported" });
  }
});

// Last: the masters are others afterwards.
test("what goes to every master finds those that came since, though no redirect told of them", async () => {
  await Promise.all(KEYS.map((key) => redis.set(key, "1")));
  const before = await cluster.master("a");
  await cluster.handOver("a");
  await until("another is the master", async () => (await cluster.master("a")) !== before);
  assert.equal(await redis.dbsize(), 3);
  assert.equal(await redis.flushall(), "OK");
  assert.deepEqual(await Promise.all([redis.dbsize(), redis.get("a")]), [0, null]);
});
