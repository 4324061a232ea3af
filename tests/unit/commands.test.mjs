// What each method sends, what it makes of the reply, and that names, types and the crate's table agree.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bytes, flatten, install } from "../../pkg/src/commands.js";
import { EdgeError } from "../../pkg/src/error.js";

/** @typedef {{ words: any, shape: (reply: any) => any }} Sent */

/** A client that tells what it was given. @type {Record<string, (...args: any[]) => Sent>} */
const redis = {};
install(redis, (self, words, shape = (reply) => reply) => {
  assert.equal(self, redis);
  return { words, shape };
});
/** @param {string} method @param {...any} args */
const send = (method, ...args) => /** @type {any} */ (redis[method])(...args);

const root = new URL("../../", import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root), "utf8");
const table = new Map(
  [...read("src/commands/table.rs").matchAll(/^ {4}\("([^"]+)", \w+, (\w+)/gm)].map(([, name, access]) => [name, access]),
);

function methodsOfTypes() {
  return read("pkg/commands.d.ts").split("interface CommandMethods")[1]?.split("\n}")[0] ?? "";
}

/** A method, its arguments, the words. @type {[string, any[], string][]} */
const SAMPLES = [
  ["get", ["k"], "GET k"],
  ["set", ["k", "v"], "SET k v"],
  ["set", ["k", 1.5, undefined], "SET k 1.5"],
  ["set", ["k", "v", { ex: 60, nx: true, get: false, px: undefined }], "SET k v EX 60 NX"],
  ["set", ["k", "", { ifeq: "old value", keepttl: true }], "SET k  IFEQ old value KEEPTTL"],
  ["getex", ["k", { persist: true }], "GETEX k PERSIST"],
  ["getJson", ["k"], "GET k"],
  ["setJson", ["k", { a: [null, 1] }, { ex: 60 }], 'SET k {"a":[null,1]} EX 60'],
  ["setJson", ["k", "\ud800"], 'SET k "\\ud800"'],
  ["mset", [{ a: 1, B: "x" }], "MSET a 1 B x"],
  ["msetex", [{ a: 1, b: 2 }, { ex: 5 }], "MSETEX 2 a 1 b 2 EX 5"],
  ["delex", ["k", { ifne: "v" }], "DELEX k IFNE v"],
  ["digest", ["k"], "DIGEST k"],
  ["lcs", ["a", "b", { idx: true, minmatchlen: 4 }], "LCS a b IDX MINMATCHLEN 4"],
  ["setrange", ["k", 5, "x"], "SETRANGE k 5 x"],
  ["bitcount", ["k"], "BITCOUNT k"],
  ["bitcount", ["k", 0, -1, "bit"], "BITCOUNT k 0 -1 bit"],
  ["bitpos", ["k", 1, 2], "BITPOS k 1 2"],
  ["bitop", ["and", "d", "a", "b"], "BITOP and d a b"],
  ["bitfield", ["k", { overflow: "sat" }, { incrby: ["u8", "#1", 9] }, { get: ["i4", 0] }], "BITFIELD k OVERFLOW sat INCRBY u8 #1 9 GET i4 0"],
  ["bitfieldRo", ["k", { get: ["u8", 0] }], "BITFIELD_RO k GET u8 0"],
  ["pfadd", ["k"], "PFADD k"],
  ["pfcount", ["a", "b"], "PFCOUNT a b"],
  ["hset", ["k", { f: "v", Ex: 1 }], "HSET k f v Ex 1"],
  ["hgetall", ["k"], "HGETALL k"],
  ["hexpire", ["k", 60, ["a", "b"], { nx: true }], "HEXPIRE k 60 NX FIELDS 2 a b"],
  ["httl", ["k", ["a"]], "HTTL k FIELDS 1 a"],
  ["hgetex", ["k", ["a"], { px: 9 }], "HGETEX k PX 9 FIELDS 1 a"],
  ["hsetex", ["k", { a: 1, b: 2 }, { fnx: true, ex: 9 }], "HSETEX k FNX EX 9 FIELDS 2 a 1 b 2"],
  ["hrandfield", ["k", -3, { withvalues: true }], "HRANDFIELD k -3 WITHVALUES"],
  ["hscan", ["k", "0", { match: "a*", count: 5 }], "HSCAN k 0 MATCH a* COUNT 5"],
  ["lpop", ["k", undefined], "LPOP k"],
  ["lpush", ["k", "a", 2], "LPUSH k a 2"],
  ["lmpop", [["a", "b"], "left", { count: 2 }], "LMPOP 2 a b left COUNT 2"],
  ["linsert", ["k", "before", "p", "e"], "LINSERT k before p e"],
  ["lpos", ["k", "e", { rank: -1, count: 0 }], "LPOS k e RANK -1 COUNT 0"],
  ["sadd", ["k", "a", "b"], "SADD k a b"],
  ["sintercard", [["a", "b"], { limit: 3 }], "SINTERCARD 2 a b LIMIT 3"],
  ["zadd", ["k", { member: "a", score: 1 }, { score: "+inf", member: "b" }], "ZADD k 1 a +inf b"],
  ["zadd", ["k", { gt: true, ch: true }, { score: 1, member: "a" }], "ZADD k GT CH 1 a"],
  ["zadd", ["k", undefined, { score: 1, member: "a" }], "ZADD k 1 a"],
  ["zrange", ["k", 0, -1, { rev: true, withscores: true }], "ZRANGE k 0 -1 REV WITHSCORES"],
  ["zrange", ["k", "(1", "+inf", { byscore: true, limit: [0, 10] }], "ZRANGE k (1 +inf BYSCORE LIMIT 0 10"],
  ["zunionstore", ["d", ["a", "b"], { weights: [1, 2], aggregate: "max" }], "ZUNIONSTORE d 2 a b WEIGHTS 1 2 AGGREGATE max"],
  ["zdiffstore", ["d", ["a", "b"]], "ZDIFFSTORE d 2 a b"],
  ["zmpop", [["a"], "min"], "ZMPOP 1 a min"],
  ["zpopmin", ["k", 2], "ZPOPMIN k 2"],
  ["geoadd", ["k", { nx: true }, { member: "m", latitude: 2, longitude: 1 }], "GEOADD k NX 1 2 m"],
  ["geosearch", ["k", { fromlonlat: [1, 2], byradius: [5, "km"], asc: true, count: 3, any: true }], "GEOSEARCH k FROMLONLAT 1 2 BYRADIUS 5 km ASC COUNT 3 ANY"],
  ["geodist", ["k", "a", "b"], "GEODIST k a b"],
  ["georadiusbymemberRo", ["k", "m", 5, "km", { withdist: true }], "GEORADIUSBYMEMBER_RO k m 5 km WITHDIST"],
  ["xadd", ["s", "*", { f: "v" }], "XADD s * f v"],
  ["xadd", ["s", "1-1", { f: "v", g: 2 }, { nomkstream: true, maxlen: ["~", 100] }], "XADD s NOMKSTREAM MAXLEN ~ 100 1-1 f v g 2"],
  ["xread", [{ a: "0", b: "$" }, { count: 2 }], "XREAD COUNT 2 STREAMS a b 0 $"],
  ["xreadgroup", ["g", "c", { a: ">" }, { noack: true }], "XREADGROUP GROUP g c NOACK STREAMS a >"],
  ["xgroupCreate", ["s", "g", "$", { mkstream: true }], "XGROUP CREATE s g $ MKSTREAM"],
  ["xpending", ["s", "g"], "XPENDING s g"],
  ["xpending", ["s", "g", "-", "+", 5, undefined, { idle: 9 }], "XPENDING s g IDLE 9 - + 5"],
  ["xpending", ["s", "g", "-", "+", 5, "c"], "XPENDING s g - + 5 c"],
  ["xclaim", ["s", "g", "c", 5, ["1-1", "1-2"], { justid: true }], "XCLAIM s g c 5 1-1 1-2 JUSTID"],
  ["xackdel", ["s", "g", ["1-1"], { acked: true }], "XACKDEL s g ACKED IDS 1 1-1"],
  ["xinfoStream", ["s", "full", { count: 2 }], "XINFO STREAM s full COUNT 2"],
  ["xtrim", ["s", { minid: "5-0" }], "XTRIM s MINID 5-0"],
  ["jsonSet", ["k", "$", "{}", { nx: true }], "JSON.SET k $ {} NX"],
  ["jsonGet", ["k"], "JSON.GET k"],
  ["jsonGet", ["k", "$.a", "$.b"], "JSON.GET k $.a $.b"],
  ["jsonGet", ["k", { indent: " " }, "$"], "JSON.GET k INDENT   $"],
  ["jsonMget", [["a", "b"], "$"], "JSON.MGET a b $"],
  ["jsonMset", [{ path: "$", key: "a", value: "1" }, { key: "b", path: "$", value: "2" }], "JSON.MSET a $ 1 b $ 2"],
  ["jsonDebugMemory", ["k"], "JSON.DEBUG MEMORY k"],
  ["del", ["a", "b"], "DEL a b"],
  ["expire", ["k", 60, { gt: true }], "EXPIRE k 60 GT"],
  ["sort", ["k", { by: "w_*", get: ["#", "n_*"], limit: [0, 5], alpha: true }], "SORT k BY w_* GET # GET n_* LIMIT 0 5 ALPHA"],
  ["sort", ["k", { get: [] }], "SORT k"],
  ["sortRo", ["k", { get: "#", desc: true }], "SORT_RO k GET # DESC"],
  ["objectEncoding", ["k"], "OBJECT ENCODING k"],
  ["flushdb", [{ async: true }], "FLUSHDB ASYNC"],
  ["randomkey", [], "RANDOMKEY"],
  ["eval", ["return 1", ["a", "b"], ["x", 2]], "EVAL return 1 2 a b x 2"],
  ["evalRo", ["return 1", []], "EVAL_RO return 1 0"],
  ["scriptLoad", ["return 1"], "SCRIPT LOAD return 1"],
  ["scriptFlush", [], "SCRIPT FLUSH"],
  ["functionLoad", ["#!lua", { replace: true }], "FUNCTION LOAD REPLACE #!lua"],
  ["publish", ["c", "m"], "PUBLISH c m"],
  ["pubsubNumsub", [], "PUBSUB NUMSUB"],
  ["ping", [], "PING"],
  ["ping", ["hi"], "PING hi"],
  ["configGet", ["a", "b"], "CONFIG GET a b"],
  ["configSet", [{ maxmemory: "1mb" }], "CONFIG SET maxmemory 1mb"],
  ["commandList", [{ filterby: ["module", "m"] }], "COMMAND LIST FILTERBY module m"],
  ["memoryMallocStats", [], "MEMORY MALLOC-STATS"],
  ["aclResttoken", ["u", "p"], "ACL RESTTOKEN u p"],
];

test("each method sends its words", () => {
  for (const [method, args, words] of SAMPLES) assert.equal(send(method, ...args).words.join(" "), words, method);
});

test("values are left as they are", () => {
  const value = new Uint8Array([0, 255]);
  assert.deepEqual(send("set", "k", value).words, ["SET", "k", value]);
  assert.deepEqual(send("set", "k", Buffer.from("x"), { ifeq: value }).words, ["SET", "k", Buffer.from("x"), "IFEQ", value]);
  assert.deepEqual(send("incrby", "k", -0.5).words, ["INCRBY", "k", -0.5]);
  assert.deepEqual(send("set", "k", "60 NX 🙂\0").words, ["SET", "k", "60 NX 🙂\0"]);
});

test("any command takes options anywhere", () => {
  assert.deepEqual(flatten(["FT.SEARCH", "i", "*", { limit: [0, 10], nocontent: true }]), ["FT.SEARCH", "i", "*", "LIMIT", 0, 10, "NOCONTENT"]);
  assert.deepEqual(flatten(["PING"]), ["PING"]);
  assert.equal(codeOf(flatten(["SET", "k", undefined])), "invalid_argument");
  assert.equal(codeOf(flatten([])), "invalid_argument");
});

/** @param {unknown} error */
const codeOf = (error) => error instanceof EdgeError && error.code;

/** @type {Record<string, unknown>} */
const CYCLE = {};
CYCLE.secret = CYCLE;

/** A method, bad arguments, and which is named. @type {[string, any[], string][]} */
const BAD = [
  ["get", [undefined], "GET: argument 1"],
  ["get", [], "GET: argument 1"],
  ["del", [], "DEL: argument 1"],
  ["del", ["a", null], "DEL: argument 2"],
  ["set", ["k", { secret: true }], "SET: argument 2"],
  ["set", ["k", ["secret"]], "SET: argument 2"],
  ["set", ["k", true], "SET: argument 2"],
  ["set", ["k", new Float64Array(1)], "SET: argument 2"],
  ["set", ["k", "v", "EX", 60], "SET: argument 3"],
  ["setJson", ["k"], "SET: argument 2"],
  ["setJson", ["k", () => "secret"], "SET: argument 2"],
  ["setJson", ["k", { secret: 1n }], "SET: argument 2"],
  ["setJson", ["k", CYCLE], "SET: argument 2"],
  ["setJson", ["k", { toJSON() { throw new Error("secret"); } }], "SET: argument 2"],
  ["setJson", ["k", 1, 2], "SET: argument 3"],
  ["set", ["k", "v", { ex: NaN }], "SET: option ex"],
  ["set", ["k", "v", { ex: null }], "SET: option ex"],
  ["set", ["k", "v", { ex: { secret: 1 } }], "SET: option ex"],
  ["set", ["k", "v", { "secret\n": true }], "SET: argument 3"],
  ["set", ["k", "v", new Map()], "SET: argument 3"],
  ["set", ["k", "v", {}, {}], "SET: argument 4"],
  ["mset", [{ a: 1 }, { b: 2 }], "MSET: argument 2"],
  ["incrby", ["k", Infinity], "INCRBY: argument 2"],
  ["sadd", ["k", "a", "\ud800"], "SADD: argument 3"],
  ["hset", ["k", { "\udc00": 1 }], "HSET: argument 2"],
  ["hset", ["k", { f: undefined }], "HSET: argument 2"],
  ["hset", ["k", { f: ["a", "b"] }], "HSET: argument 2"],
  ["hset", ["k", "f", "v"], "HSET: argument 2"],
  ["httl", ["k", "f"], "HTTL: argument 2"],
  ["zadd", ["k", { score: NaN, member: "m" }], "ZADD: argument 2"],
  ["zadd", ["k", { nx: true }], "ZADD: argument 3"],
  ["zadd", ["k", 1, "m"], "ZADD: argument 2"],
  ["zrange", ["k", 0, -1, { limit: [0, undefined] }], "ZRANGE: option limit"],
  ["eval", ["return 1", [["k"]]], "EVAL: argument 2"],
  ["eval", ["return 1", 1, "k"], "EVAL: argument 2"],
  ["eval", ["return 1", [], [null]], "EVAL: argument 3"],
  ["bitcount", ["k", undefined, 5], "BITCOUNT: argument 2"],
  ["jsonArrindex", ["k", "$", "1", undefined, 5], "JSON.ARRINDEX: argument 4"],
  ["bitfield", ["k", { get: ["u8", null] }], "BITFIELD: option get"],
  ["configGet", [Symbol("secret")], "CONFIG GET: argument 1"],
  ["pfadd", ["k", undefined], "PFADD: argument 2"],
  ["hset", ["k", { get f() { throw new Error("secret"); } }], "HSET: argument 2"],
];

test("bad arguments are an invalid_argument that names the argument and shows no value", () => {
  for (const [method, args, named] of BAD) {
    const { words: error } = send(method, ...args);
    assert.equal(codeOf(error), "invalid_argument", `${method} ${named}`);
    assert.ok(error.message.startsWith(`${named} is `), `${error.message}, wanted ${named}`);
    assert.doesNotMatch(error.message, /secret/);
    assert.equal(error.retryable, false);
  }
});

test("replies are shaped as Redis's users think of them", () => {
  const pairs = send("hgetall", "k").shape;
  assert.deepEqual(pairs(["a", "1", "b", "2"]), { a: "1", b: "2" });
  assert.deepEqual(pairs([]), {});
  const odd = pairs(["__proto__", "x"]);
  assert.deepEqual(Object.entries(odd), [["__proto__", "x"]]);
  assert.equal(Object.getPrototypeOf(odd), Object.prototype);
  assert.equal(send("aclGetuser", "nobody").shape(null), null);

  const scored = [{ member: "a", score: 1.5 }, { member: "b", score: -Infinity }];
  assert.deepEqual(send("zrange", "k", 0, -1, { withscores: true }).shape(["a", "1.5", "b", "-inf"]), scored);
  assert.deepEqual(send("zpopmin", "k").shape(["a", "1.5", "b", "-inf"]), scored);
  assert.deepEqual(send("zrange", "k", 0, -1, { withscores: false }).shape(["a", "b"]), ["a", "b"]);
  assert.deepEqual(send("zrange", "k", 0, -1).shape(["a", "b"]), ["a", "b"]);
  assert.deepEqual(send("hrandfield", "k", 1, { withvalues: true }).shape(["f", "v"]), [{ field: "f", value: "v" }]);
  assert.deepEqual(send("xinfoGroups", "s").shape([["name", "g", "pending", 1]]), [{ name: "g", pending: 1 }]);
  assert.deepEqual(send("lcs", "a", "b", { idx: true }).shape(["matches", [], "len", 0]), { matches: [], len: 0 });
  assert.deepEqual(send("lcs", "a", "b").shape("text"), "text");
  assert.equal(send("aclLog", "reset").shape("OK"), "OK");
  assert.equal(send("dump", "k").shape, bytes);

  const json = send("getJson", "k").shape;
  assert.deepEqual([json('{"a":[1,"x"]}'), json("false"), json("null"), json(null)], [{ a: [1, "x"] }, false, null, null]);
  for (const text of ["secret", "", "{secret"]) {
    assert.throws(() => json(text), (error) => codeOf(error) === "corrupt" && !/** @type {Error} */ (error).stack?.includes("secret") && !("cause" in /** @type {object} */ (error)));
  }
});

test("what has a type has a method, and the reverse", () => {
  const typed = new Set([...methodsOfTypes().matchAll(/^ {2}(\w+)(?:<.*?>)?\(/gm)].map(([, name]) => name));
  assert.deepEqual([...typed].sort(), Object.keys(redis).sort());
});

/** The signatures of the types, each parameter as text. @type {[method: string, parameters: string[]][]} */
const signatures = [...methodsOfTypes().matchAll(/^ {2}(\w+)(?:<.*?>)?\(([^]*?)\): Answer</gm)].map(([, method = "", text = ""]) => {
  let depth = 0;
  const commas = [...text].map((letter) => {
    depth += Number("([{<".includes(letter)) - Number(")]}>".includes(letter));
    return letter === "," && depth === 0 ? "\n" : letter;
  });
  return [method, commas.join("").split("\n").map((part) => part.trim()).filter(Boolean)];
});

/** An argument that fits a parameter. @param {string} parameter */
function fitting(parameter) {
  const type = parameter.slice(parameter.indexOf(": ") + 2);
  if (/^\.\.\.members: (Scored|Geo)|^member: Scored/.test(parameter)) return { longitude: 1, latitude: 2, score: 1, member: "m" };
  if (parameter.startsWith("...entries")) return { key: "k", path: "$", value: "1" };
  if (parameter.startsWith("...steps")) return { get: ["u8", 0] };
  if (parameter.startsWith("...")) return "x";
  if (/^options\b/.test(parameter)) return { count: 1 };
  if (type.startsWith("Record<")) return { f: "v" };
  if (type.endsWith("[]")) return ["x"];
  return /^number|^0/.test(type) ? 1 : "x";
}

test("methods take the parameters that their types ask for, in all and without the optional ones", () => {
  assert.ok(signatures.length > 300);
  for (const [method, parameters] of signatures) {
    const needed = parameters.filter((parameter) => !/^\w+\?/.test(parameter));
    for (const some of [needed, parameters]) {
      const { words } = send(method, ...some.map(fitting));
      assert.ok(Array.isArray(words), `${method}(${some.join(", ")}): ${words.message}`);
    }
    // What stands where an object or an array must be, or what is one too many, is refused.
    for (const [i, parameter] of parameters.entries()) {
      const args = parameters.map(fitting);
      if (typeof args[i] !== "object" || /paths/.test(parameters.join())) continue;
      assert.equal(codeOf(send(method, ...args.slice(0, i), 1, ...args.slice(i + 1)).words), "invalid_argument", `${method} ${parameter}`);
    }
  }
});

test("every method is a command that REST carries, and every such command has a method", () => {
  const sent = new Set(Object.keys(redis).map((method) => {
    // The words stand before the first bad argument's name.
    const { words } = send(method, Symbol(), Symbol(), Symbol(), Symbol(), Symbol(), Symbol(), Symbol());
    return words.message.split(/[ :]/)[0];
  }));
  for (const name of sent) assert.ok(table.has(name) && table.get(name) !== "Refused", name);
  const absent = [...table].filter(([name, access]) => access !== "Refused" && !sent.has(name)).map(([name]) => name);
  // `Redis.command` and `Redis.scan` are other things: the generic caller and the iterator.
  assert.deepEqual(absent, ["SCAN"]);
});

test("an error tells its code, whether to try again, and what was underneath", () => {
  const cause = new TypeError("fetch failed");
  const error = new EdgeError("network", "no answer came", cause);
  assert.ok(error instanceof Error);
  assert.deepEqual([error.name, error.code, error.retryable, error.cause], ["EdgeError", "network", true, cause]);
  assert.equal(String(error), "EdgeError: no answer came");
  assert.ok(!("cause" in new EdgeError("aborted", "")));
  /** @type {import("../../pkg/src/error.js").ErrorCode[]} */
  const codes = ["invalid_config", "invalid_argument", "unauthorized", "forbidden", "quota_exceeded", "too_large", "timeout",
    "network", "server_error", "redis_error", "unsupported", "conflict", "corrupt", "aborted"];
  const retryable = codes.filter((code) => new EdgeError(code, "").retryable);
  assert.deepEqual(retryable, ["quota_exceeded", "timeout", "network", "server_error", "conflict"]);
});
