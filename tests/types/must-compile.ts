// Calls that must compile, with the types of what they give.

import { Cache, Edge, Leaderboard, Migration, PromptCache, Sessions } from "../../pkg/index.js";
import type { CacheOptions, CookieJar, Decision, EdgeOptions, LeaderboardOptions, Message, PromptAnswer, RankedMember, RateLimiter, Redis, Session, SessionConflict, SessionInfo, SessionsOptions } from "../../pkg/index.js";
import { Queue } from "../../pkg/queue.js";
import type { DeadJob, Drained, EnqueueOptions, Enqueued, Job, QueueCounts, QueueOptions } from "../../pkg/queue.js";
import type { Commands, EdgeError, Pipeline, Reply, Scored, Settled, StreamEntry } from "../../pkg/commands.js";

declare const redis: Commands;
declare const client: Redis;
declare const cache: Cache;
declare const pipeline: Pipeline;
declare const flag: boolean;
declare const bytes: Uint8Array;
declare const keys: string[];

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** Compiles only where the promise's value is exactly `R`. */
declare function exactly<R>(): <A>(promise: Promise<A>, ...same: Same<A, R> extends true ? [] : [never]) => void;

// Strings
exactly<string | null>()(redis.get("k"));
exactly<"OK">()(redis.set("k", "v"));
exactly<"OK">()(redis.set("k", bytes, { ex: 60 }));
exactly<"OK">()(redis.set("k", 1, { keepttl: true, get: false }));
exactly<"OK" | null>()(redis.set("k", "v", { px: 500, nx: true }));
exactly<"OK" | null>()(redis.set("k", "v", { exat: 1_800_000_000, xx: flag }));
exactly<"OK" | null>()(redis.set("k", "v", { ifeq: "old" }));
exactly<string | null>()(redis.set("k", "v", { get: true }));
exactly<string | null>()(redis.set("k", "v", { get: true, nx: true, ex: 1 }));
exactly<string | null>()(redis.getex("k", { persist: true }));
exactly<(string | null)[]>()(redis.mget(...keys));
exactly<"OK">()(redis.mset({ a: 1, b: bytes }));
exactly<number>()(redis.msetex({ a: 1 }, { ex: 5, nx: true }));
exactly<number>()(redis.delex("k", { ifdne: "0123456789abcdef" }));
exactly<string>()(redis.lcs("a", "b"));
exactly<number>()(redis.lcs("a", "b", { len: true }));
exactly<{ matches: Reply[]; len: number }>()(redis.lcs("a", "b", { idx: true, minmatchlen: 4 }));
exactly<string>()(redis.incrbyfloat("k", 0.5));
exactly<unknown>()(redis.getJson("k"));
exactly<{ a: number } | null>()(redis.getJson<{ a: number }>("k"));
exactly<"OK">()(redis.setJson("k", { a: [1, null] }, { ex: 60 }));
exactly<"OK" | null>()(redis.setJson("k", flag, { nx: true, px: 500 }));

// Bits
exactly<(number | null)[]>()(redis.bitfield("k", { overflow: "fail" }, { incrby: ["u8", "#1", 9] }, { get: ["i5", 0] }));
exactly<number[]>()(redis.bitfieldRo("k", { get: ["u8", 0] }));
exactly<number>()(redis.bitcount("k", 0, -1, "bit"));
exactly<0 | 1>()(redis.setbit("k", 7, 1));

// Hashes
exactly<number>()(redis.hset("k", { f: "v", n: 1 }));
exactly<Record<string, string>>()(redis.hgetall("k"));
exactly<number[]>()(redis.hexpire("k", 60, ["a", "b"], { gt: true }));
exactly<(string | null)[]>()(redis.hgetex("k", ["a"], { px: 1 }));
exactly<number>()(redis.hsetex("k", { a: 1 }, { fnx: true, ex: 1 }));
exactly<{ field: string; value: string }[]>()(redis.hrandfield("k", 2, { withvalues: true }));
exactly<[cursor: string, items: string[]]>()(redis.hscan("k", "0", { match: "a*", novalues: true }));

// Lists and sets
exactly<string | null>()(redis.lpop("k"));
exactly<string[] | null>()(redis.lpop("k", 2));
exactly<number | null>()(redis.lpos("k", "e", { rank: -1 }));
exactly<number[]>()(redis.lpos("k", "e", { count: 0 }));
exactly<[key: string, elements: string[]] | null>()(redis.lmpop(keys, "left", { count: 2 }));
exactly<number>()(redis.sadd("k", "a", 1, bytes));
exactly<string[]>()(redis.spop("k", 2));

// Sorted sets
exactly<number>()(redis.zadd("k", { score: 1, member: "a" }, { score: "+inf", member: "b" }));
exactly<number>()(redis.zadd("k", { xx: true, gt: true, ch: true }, { score: 1, member: "a" }));
exactly<number>()(redis.zadd("k", { nx: true }, ...keys.map((member) => ({ score: 1, member }))));
exactly<string | null>()(redis.zadd("k", { incr: true }, { score: 1, member: "a" }));
exactly<string[]>()(redis.zrange("k", 0, -1));
exactly<string[]>()(redis.zrange("k", "[a", "+", { bylex: true, limit: [0, 10] }));
exactly<Scored[]>()(redis.zrange("k", "(1", "+inf", { byscore: true, rev: true, limit: [0, 10], withscores: true }));
exactly<Scored[]>()(redis.zunion(["a", "b"], { weights: [1, 2], aggregate: "max", withscores: true }));
exactly<Scored[]>()(redis.zpopmax("k", 2));
exactly<number | null>()(redis.zrank("k", "a"));
exactly<[rank: number, score: string] | null>()(redis.zrank("k", "a", { withscore: true }));

// Places
exactly<number>()(redis.geoadd("k", { ch: true }, { longitude: 1, latitude: 2, member: "a" }));
exactly<string[]>()(redis.geosearch("k", { frommember: "a", byradius: [5, "km"], count: 3, any: true, asc: true }));
redis.geosearch("k", { fromlonlat: [1, 2], bybox: [5, 5, "mi"], withdist: true }).then((found) => found[0]?.[0].length);

// Streams
exactly<string>()(redis.xadd("s", "*", { f: "v" }, { maxlen: ["~", 1000], limit: 10 }));
exactly<string | null>()(redis.xadd("s", "*", { f: "v" }, { nomkstream: true }));
exactly<[key: string, entries: StreamEntry[]][] | null>()(redis.xread({ s: "0" }, { count: 1 }));
exactly<[id: string, consumer: string, idleMs: number, deliveries: number][]>()(redis.xpending("s", "g", "-", "+", 5, undefined, { idle: 9 }));
exactly<string[]>()(redis.xclaim("s", "g", "c", 5, ["1-1"], { justid: true, force: true }));
exactly<Record<string, Reply>>()(redis.xinfoStream("s", "full", { count: 2 }));

// JSON
exactly<"OK">()(redis.jsonSet("k", "$", "{}"));
exactly<"OK" | null>()(redis.jsonSet("k", "$", "{}", { nx: true }));
exactly<string | null>()(redis.jsonGet("k", { indent: " " }, "$.a", "$.b"));
exactly<(number | null)[] | null>()(redis.jsonArrlen("k", "$.a"));
exactly<number | null>()(redis.jsonArrlen("k", ".a"));

// What a client has besides
exactly<Reply>()(client.with({ integers: "bigint" }).command("INCR", "k"));
async function scanned(): Promise<[field: string, value: string, member: string, score: number][]> {
  const found: [string, string, string, number][] = [];
  for await (const { field, value } of client.hscanIterator("k", { match: "a*", count: 5 }))
    for await (const { member, score } of client.zscanIterator("z")) found.push([field, value, member, score]);
  return found;
}

// Keys, scripts, server
exactly<number>()(redis.del(...keys));
exactly<number>()(redis.expire("k", 60, { xx: true, lt: true }));
exactly<string[]>()(redis.sort("k", { by: "w_*", limit: [0, 5], alpha: true, desc: true }));
exactly<(string | null)[]>()(redis.sort("k", { get: ["#", "n_*"] }));
exactly<number>()(redis.sort("k", { store: "d" }));
exactly<Uint8Array | null>()(redis.dump("k"));
exactly<"OK">()(redis.restore("k", 0, bytes, { replace: true }));
exactly<"OK">()(redis.flushdb({ async: true }));
exactly<Reply>()(redis.eval("return 1", ["k"], ["v", 1, bytes]));
exactly<[number, string]>()(redis.evalshaRo<[number, string]>("0123", keys));
exactly<Record<string, string>>()(redis.configGet("max*"));
exactly<Record<string, number>>()(redis.pubsubNumsub("c"));
exactly<string>()(redis.ping());

// A pipeline knows the reply of each, overloads and type arguments too.
const batch = pipeline
  .set("k", "v", { nx: true })
  .get("k")
  .zrange("z", 0, -1, { withscores: true })
  .lpop("l", 2)
  .eval<number>("return 1", [])
  .jsonArrlen("j", "$.a")
  .getJson<boolean>("b")
  .command<string>("PING")
  .command("FT.SEARCH", "i", "*", { limit: [0, 10], nocontent: true });
type Replies = ["OK" | null, string | null, Scored[], string[] | null, number, (number | null)[] | null, boolean | null, string, Reply];
exactly<Replies>()(batch.exec());
type Each<R extends unknown[]> = { [I in keyof R]: Settled<R[I]> };
exactly<Each<Replies>>()(batch.execSettled());
exactly<[]>()(pipeline.exec());

async function settled(): Promise<string | null | EdgeError> {
  const [first] = await pipeline.get("k").execSettled();
  return first.ok ? first.value : first.error;
}

// One that grows in a loop, whose length no type can know.
async function loop(names: string[]): Promise<(string | null)[]> {
  for (const name of names) pipeline.get(name);
  return pipeline.exec<(string | null)[]>();
}
async function assigned(names: string[]): Promise<unknown[]> {
  let growing: Pipeline<unknown[]> = pipeline;
  for (const name of names) growing = growing.get(name);
  return growing.exec();
}
// A function over a pipeline of any replies.
function withVisits<T extends unknown[]>(given: Pipeline<T>): Pipeline<[...T, number]> {
  return given.incr("visits");
}
exactly<[string | null, number]>()(withVisits(pipeline.get("k")).exec());

// Subscriptions
async function listening(signal: AbortSignal): Promise<string[]> {
  const heard: string[] = [];
  for await (const message of client.subscribe(keys, { patterns: flag, signal, reconnect: false })) {
    heard.push(message.channel, message.pattern ?? "");
    if (message.type === "message") heard.push(message.message);
    else heard.push(message.type satisfies "subscribed" | "reconnected");
  }
  return heard;
}
const one: AsyncIterable<Message> = client.subscribe("chat");

// The cache
const options: CacheOptions = { name: "c", ttl: "5m", jitter: 0.1, lock: false, earlyRefresh: 1, staleIfError: "1d", shards: 2, validate: async () => true, waitUntil: () => {} };
exactly<number | undefined>()(cache.get<number>("k"));
exactly<unknown>()(cache.get("k"));
exactly<(string | undefined)[]>()(cache.getMany<string>(keys));
exactly<boolean>()(cache.has("k"));
exactly<void>()(cache.set("k", null, { ttl: "1s", tags: ["t"] }));
exactly<void>()(cache.setMany(new Map([["k", 1]])));
exactly<void>()(cache.setMany([["k", 1]], { ttl: "1s" }));
exactly<number>()(cache.delete("a", "b"));
exactly<{ n: number }>()(cache.getOrFetch("k", async ({ signal, setTtl, setTags, skip }) => (setTtl("1s"), setTags(["t"]), skip(), { n: Number(signal.aborted) })));
exactly<Uint8Array | undefined>()(cache.getBytes("k"));
exactly<void>()(cache.setBytes("k", new Uint8Array(1), { tags: ["t"] }));
new Cache(client, { compressAbove: false, onError: ({ operation, code }) => `${operation === "store"} ${code === "skipped"}` });
const prompts = new PromptCache(client, { name: "p", ttl: "7d", maxTemperature: 0.2, timeout: "1s" });
exactly<PromptAnswer<{ text: string }> | undefined>()(prompts.get<{ text: string }>({ model: "m", prompt: ["p"], temperature: 0, seed: 5 }, { bypass: true }));
exactly<void>()(prompts.set({ model: "m", prompt: "p" }, { text: "t" }, { tokensUsed: 5 }));
exactly<{ hits: number; misses: number; hitRate: number; tokensSaved: number }>()(prompts.stats());
exactly<string>()(cache.getOrFetch("k", () => "v", { refresh: true, tags: ["t"], waitUntil: () => {} }));
exactly<Response>()(cache.respond(new Request("https://a/"), () => new Response()));
exactly<Response>()(cache.respond(new Request("https://a/"), async ({ url }) => new Response(url), { ttl: "1m", tags: ["t"], key: "k", maxBytes: 1024, waitUntil: () => {} }));
exactly<void>()(cache.invalidateTags("a", "b"));

// Sessions
const sessionsOptions: SessionsOptions = {
  secrets: ["first", "second"],
  name: "s",
  cookie: { name: "__Secure-s", sameSite: "none", domain: "example.com", path: "/app", secure: true },
  idle: "30m",
  absolute: "7d",
  touchEvery: "1m",
  grace: "1.5s",
  timeout: "500ms",
  maxBytes: 1024,
};
const sessions = new Sessions(client, sessionsOptions);
declare const session: Session;
exactly<Session>()(sessions.load(new Request("https://example.com")));
exactly<Session>()(sessions.load(new Headers()));
exactly<Session>()(sessions.load("a=b"));
exactly<SessionInfo[]>()(sessions.list("ada"));
exactly<boolean>()(sessions.revoke("ada", "handle"));
exactly<number>()(sessions.revokeAll("ada"));
exactly<number>()(sessions.revokeAll("ada", { except: session }));
exactly<string[]>()(session.save());
exactly<Response>()(session.commit(new Response()));
exactly<string>()(session.csrfToken());
exactly<boolean>()(session.verifyCsrf("token"));
session.set("k", { any: [1, null] }, { overwrite: flag });
session.delete("k");
session.clear();
session.login("ada");
session.login("ada", { info: { device: "laptop" }, absolute: "90d", persistent: flag });
session.rotate();
session.destroy();
const state: [boolean, "new" | "valid" | "expired" | "invalid", string | undefined, number, number] = [session.isNew, session.status, session.userId, session.createdAt, session.expiresAt];
const cart: number[] | undefined = session.get<number[]>("cart");
const notice: unknown = session.flash("notice") ?? session.flash("notice", "saved");
async function listed(): Promise<[string, number, number, number, string | undefined][]> {
  return (await sessions.list("ada")).map((it) => [it.handle, it.createdAt, it.lastSeenAt, it.expiresAt, it.info["device"]]);
}
async function conflicts(): Promise<SessionConflict[] | undefined> {
  const error: EdgeError & { conflicts?: SessionConflict[] } = await session.save().then(() => Promise.reject(), (error) => error);
  return error.conflicts?.filter(({ key, ours, theirs }) => key && ours !== theirs);
}

// The jars of frameworks, as they declare them.
interface NextCookie {
  name: string;
  value: string;
  path?: string;
  domain?: string;
  expires?: number | Date;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: true | false | "lax" | "strict" | "none";
  maxAge?: number;
}
interface NextCookies {
  get(...args: [name: string] | [NextCookie]): { name: string; value: string } | undefined;
  getAll(...args: [name: string] | [NextCookie] | []): { name: string; value: string }[];
  set(...args: [key: string, value: string, cookie?: Partial<NextCookie>] | [options: NextCookie]): NextCookies;
  delete(...args: [key: string] | [options: Omit<NextCookie, "value">]): NextCookies;
  has(name: string): boolean;
}
interface KitCookies {
  get: (name: string, opts?: { decode?: (value: string) => string }) => string | undefined;
  getAll: (opts?: { decode?: (value: string) => string }) => Array<{ name: string; value: string }>;
  set: (name: string, value: string, opts: { domain?: string; path: string; maxAge?: number; httpOnly?: boolean; secure?: boolean; sameSite?: boolean | "lax" | "strict" | "none" }) => void;
  delete: (name: string, opts: { path: string }) => void;
}
interface AstroCookies {
  get(key: string, options?: { decode?: (value: string) => string }): { value: string; json(): object } | undefined;
  has(key: string): boolean;
  set(key: string, value: string | number | boolean | Record<string, any>, options?: { domain?: string; path?: string; maxAge?: number; httpOnly?: boolean; secure?: boolean; sameSite?: boolean | "lax" | "strict" | "none" }): void;
  headers(): Generator<string>;
}
declare const jars: [NextCookies, KitCookies, AstroCookies];
for (const jar of jars) exactly<Session>()(sessions.load(jar));
declare function setCookie(context: object, name: string, value: string, options?: { path?: string; sameSite?: "Strict" | "Lax" | "None" | "strict" | "lax" | "none"; maxAge?: number }): void;
const own: CookieJar = { get: () => null, set: (name, value, attributes) => setCookie({}, name, value, attributes) };

// The edge
declare const limiter: RateLimiter;
const edgeOptions: EdgeOptions = { redis: client, limiter, cache, ttl: "5m", sessions: new Sessions(client, { secrets: "s" }), by: (request) => request.url, onFailure: "refuse", saveInBackground: true };
const edge = new Edge(edgeOptions);
new Edge({ redis: client, by: () => ({ user: "u", address: "a" }), trustedAddressHeader: "x-real-ip" });
new Edge({ redis: client, by: () => false });
exactly<Response>()(edge.handle(new Request("https://a"), async (request, { session, decision }) => {
  const allowed: Decision | undefined = decision;
  const visitor: Session | undefined = session;
  return new Response(`${request.url} ${allowed?.remaining} ${visitor?.userId}`);
}));
exactly<Response>()(edge.handle(new Request("https://a"), () => new Response(), { waitUntil: () => {} }));

// Leaderboards
const boardOptions: LeaderboardOptions = { windows: ["all", "day", "week"], keep: "30d" };
const board = new Leaderboard(client, "quiz", boardOptions);
exactly<number>()(board.add("ada", 5, { best: true, at: 0 }));
exactly<number>()(board.increment("ada", -0.5, { at: Date.now() }));
exactly<void>()(board.remove("ada"));
exactly<RankedMember[]>()(board.top(10, { window: "day", at: 0 }));
exactly<RankedMember[]>()(board.around("ada", 0));
exactly<number | undefined>()(board.rank("ada", { window: "week" }));
exactly<number | undefined>()(board.score("ada"));
exactly<number>()(board.count());

// Queues
interface Mail {
  to: string;
}
const queueOptions: QueueOptions = { lease: "1m", attempts: 3, backoff: { base: "1s", max: "1h" }, deadLimit: 10, keyWindow: "1h", timeout: "2s" };
const mail = new Queue<Mail>(client, "mail", queueOptions);
const enqueueOptions: EnqueueOptions = { key: "welcome", delay: "5m" };
exactly<Enqueued>()(mail.enqueue({ to: "ada" }, enqueueOptions));
exactly<Enqueued>()(mail.enqueue({ to: "ada" }, { at: Date.now() }));
exactly<Enqueued[]>()(mail.enqueueMany([{ payload: { to: "ada" } }, { payload: { to: "bob" }, delay: "1s", key: "b" }]));
exactly<Job<Mail>[]>()(mail.take(10));
declare const job: Job<Mail>;
for (const told of [mail.ack(job), mail.retry(job), mail.retry(job, { delay: "1s", reason: "busy" }), mail.bury(job, "no such address"), mail.extend(job, "1m")]) exactly<boolean>()(told);
exactly<void>()(mail.schedule("digest", "1h", { to: "all" }));
exactly<void>()(mail.unschedule("digest"));
exactly<DeadJob<Mail>[]>()(mail.dead(10));
exactly<number>()(mail.requeue());
exactly<number>()(mail.purge([job.id]));
exactly<QueueCounts>()(mail.counts());
exactly<Drained>()(mail.drain(async ({ payload, attempts }, { signal, extend }) => {
  const again: boolean = await extend("1m");
  return fetch(`https://a/${payload.to}?${attempts}${again}`, { signal });
}, { limit: 10, concurrency: 5, until: Date.now(), waitUntil: (work: Promise<unknown>) => void work }));

export { assigned, cart, conflicts, listed, listening, loop, notice, one, options, own, scanned, settled, state };

// Migrations
declare const table: { get(key: string): Promise<{ n: number } | undefined>; set(key: string, value: { n: number }): Promise<void>; delete(key: string): Promise<void> };
const migration = new Migration(table, cache, { share: 12.5, compare: 5, timeout: "250ms", env: { ENABLE_REDIS_CACHE: "false" } });
exactly<{ n: number } | undefined>()(migration.get("k"));
exactly<void>()(migration.set("k", { n: 1 }, { ttl: "1m" }));
migration.share = 100;
const phase: "off" | "parallel" | "shift" | "cutover" = migration.with({ from: table, waitUntil: (work) => void work }).phase;
const p99: number = migration.stats().latency.new.p99Ms;
void phase, p99;
