// Each marked line must not compile.

import { Queue, type Job } from "../../pkg/queue.js";
import type { Commands, Pipeline } from "../../pkg/commands.js";
import { Cache, Edge, Leaderboard, Migration, PromptCache, Sessions } from "../../pkg/index.js";
import type { CacheOptions, LoginOptions, Redis, Session, SessionsOptions } from "../../pkg/index.js";

declare const redis: Commands;
declare const client: Redis;
declare const cache: Cache;
declare const prompts: PromptCache;
declare const options: CacheOptions;
declare const pipeline: Pipeline;

// Options that exclude each other
// @ts-expect-error
redis.set("k", "v", { ex: 1, px: 1 });
// @ts-expect-error
redis.set("k", "v", { ex: 1, keepttl: true });
// @ts-expect-error
redis.set("k", "v", { nx: true, xx: true });
// @ts-expect-error
redis.set("k", "v", { nx: true, ifeq: "old" });
// @ts-expect-error
redis.set("k", "v", { get: true, ex: 1, exat: 1 });
// @ts-expect-error
redis.getex("k", { ex: 1, persist: true });
// @ts-expect-error
redis.expire("k", 1, { nx: true, gt: true });
// @ts-expect-error
redis.expire("k", 1, { gt: true, lt: true });
// @ts-expect-error
redis.zadd("k", { nx: true, gt: true }, { score: 1, member: "a" });
// @ts-expect-error
redis.zadd("k", { incr: true }, { score: 1, member: "a" }, { score: 1, member: "b" });
// @ts-expect-error
redis.zrange("k", "[a", "+", { bylex: true, withscores: true });
// @ts-expect-error
redis.zrange("k", "1", "2", { bylex: true, byscore: true });
// @ts-expect-error
redis.zrange("k", 0, -1, { limit: [0, 10] });
// @ts-expect-error
redis.geosearch("k", { frommember: "a", fromlonlat: [1, 2], byradius: [1, "m"] });
// @ts-expect-error
redis.geosearch("k", { frommember: "a" });
// @ts-expect-error
redis.geosearch("k", { frommember: "a", byradius: [1, "m"], any: true });
// @ts-expect-error
redis.geosearch("k", { frommember: "a", byradius: [1, "m"], asc: true, desc: true });
// @ts-expect-error
redis.hsetex("k", { a: 1 }, { fnx: true, fxx: true });
// @ts-expect-error
redis.hexpire("k", 1, ["a"], { xx: true, gt: true });
// @ts-expect-error
redis.xtrim("s", { maxlen: 1, minid: "1-0" });
// @ts-expect-error
redis.xtrim("s", {});
// @ts-expect-error
redis.flushdb({ async: true, sync: true });
// @ts-expect-error
redis.lcs("a", "b", { len: true, idx: true });
// @ts-expect-error
redis.bitfield("k", { get: ["u8", 0], set: ["u8", 0, 1] });

// @ts-expect-error
redis.setJson("k", 1, { ex: 1, px: 1 });
// @ts-expect-error
redis.setJson("k", 1, { get: true });

// Options that there are none of, or of another type
// @ts-expect-error
redis.set("k", "v", { ttl: 1 });
// @ts-expect-error
redis.set("k", "v", { EX: 1 });
// @ts-expect-error
redis.set("k", "v", { ex: "10s" });
// @ts-expect-error
redis.set("k", "v", "EX", 60);
// @ts-expect-error
redis.xread({ s: "0" }, { block: 0 });
// @ts-expect-error
redis.bitfield("k", { get: ["x8", 0] });
// @ts-expect-error
redis.bitfieldRo("k", { set: ["u8", 0, 1] });

// @ts-expect-error
client.with({ integers: "number" });
// @ts-expect-error
client.hscanIterator("k", { novalues: true });

// What is no value, no key, no member
// @ts-expect-error
redis.get(1);
// @ts-expect-error
redis.get(undefined);
// @ts-expect-error
redis.set("k", null);
// @ts-expect-error
redis.set("k", { a: 1 });
// @ts-expect-error
redis.set("k", true);
// @ts-expect-error
redis.hset("k", "f", "v");
// @ts-expect-error
redis.hset("k", { f: null });
// @ts-expect-error
redis.sadd("k", ["a", "b"]);
// @ts-expect-error
redis.zadd("k", { score: "1", member: "a" });
// @ts-expect-error
redis.zadd("k", 1, "a");
// @ts-expect-error
redis.eval("return 1", 1, "k");
// @ts-expect-error
redis.hexpire("k", 60, "f");
// @ts-expect-error
redis.lpop();
// @ts-expect-error
redis.geodist("k", "a", "b", "yd");

// What REST does not carry
// @ts-expect-error
redis.blpop("k", 0);
// @ts-expect-error
redis.watch("k");
// @ts-expect-error
redis.select(1);
// @ts-expect-error
redis.clientId();
// @ts-expect-error
pipeline.wait(1, 0);

// Replies
// @ts-expect-error
redis.get("k").then((value) => value.length);
// @ts-expect-error
redis.incr("k").then((value) => value.length);
// @ts-expect-error
pipeline.get("k").exec().then(([, second]) => second);
// @ts-expect-error
pipeline.get("k").then(() => {});
// @ts-expect-error
pipeline.get("k").execSettled().then(([first]) => first.value);

// Subscriptions
// @ts-expect-error
client.subscribe("chat", { pattern: true });
// @ts-expect-error
client.subscribe(5);
// @ts-expect-error
client.subscribe("chat").then(() => {});
async function listening(): Promise<void> {
  for await (const message of client.subscribe("chat")) {
    // @ts-expect-error
    message.message;
  }
}

// The cache
// @ts-expect-error
options.ttl = 60;
// @ts-expect-error
options.ttl = "1 hour";
// @ts-expect-error
cache.get<number>("k").then((value) => value.toFixed());
// @ts-expect-error
cache.setBytes("k", "text");
// @ts-expect-error
new Cache(client, { compressAbove: "1kb" });
// @ts-expect-error
new PromptCache(client, { maxTemperature: "0" });
// @ts-expect-error
prompts.get("Why is the sky blue?");
// @ts-expect-error
prompts.get({ prompt: "without a model" });
// @ts-expect-error
prompts.set({ model: "m", prompt: "p" }, "answer");
// @ts-expect-error
cache.set("k");
// @ts-expect-error
cache.getOrFetch("k");
// @ts-expect-error
cache.getOrFetch("k", ({ setTtl }) => setTtl(60));
// @ts-expect-error
cache.respond("https://a/", () => new Response());
// @ts-expect-error
cache.respond(new Request("https://a/"), () => "text");
// @ts-expect-error
cache.respond(new Request("https://a/"), () => new Response(), { ttl: 60 });
// @ts-expect-error
cache.invalidateTags(["t"]);

// Sessions
declare const sessions: Sessions;
declare const session: Session;
declare const sessionsOptions: SessionsOptions;
declare const login: LoginOptions;
// @ts-expect-error
new Sessions(client);
// @ts-expect-error
new Sessions(client, {});
// @ts-expect-error
new Sessions({}, { secrets: "s" });
// @ts-expect-error
sessionsOptions.secrets = 1;
// @ts-expect-error
sessionsOptions.idle = 1800;
// @ts-expect-error
sessionsOptions.absolute = "1 day";
// @ts-expect-error
sessionsOptions.cookie = { sameSite: "Lax" };
// @ts-expect-error
sessionsOptions.cookie = { httpOnly: false };
// @ts-expect-error
sessions.load();
// @ts-expect-error
sessions.load(null);
// @ts-expect-error
sessions.load({ get: () => "x" });
// @ts-expect-error
sessions.load({ get: async () => "x", set: () => {} });
// @ts-expect-error
sessions.load(Promise.resolve(new Headers()));
// @ts-expect-error
sessions.revokeAll("ada", session);
// @ts-expect-error
sessions.revokeAll("ada", { except: "handle" });
// @ts-expect-error
sessions.revoke("ada");
// @ts-expect-error
session.get<number>("k").toFixed();
// @ts-expect-error
session.set("k");
// @ts-expect-error
session.set(1, "v");
// @ts-expect-error
session.set("k", "v", true);
// @ts-expect-error
session.status = "valid";
// @ts-expect-error
session.userId = "ada";
// @ts-expect-error
session.login();
// @ts-expect-error
login.absolute = 3600;
// @ts-expect-error
login.info = { visits: 1 };
// @ts-expect-error
login.roles = ["admin"];
// @ts-expect-error
session.verifyCsrf();
// @ts-expect-error
session.commit("body");

export { listening };

// The edge
declare const request: Request;
// @ts-expect-error
new Edge();
// @ts-expect-error
new Edge({});
// @ts-expect-error
new Edge({ redis: client, onFailure: "allow" });
// @ts-expect-error
new Edge({ redis: client, by: () => undefined });
// @ts-expect-error
new Edge({ redis: client }).handle("https://a", () => new Response());
// @ts-expect-error
new Edge({ redis: client }).handle(request, () => "text");
// @ts-expect-error: perhaps there is none
new Edge({ redis: client }).handle(request, async (_, { session }) => new Response(session.userId));

// Migrations
// @ts-expect-error
new Migration(cache);
// @ts-expect-error
new Migration({ get: () => 1, set: () => {} }, cache);
// @ts-expect-error
new Migration(new Map<string, number>(), cache, { timeout: 500 });
// @ts-expect-error
new Migration(new Map<string, number>(), cache).set("k", "text");
// @ts-expect-error
new Migration(new Map<string, number>(), cache).phase = "off";

// Leaderboards
const board = new Leaderboard(client, "quiz");
// @ts-expect-error
new Leaderboard(client);
// @ts-expect-error
new Leaderboard(client, "quiz", { windows: ["month"] });
// @ts-expect-error
new Leaderboard(client, "quiz", { keep: 7 });
// @ts-expect-error
board.add("ada", "5");
// @ts-expect-error
board.increment("ada");
// @ts-expect-error
board.increment("ada", 1, { best: true });
// @ts-expect-error
board.top();
// @ts-expect-error
board.top(10, "day");
// @ts-expect-error: perhaps it is not there
board.rank("ada").then((rank) => rank.toFixed());

// Queues
const mail = new Queue<{ to: string }>(client, "mail");
declare const job: Job<{ to: string }>;
// @ts-expect-error
new Queue(client);
// @ts-expect-error
new Queue(client, "mail", { lease: 30 });
// @ts-expect-error
mail.enqueue("ada");
// @ts-expect-error
mail.enqueue({ to: "ada" }, { delay: "1s", at: 5 });
// @ts-expect-error
mail.enqueueMany([{ to: "ada" }]);
// @ts-expect-error
mail.take();
// @ts-expect-error
mail.ack(job.id);
// @ts-expect-error
mail.extend(job);
// @ts-expect-error
mail.schedule("digest", 3600, { to: "all" });
// @ts-expect-error
job.payload = { to: "bob" };
// @ts-expect-error
mail.drain(async () => {}, { until: "25s" });
