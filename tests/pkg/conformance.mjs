// What a user of the package relies on, in every runtime: the same calls, from the packed tarball.
// `env` names the servers: url (RESP2), jsonUrl (JSON only), silentUrl (never answers; below it `stalled` never ends its answer), token. What goes in one command or
// transaction has one hash tag, so that it may be a cluster.

/**
 * @param {typeof import("../../pkg/index.js")} edge
 * @param {{url: string, jsonUrl: string, silentUrl: string, originUrl: string, token: string}} env
 * @returns {Promise<{part: string, name: string, problem?: string}[]>}
 */
export async function conformance({ Cache, Edge, Leaderboard, Migration, PromptCache, Redis, EdgeError, RateLimiter, Sessions, fixedWindow, health, partitionKey, slidingWindow, tokenBucket }, env) {
  const unique = crypto.randomUUID();
  /** @param {string} name */
  const key = (name) => `${name}:${unique}`;
  const client = (/** @type {object} */ options) => new Redis({ url: env.url, token: env.token, ...options });
  const redis = client({});

  /** @param {unknown} actual @param {unknown} expected */
  function equal(actual, expected) {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a !== b) throw new Error(`${a} is not ${b}`);
  }
  /** A cache of a test that is not about time. @param {string} name */
  const patient = (name) => new Cache(redis, { name: key(name), timeout: "60s" });
  // Next's on the edge is there in name alone.
  const deflates = await Promise.resolve().then(() => Boolean(new CompressionStream("deflate"))).catch(() => false);
  /** Where an entry stands. @param {string} name @param {string} k */
  const entryOf = (name, k) => `{${key(name).replace(":", "%3A")}:0}:e:${k}`;
  /** Another payload of another codec behind the header of an entry. @param {string} name @param {string} k @param {string} codec @param {Uint8Array} payload */
  async function replaced(name, k, codec, payload) {
    const header = [...((await redis.commandBytes("GET", entryOf(name, k))) ?? [])];
    for (let at = 0, fields = 0; fields < 10; at++) if (header[at] === 59 && ++fields === 10) header.length = at + 1;
    header[4] = codec.charCodeAt(0);
    await redis.set(entryOf(name, k), new Uint8Array([...header, ...payload]));
  }
  /** The error that a promise is rejected with. @param {Promise<unknown>} promise @returns {Promise<any>} */
  async function failure(promise) {
    const value = await promise.then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    if (!("error" in value)) throw new Error(`it succeeded: ${JSON.stringify(value.value)}`);
    if (!(value.error instanceof EdgeError)) throw value.error;
    return value.error;
  }
  /** Counts what is sent; the first `lost` requests, or their answers, are lost. @param {{lost?: number, after?: boolean}} [fate] */
  function counting({ lost = 0, after = false } = {}) {
    /** @type {string[]} */
    const bodies = [];
    /** @type {typeof fetch} */
    const counted = async (input, init) => {
      bodies.push(new TextDecoder().decode(/** @type {Uint8Array} */ (init?.body)));
      const isLost = bodies.length <= lost;
      if (isLost && !after) throw new TypeError("lost");
      const answer = await fetch(input, init);
      if (isLost) throw new TypeError("lost");
      return answer;
    };
    return { fetch: counted, bodies };
  }

  /**
   * A fetch that answers with these event streams, one after the other: the chunks, one for each time it is asked for
   * more, and then silence, or the end where the last is null. A number is a status. It does not listen to its signal.
   * @param {...((string | null)[] | number)} streams
   */
  function scripted(...streams) {
    const urls = /** @type {string[]} */ ([]);
    const seen = { urls, pulled: 0, open: 0 };
    /** @type {typeof fetch} */
    const scripted = async (input) => {
      urls.push(String(input));
      const chunks = streams.shift() ?? 404;
      if (typeof chunks === "number") return new Response("", { status: chunks });
      const body = new ReadableStream(
        {
          start: () => void (seen.open += 1),
          pull(controller) {
            const chunk = chunks.shift();
            if (chunk === null) seen.open -= 1;
            if (chunk === null) return controller.close();
            if (chunk === undefined) return new Promise(() => {});
            seen.pulled += 1;
            controller.enqueue(new TextEncoder().encode(chunk));
          },
          cancel: () => void (seen.open -= 1),
        },
        { highWaterMark: 0 },
      );
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    return { fetch: scripted, seen };
  }
  /** @param {string[]} lines */
  const events = (...lines) => lines.map((line) => `data: ${line}\n\n`);
  /** The next so many messages of an iterator. @param {AsyncIterator<any>} iterator @param {number} count */
  async function take(iterator, count) {
    const taken = [];
    while (taken.length < count) {
      const { done, value } = await iterator.next();
      if (done) throw new Error(`it ended after ${JSON.stringify(taken)}`);
      taken.push(value);
    }
    return taken;
  }
  /** Until nobody listens any more; on a cluster, to the node that is asked. @param {string} channel */
  async function unheard(channel) {
    for (let tries = 0; tries < 200; tries++) {
      if ((await redis.publish(channel, "x")) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error("still subscribed");
  }
  /** @param {AsyncIterable<any>} iterable @returns {AsyncIterator<any> & {return(): Promise<any>}} */
  const iterator = (iterable) => /** @type {any} */ (iterable[Symbol.asyncIterator]());

  const secret = "a secret of the tests, 32 bytes long or more";
  /** Patient: what passes when Redis is slow is another test's. @param {object} [options] @param {InstanceType<typeof Redis>} [through] */
  const sessionsWith = (options, through = redis) => new Sessions(through, { secrets: secret, name: unique, timeout: "60s", ...options });
  const sessions = sessionsWith();
  /** The `Cookie` header that a browser sends back. @param {string[]} told */
  function returned(told) {
    equal(told.length, 1);
    return /** @type {string} */ (told[0]?.split(";")[0]);
  }
  /** A new session of this user; its cookie. @param {string} user */
  async function entered(user) {
    const session = await sessions.load("");
    session.login(user);
    return returned(await session.save());
  }
  /** @param {string} cookie */
  const statusOf = async (cookie) => (await sessions.load(cookie)).status;

  /** @type {Record<string, () => Promise<void>>} */
  const asking = {
    "strings stay strings, numbers are numbers, nil is null": async () => {
      equal(await redis.set(key("s"), "123"), "OK");
      equal(await redis.get(key("s")), "123");
      equal(await redis.get(key("none")), null);
      equal(await redis.incr(key("n")), 1);
      equal(await redis.command("SET", key("t"), "é😀\n\"\\", { ex: 60, nx: true }), "OK");
      equal(await redis.get(key("t")), "é😀\n\"\\");
    },
    "an integer past 2^53 keeps its digits": async () => {
      equal(await redis.set(key("big"), "9223372036854775806"), "OK");
      equal(await redis.incr(key("big")), "9223372036854775807");
      equal(await redis.command("DECRBY", key("small"), "9007199254740993"), "-9007199254740993");
      equal(await redis.decrby(key("safe"), 9007199254740991), -9007199254740991);
    },
    "an integer past 2^53 is a BigInt where that is asked for": async () => {
      const exact = client({ integers: "bigint" });
      await exact.set(key("exact"), "9223372036854775806");
      const [whole, nested, lesser, text] = await Promise.all([
        exact.incr(key("exact")),
        exact.command("EVAL", "return {-9007199254740994, 7}", 0),
        exact.decrby(key("lesser"), 9007199254740991),
        exact.with({ integers: "string", timeout: "2s" }).command("INCRBY", key("exact"), 0),
      ]);
      const [past, seven] = /** @type {any[]} */ (nested);
      equal([typeof whole, `${whole}`, typeof past, `${past}`, seven], ["bigint", "9223372036854775807", "bigint", "-9007199254740994", 7]);
      equal([lesser, text], [-9007199254740991, "9223372036854775807"]);
      const [piped] = await redis.with({ integers: "bigint" }).with({ timeout: "2s" }).multi().incrby(key("exact"), 0).exec();
      equal([typeof piped, `${piped}`], ["bigint", "9223372036854775807"]);
    },
    "a BigInt goes in as its digits": async () => {
      await redis.set(key("bigin"), 9007199254740993n);
      equal([await redis.get(key("bigin")), await redis.command("INCRBY", key("bigin"), 2n)], ["9007199254740993", "9007199254740995"]);
    },
    "options may be null, as they may be left out": async () => {
      const none = /** @type {any} */ (null);
      const limiter = new RateLimiter(redis, { limits: slidingWindow(9, "60s"), name: key("null"), timeout: "60s" });
      equal([(await limiter.check("a", none)).remaining, await redis.with(none).echo("x"), (await health(redis, none)).status], [8, "x", "healthy"]);
      equal(await redis.with({ signal: none }).echo("y"), "y");
      for (const asked of [limiter.wait("a", none), limiter.checkAll([none]), limiter.check(none)]) equal((await failure(asked)).code.startsWith("invalid_"), true);
      let code;
      try {
        new RateLimiter(/** @type {any} */ ({}), { limits: slidingWindow(1, "1s") });
      } catch (error) {
        code = /** @type {any} */ (error).code;
      }
      equal(code, "invalid_config");
    },
    "JSON is written and read where it is asked for": async () => {
      const value = { a: [1.5, null, "é😀\ud800"], b: { c: false } };
      equal(await redis.setJson(key("json"), value, { ex: 60 }), "OK");
      equal([await redis.getJson(key("json")), await redis.get(key("json"))], [value, JSON.stringify(value)]);
      equal(await redis.pipeline().setJson(key("json"), 0, { xx: true }).getJson(key("json")).getJson(key("none")).exec(), ["OK", 0, null]);
      for (const bad of [undefined, () => {}, 1n, [1n]]) equal((await failure(redis.setJson(key("json"), bad))).code, "invalid_argument");
      await redis.set(key("json"), "secret-value");
      const error = await failure(redis.getJson(key("json")));
      equal([error.code, `${error.stack}${error.cause}`.includes("secret")], ["corrupt", false]);
    },
    "replies have their shapes": async () => {
      await redis.hset(key("h"), { a: 1, __proto__x: "y" });
      equal(await redis.hgetall(key("h")), { a: "1", __proto__x: "y" });
      await redis.zadd(key("z"), { score: 1.5, member: "one" }, { score: 2, member: "two" });
      equal(await redis.zrange(key("z"), 0, -1, { withscores: true }), [{ member: "one", score: 1.5 }, { member: "two", score: 2 }]);
      equal(await redis.mget(key("{none}"), key("{none}2")), [null, null]);
    },
    "bytes come out byte for byte": async () => {
      const source = "local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end return table.concat(t)";
      const bytes = await redis.commandBytes("EVAL", source, 0);
      equal([...(bytes ?? [])], Array.from({ length: 256 }, (_, n) => n));
    },
    "bytes go in as they are: alone, in company, in a transaction, to a script": async () => {
      const every = Uint8Array.from({ length: 256 }, (_, n) => n);
      const noise = Uint8Array.from({ length: 100_000 }, (_, n) => (n * n) >> 3);
      const read = async (/** @type {string} */ name) => [...((await redis.commandBytes("GET", key(name))) ?? [])];
      for (const bytes of [every, noise, new Uint8Array([0xff]), new Uint8Array(), new TextEncoder().encode("ü\0€")]) {
        equal(await redis.set(key("b/1"), bytes), "OK");
        equal(await read("b/1"), [...bytes]);
        const [, length, , kept] = await Promise.all([redis.set(key("b2"), bytes), redis.strlen(key("b2")), redis.set(key("b2"), "x", { ex: 60 }), redis.get(key("b2"))]);
        equal([length, kept], [bytes.length, "x"]);
        await redis.multi().set(key("{b}3"), bytes, { ex: 60 }).hset(key("{b}4"), { f: bytes, g: "text" }).exec();
        equal(await read("{b}3"), [...bytes]);
        const echo = redis.script("return {#ARGV[1], ARGV[2], redis.call('SET', KEYS[1], ARGV[1])}");
        equal(await echo.run({ keys: [key("b5")], args: [bytes, "é"] }), [bytes.length, "é", "OK"]);
        equal(await read("b5"), [...bytes]);
      }
      equal((await failure(redis.get(/** @type {any} */ (every)))).code, "invalid_argument");
      equal((await failure(redis.eval("return 1", [], [every]))).code, "unsupported");
    },
    "a script is sent whole once, and again when the server lost it": async () => {
      /** @type {string[][]} */
      const sent = [];
      const heard = client({ onRequest: (/** @type {any} */ event) => sent.push(event.commands) });
      const add = heard.script(`-- ${unique}\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])`);
      const run = () => add.run({ keys: [key("added")], args: [2] });
      equal([await run(), await run(), ...(await Promise.all([run(), run()]))], [2, 4, 6, 8]);
      equal(sent, [["EVAL"], ["EVALSHA"], ["EVALSHA", "EVALSHA"]]);
      await heard.scriptFlush();
      equal([await run(), sent.slice(-2)], [10, [["EVALSHA"], ["EVAL"]]]);
      equal((await failure(add.run(/** @type {any} */ ({ keys: "k" })))).code, "invalid_argument");
      equal((await failure(heard.script("no lua").run())).code, "redis_error");
    },
    "100 mixed commands of one tick are one request, in order": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const asked = [];
      for (let n = 0; n < 25; n++) {
        asked.push(counted.set(key("list"), String(n)), counted.get(key("list")), counted.incr(key("count")), counted.exists(key("none")));
      }
      const replies = await Promise.all(asked);
      equal(bodies.length, 1);
      equal(replies, Array.from({ length: 25 }, (_, n) => ["OK", String(n), n + 1, 0]).flat());
    },
    "1,001 commands are two requests, in order": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const replies = await Promise.all(Array.from({ length: 1001 }, () => counted.incr(key("many"))));
      equal(bodies.length, 2);
      equal(replies, Array.from({ length: 1001 }, (_, n) => n + 1));
    },
    "a pipeline is one request, and tells each outcome": async () => {
      equal(await redis.pipeline().set(key("p"), "1").incr(key("p")).get(key("p")).exec(), ["OK", 2, "2"]);
      const settled = await redis.pipeline().set(key("q"), "x").incr(key("q")).get(key("q")).execSettled();
      equal(settled.map((/** @type {any} */ one) => (one.ok ? one.value : one.error.code)), ["OK", "redis_error", "x"]);
      const refused = redis.pipeline().set(key("r"), "1").set(key("r"), /** @type {any} */ (undefined));
      equal((await failure(refused.exec())).code, "invalid_argument");
      equal(await redis.get(key("r")), null);
    },
    "a transaction is applied whole": async () => {
      equal(await redis.multi().set(key("{x}"), "é").incr(key("{x}n")).get(key("{x}")).exec(), ["OK", 1, "é"]);
      const settled = await redis.multi().lpush(key("{x}"), "y").incr(key("{x}n")).execSettled();
      equal(settled.map((/** @type {any} */ one) => (one.ok ? one.value : one.error.code)), ["redis_error", 2]);
      equal((await failure(redis.multi().incr(key("{x}n")).command("INCR").exec())).code, "redis_error");
      equal(await redis.get(key("{x}n")), "2");
    },
    "scan finds every key": async () => {
      const keys = Array.from({ length: 50 }, (_, n) => key(`scan{${n}}`));
      await Promise.all(keys.map((name) => redis.set(name, "x")));
      const found = new Set();
      for await (const name of redis.scan({ match: "scan{*:" + unique, count: 7 })) found.add(name);
      equal([...found].sort(), [...keys].sort());
    },
    "scans of one key find everything in it": async () => {
      const names = Array.from({ length: 200 }, (_, n) => `name${n}`);
      await Promise.all([
        redis.hset(key("sh"), Object.fromEntries(names.map((name) => [name, 1]))),
        redis.sadd(key("ss"), ...names),
        redis.zadd(key("sz"), ...names.map((member, n) => ({ score: n / 2, member }))),
      ]);
      /** @type {Record<string, string>} */
      const fields = {};
      for await (const { field, value } of redis.hscanIterator(key("sh"), { count: 7 })) fields[field] = value;
      equal(Object.entries(fields).sort(), names.map((name) => [name, "1"]).sort());
      const members = new Set();
      for await (const member of redis.sscanIterator(key("ss"), { match: "*9" })) members.add(member);
      equal([...members].sort(), names.filter((name) => name.endsWith("9")).sort());
      const scores = new Map();
      for await (const { member, score } of redis.zscanIterator(key("sz"))) scores.set(member, score);
      equal([scores.size, scores.get("name7")], [200, 3.5]);
      const wrong = redis.zscanIterator(key("ss"))[Symbol.asyncIterator]();
      equal((await failure(wrong.next())).code, "redis_error");
    },
    "a transaction with a bad part is not sent at all": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const bad = () => counted.multi().incr(key("whole")).command("BLPOP", "x", 0).incr(key("whole"));
      equal((await failure(bad().exec())).code, "unsupported");
      const settled = await bad().execSettled();
      equal(settled.map((/** @type {any} */ one) => one.error?.code), ["unsupported", "unsupported", "unsupported"]);
      equal([bodies.length, await redis.get(key("whole"))], [0, null]);
    },
    "a pipeline and the commands of its tick are one request, in the order written": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const [, piped, after] = await Promise.all([counted.set(key("order"), "1"), counted.pipeline().get(key("order")).incr(key("order")).exec(), counted.get(key("order"))]);
      equal([piped, after, bodies.length], [["1", 2], "2", 1]);
    },
    "a byte order mark is part of its value": async () => {
      await redis.set(key("bom"), "\ufeffx");
      equal((await redis.get(key("bom")))?.length, 2);
    },
    "who listens in changes nothing, and may ask for itself": async () => {
      /** @type {any[]} */
      const events = [];
      const heard = client({
        onRequest: (/** @type {any} */ event) => {
          events.push(event);
          throw new Error("its own affair");
        },
      });
      equal(await heard.incr(key("heard")), 1);
      equal([events.length, events[0].commands, events[0].count, events[0].attempt, events[0].error], [1, ["INCR"], 1, 1, undefined]);
      await failure(heard.command("secret-value", "secret-value"));
      equal(events[1].commands, ["OTHER"]);
    },
    "what wraps fetch cannot spoil the next request's headers": async () => {
      /** @type {typeof fetch} */
      const wrapped = (input, init) => {
        const answer = fetch(input, { ...init, headers: { .../** @type {any} */ (init?.headers) } });
        delete (/** @type {any} */ (init?.headers).authorization);
        return answer;
      };
      const spoiled = client({ fetch: wrapped, headers: { Authorization: "Bearer mine", "Upstash-Telemetry-Sdk": "1" } });
      equal([await spoiled.incr(key("w")), await spoiled.incr(key("w"))], [1, 2]);
    },
    "a command that came too late, or was given up, is not sent": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const late = counted.with({ timeout: "1ms" }).incr(key("late")).then(() => "in time", ({ code }) => code);
      const started = Date.now();
      // workerd's clock stands still meanwhile, so that there it may be in time.
      if (globalThis.navigator?.userAgent !== "Cloudflare-Workers") while (Date.now() - started < 20);
      const kept = await counted.get(key("late"));
      if (bodies[0]?.includes("INCR")) equal(["timeout", "in time"].includes(await late), true);
      else equal([await late, kept], ["timeout", null]);
    },
    "past a thousand commands each still has its own deadline": async () => {
      const silent = client({ url: env.silentUrl, timeout: "600ms" });
      const many = Array.from({ length: 1001 }, () => failure(silent.get("k")));
      const started = Date.now();
      const last = await failure(silent.with({ timeout: "100ms" }).get("k"));
      equal([last.code, Date.now() - started < 500], ["timeout", true]);
      equal(new Set((await Promise.all(many)).map(({ code }) => code)).size, 1);
    },
    "a health check travels with the commands of its tick, and has an answer to silence": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const [found, one] = await Promise.all([health(counted), counted.incr(key("healthy"))]);
      equal([found.status, found.error, one, bodies.length], ["healthy", undefined, 1, 1]);
      equal(new Date(found.checkedAt).toISOString(), found.checkedAt);
      const silent = await health(client({ url: env.silentUrl }), { timeout: "50ms" });
      equal([silent.status, silent.error], ["unhealthy", "timeout"]);
      const wrong = await health(client({ token: "wrong" }));
      equal([wrong.status, wrong.error], ["unhealthy", "unauthorized"]);
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const limiting = {
    "a limiter admits exactly its limit, and says truly when to come back": async () => {
      for (const limits of [slidingWindow(10, "60s"), fixedWindow(10, "1d"), tokenBucket(10, 1, "60s")]) {
        const limiter = new RateLimiter(redis, { limits, name: key("exact"), timeout: "60s" });
        const decisions = await Promise.all(Array.from({ length: 25 }, () => limiter.check("ada")));
        equal(decisions.map(({ allowed }) => allowed), Array.from({ length: 25 }, (_, n) => n < 10));
        const refused = /** @type {any} */ (decisions[24]);
        equal([refused.limit, refused.remaining, refused.limitedBy, refused.source, refused.retryAfterMs > 0], [10, 0, "default", "redis", true]);
        equal([(await limiter.peek("ada")).remaining, (await limiter.check("bob")).remaining], [0, 9]);
        await limiter.refund("ada", 2);
        equal((await limiter.check("ada", { cost: 2 })).allowed, true);
        await limiter.reset("ada");
        equal((await limiter.check("ada")).remaining, 9);
      }
    },
    "several limits are one command, all or nothing, on one identifier or one for each": async () => {
      const { fetch, bodies } = counting();
      const options = { name: key("several"), timeout: "60s", limits: [slidingWindow(2, "10s", "user"), slidingWindow(3, "60s", "address")] };
      const limiter = new RateLimiter(client({ fetch }), /** @type {any} */ (options));
      // In the slot of those below: on a cluster each node learns the script.
      await limiter.peek({ user: "first", address: "first" });
      const before = bodies.length;
      const ids = [{ user: "ada", address: "1" }, { user: "ada", address: "1" }, { user: "ada", address: "1" }, { user: "bob", address: "1" }, { user: "cy", address: "1" }];
      const decisions = await limiter.checkAll(ids.map((id) => ({ id })));
      equal(decisions.map(({ allowed, limitedBy }) => limitedBy ?? allowed), [true, true, "user", true, "address"]);
      equal(decisions[3]?.policies.map(({ name, remaining }) => [name, remaining]), [["user", 1], ["address", 0]]);
      equal(bodies.length - before, 1);
      equal((await limiter.check("one", { limits: slidingWindow(9, "10s") })).remaining, 8);
      const byServer = new RateLimiter(redis, { limits: slidingWindow(1, "60s"), name: key("clock"), timeout: "60s", clock: "server" });
      equal([(await byServer.check("a")).clock, (await limiter.peek("a")).clock], ["server", "client"]);
    },
    "a limiter's bad input is refused, and nothing is counted": async () => {
      const limiter = new RateLimiter(redis, { limits: slidingWindow(5, "60s"), name: key("bad"), timeout: "60s" });
      const asked = /** @type {any} */ (limiter);
      for (const [id, cost] of [["a", 6], ["a", 0.5], ["a", -1], ["a", NaN], [1, 1], ["\ud800", 1], [{ other: "x" }, 1], [{}, 1], [null, 1]]) {
        equal((await failure(asked.check(id, { cost }))).code, "invalid_argument");
        equal((await failure(asked.checkAll([{ id: "whole" }, { id, cost }]))).code, "invalid_argument");
      }
      equal((await limiter.peek("whole")).remaining, 5);
      const build = /** @type {any} */ ((/** @type {any} */ options) => () => new RateLimiter(redis, options));
      const two = [slidingWindow(1, "1s"), slidingWindow(2, "1s")];
      for (const make of [() => slidingWindow(0, "1s"), () => slidingWindow(1.5, "1s"), () => fixedWindow(1, /** @type {any} */ ("400d")), () => tokenBucket(1, 0, "1s"),
        () => slidingWindow(1, "1s", 'a"b'), () => slidingWindow(1, /** @type {any} */ (1000)), build(undefined), build({ limits: [] }), build({ limits: { name: "x" } }), build({ limits: two }),
        build({ limits: two[0], onFailure: "pass" }), build({ limits: two[0], clock: "mine" }), build({ limits: two[0], memory: { maxEntries: 0 } }), build({ limits: two[0], timeout: 5 })]) {
        let code;
        try {
          make();
        } catch (error) {
          code = /** @type {any} */ (error).code;
        }
        equal(code, "invalid_config");
      }
    },
    "a refused identifier is remembered, whoever builds the limiter": async () => {
      const { fetch, bodies } = counting();
      const build = () => new RateLimiter(client({ fetch }), { limits: slidingWindow(1, "60s"), name: key("memory"), timeout: "60s" });
      equal([(await build().check("a")).allowed, (await build().check("a")).source], [true, "redis"]);
      const before = bodies.length;
      const again = await build().check("a");
      equal([again.allowed, again.source, bodies.length - before], [false, "memory", 0]);
      await build().reset("a");
      equal((await build().check("a")).source, "redis");
    },
    "what is remembered is of one database, and of all limiters of a name there": async () => {
      const build = (/** @type {string} */ url, /** @type {object} */ options = {}) => new RateLimiter(client({ url }), { limits: slidingWindow(1, "60s"), name: key("shared"), timeout: "60s", ...options });
      const other = env.url === env.jsonUrl ? `${env.url}/` : env.jsonUrl;
      await build(env.url).check("a");
      equal([(await build(env.url).check("a")).source, (await build(env.url).check("a")).source], ["redis", "memory"]);
      if (other === env.jsonUrl) equal((await build(other).check("a")).source, "redis");
      await build(env.url, { timeout: "50s" }).reset("a");
      equal((await build(env.url).check("a")).allowed, true);
      // A costlier check, or one after a place was taken, is for Redis to answer.
      const wide = () => build(env.url, { limits: slidingWindow(5, "60s") });
      await wide().check("b", { cost: 2 });
      equal([(await wide().check("b", { cost: 4 })).source, (await wide().check("b", { cost: 5 })).source], ["redis", "redis"]);
      await wide().check("b", { cost: 3 });
      equal((await wide().check("b", { cost: 5 })).remaining, 0);
    },
    "a limiter has an answer when Redis has none": async () => {
      const answers = [];
      for (const onFailure of /** @type {const} */ (["allow", "deny", "local"])) {
        const limiter = new RateLimiter(client({ url: env.silentUrl }), { limits: slidingWindow(1, "60s"), name: key(onFailure), timeout: "50ms", onFailure });
        for (let n = 0; n < 2; n++) {
          const { allowed, source } = await limiter.check("a");
          answers.push([allowed, source]);
        }
      }
      equal(answers, [[true, "failure"], [true, "failure"], [false, "failure"], [false, "failure"], [true, "local"], [false, "local"]]);
      const wrong = new RateLimiter(client({ token: "wrong" }), { limits: slidingWindow(1, "60s") });
      equal((await failure(wrong.check("a"))).code, "unauthorized");
    },
    "who waits gets a place when one is free, or hears at once that none will be": async () => {
      const limiter = new RateLimiter(redis, { limits: slidingWindow(1, "300ms"), name: key("wait"), timeout: "60s" });
      equal((await limiter.wait("a", { timeout: "10s" })).allowed, true);
      equal((await limiter.wait("a", { timeout: "30s" })).allowed, true);
      const long = new RateLimiter(redis, { limits: slidingWindow(1, "1d"), name: key("wait"), timeout: "60s" });
      await long.check("a");
      equal((await long.wait("a", { timeout: "5s" })).allowed, false);
      equal((await failure(long.wait("a", { timeout: "7d", signal: AbortSignal.timeout(50) }))).code, "aborted");
      const viewed = new RateLimiter(redis.with({ signal: AbortSignal.timeout(50) }), { limits: slidingWindow(1, "1d"), name: key("wait"), timeout: "60s" });
      equal((await failure(viewed.wait("a", { timeout: "7d" }))).code, "aborted");
      const silent = new RateLimiter(client({ url: env.silentUrl }), { limits: slidingWindow(1, "1d"), timeout: "60s", onFailure: "deny" });
      equal((await silent.wait("a", { timeout: "50ms" })).source, "failure");
      // A signal that is none harms nobody else.
      const [wrong, fine] = await Promise.all([failure(limiter.wait("b", { timeout: "1s", signal: /** @type {any} */ ({}) })), redis.set(key("innocent"), "x")]);
      equal([wrong.code, fine], ["invalid_config", "OK"]);
    },
    "a limiter counts what it allowed and refused, when it is asked to": async () => {
      const real = Date.now;
      const start = Math.floor(real() / 3_600_000) * 3_600_000;
      const limiter = new RateLimiter(redis, { limits: slidingWindow(1, "60s"), name: key("stats"), timeout: "60s", analytics: true, memory: false });
      try {
        Date.now = () => start;
        for (const id of ["a", "a", "a", 'b"', 'b"']) await limiter.check(id);
        const sent = () => redis.exists(`{${key("stats").replace(":", "%3A")}}:stats:${start / 3_600_000}`);
        const { allowed, refused } = await limiter.stats();
        // It knows its own; sent they are along with a check, 10 s later.
        equal([allowed, refused, await sent()], [2, 3, 0]);
        Date.now = () => start + 10_000;
        await limiter.checkAll([{ id: "c" }]);
        equal(await sent(), 1);
        equal(await limiter.stats(), { since: start, allowed: 3, refused: 3, mostRefused: [{ id: "a", refused: 2 }, { id: 'b"', refused: 1 }] });
        equal((await limiter.stats({ hoursAgo: 1 })).allowed, 0);
        equal((await failure(limiter.stats({ hoursAgo: -1 }))).code, "invalid_argument");
      } finally {
        Date.now = real;
      }
    },
    "a decision is told in headers": async () => {
      const limiter = new RateLimiter(redis, { limits: [slidingWindow(1, "60s", "burst"), fixedWindow(100, "1d", "daily")], name: key("headers"), timeout: "60s" });
      await limiter.check("a");
      const refused = await limiter.check("a");
      const headers = RateLimiter.headers(refused, { partitionKey: partitionKey("secret", "a") });
      const pk = btoa(partitionKey("secret", "a"));
      equal(headers.get("ratelimit-policy"), `"burst";q=1;w=60;pk=:${pk}:, "daily";q=100;w=86400;pk=:${pk}:`);
      equal(headers.get("ratelimit")?.startsWith(`"burst";r=0;t=${headers.get("retry-after")};pk=`), true);
      equal([...RateLimiter.headers(refused, { style: "draft-6" }).keys()], ["ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset", "retry-after"]);
      equal([...RateLimiter.headers(await limiter.peek("b"), { style: "x-ratelimit" }).values()].slice(0, 2), ["1", "1"]);
    },
    "limit, commands and health of one tick are one request": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const limiter = new RateLimiter(counted, { limits: slidingWindow(1, "60s"), name: key("tick"), timeout: "60s" });
      await limiter.peek("a");
      const [decision, one, found] = await Promise.all([limiter.check("a"), counted.incr(key("tick")), health(counted)]);
      equal([decision.allowed, one, found.status, bodies.length], [true, 1, "healthy", 2]);
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const failing = {
    "one caller's failure is nobody else's": async () => {
      await redis.set(key("text"), "x");
      const [bad, good, refused, other] = await Promise.all([
        failure(redis.incr(key("text"))),
        redis.get(key("text")),
        failure(redis.command("BLPOP", key("text"), 0)),
        redis.incr(key("fine")),
      ]);
      equal([bad.code, good, refused.code, other], ["redis_error", "x", "unsupported", 1]);
      equal(refused.message.includes("LPOP"), true);
    },
    "an error says its code and nothing secret": async () => {
      const wrong = await failure(client({ token: "wrong-token" }).get("k"));
      equal([wrong.code, wrong.retryable, wrong.name], ["unauthorized", false, "EdgeError"]);
      const echoed = await failure(redis.command("NOSUCHCOMMAND", "secret-value"));
      equal(`${echoed.message}${echoed.stack}`.includes("secret-value"), false);
      equal((await failure(redis.set(key("x"), /** @type {any} */ (NaN)))).code, "invalid_argument");
      equal((await failure(redis.get("\ud800"))).code, "invalid_argument");
    },
    "a write that may have been done is not sent again": async () => {
      for (const after of [false, true]) {
        const { fetch, bodies } = counting({ lost: 1, after });
        const error = await failure(client({ fetch }).incr(key(`once${after}`)));
        equal([error.code, error.retryable, bodies.length], ["network", true, 1]);
        equal(await redis.get(key(`once${after}`)), after ? "1" : null);
      }
    },
    "of a mixed batch only the harmless are sent again": async () => {
      const { fetch, bodies } = counting({ lost: 1, after: true });
      const mixed = client({ fetch });
      const [set, incr, get] = await Promise.all([mixed.set(key("m"), "v"), failure(mixed.incr(key("mixed"))), mixed.get(key("m"))]);
      equal([set, incr.code, get, await redis.get(key("mixed"))], ["OK", "network", "v", "1"]);
      equal(JSON.parse(bodies[1] ?? "").map((/** @type {string[]} */ words) => words[0]), ["SET", "GET"]);
    },
    "retry: false sends once, and idempotent: true vouches": async () => {
      const once = counting({ lost: 1 });
      equal((await failure(client({ fetch: once.fetch, retry: false }).get("k"))).code, "network");
      equal(once.bodies.length, 1);
      const vouched = counting({ lost: 1 });
      equal(await client({ fetch: vouched.fetch }).with({ idempotent: true }).incr(key("vouched")), 1);
      equal(vouched.bodies.length, 2);
    },
    "a deadline settles its own caller, and a silent server is left": async () => {
      const silent = client({ url: env.silentUrl, timeout: "400ms" });
      const started = Date.now();
      const short = failure(silent.with({ timeout: "100ms" }).get("k")).then((error) => [error.code, Date.now() - started < 350]);
      const long = failure(silent.get("k")).then((error) => [error.code, Date.now() - started >= 390]);
      equal(await Promise.all([short, long]), [["timeout", true], ["timeout", true]]);
    },
    "a deadline ends an answer that stalls, whatever else is waited for": async () => {
      const stalled = client({ url: `${env.silentUrl}/stalled`, timeout: "300ms" });
      const [leaving, { signal }] = [new AbortController(), new AbortController()];
      const waits = [stalled.get("a"), stalled.with({ timeout: "20s", signal: leaving.signal }).get("b"), stalled.with({ signal }).get("c")].map((wait) => failure(wait).then(({ code }) => code));
      const started = Date.now();
      equal([(await failure(stalled.get("alone"))).code, (await failure(Promise.all([stalled.get("d"), stalled.get("e")]))).code], ["timeout", "timeout"]);
      equal([await waits[0], await waits[2], Date.now() - started < 15_000], ["timeout", "timeout", true]);
      leaving.abort();
      equal(await waits[1], "aborted");
      // A fetch that heeds no signal is left behind.
      const deaf = client({ fetch: () => new Promise(() => {}), timeout: "100ms" });
      equal((await failure(deaf.get("k"))).code, "timeout");
    },
    "an abort takes its own caller alone": async () => {
      const controller = new AbortController();
      const leaving = failure(redis.with({ signal: controller.signal }).get(key("a")));
      const staying = redis.incr(key("staying"));
      controller.abort(new Error("gone"));
      const error = await leaving;
      equal([error.code, error.cause?.message, await staying], ["aborted", "gone", 1]);
      equal((await failure(redis.with({ signal: AbortSignal.abort() }).get("k"))).code, "aborted");
    },
    "a server that speaks only JSON is served alike": async () => {
      const json = client({ url: env.jsonUrl });
      await json.hset(key("{j}"), { a: "é😀", b: 2 });
      equal(await Promise.all([json.hgetall(key("{j}")), json.incr(key("{j}i")), json.get(key("none"))]), [{ a: "é😀", b: "2" }, 1, null]);
      equal((await failure(json.incr(key("{j}")))).code, "redis_error");
      equal(await json.multi().incr(key("{j}i")).hgetall(key("{j}")).exec(), [2, { a: "é😀", b: "2" }]);
      const source = "local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end return table.concat(t)";
      equal([...((await json.commandBytes("EVAL_RO", source, 0)) ?? [])], Array.from({ length: 256 }, (_, n) => n));
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const visiting = {
    "a session lives from its first value to its end": async () => {
      const none = await sessions.load(new Request("https://example.com"));
      equal([none.status, none.isNew, none.userId, await none.save()], ["new", true, undefined, []]);
      none.set("cart", [1, {}, []]);
      const told = await none.save();
      equal(/^__Host-session=[\w-]{108}; Path=\/; Secure; HttpOnly; SameSite=Lax$/.test(told[0] ?? ""), true);
      equal([none.status, none.isNew, await none.save()], ["valid", false, []]);
      const cookie = returned(told);
      const session = await sessions.load(new Headers({ cookie: `a=b; ${cookie}` }));
      equal([session.status, session.get("cart"), session.get("none")], ["valid", [1, {}, []], undefined]);
      equal([session.createdAt, session.expiresAt - session.createdAt >= 18e5], [none.createdAt, true]);
      // What is read is a copy.
      /** @type {any} */ (session.get("cart")).push(2);
      session.set("__proto__", { polluted: true });
      session.set("constructor", null);
      session.delete("cart");
      equal([await session.save(), /** @type {any} */ ({}).polluted], [[], undefined]);
      const again = await sessions.load(cookie);
      equal([again.get("cart"), again.get("__proto__"), again.get("constructor")], [undefined, { polluted: true }, null]);
      again.destroy();
      equal(await again.save(), ["__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"]);
      equal([again.status, again.get("constructor"), await statusOf(cookie)], ["new", undefined, "expired"]);
      session.set("late", 1);
      equal((await failure(session.save())).code, "conflict");
      equal(await statusOf(cookie), "expired");
    },
    "sessions travel with the other commands of their tick, and cost nothing where nothing changed": async () => {
      const cookie = await entered("ada");
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const own = sessionsWith({}, counted);
      const all = () => Promise.all([counted.get(key("none")), own.load(cookie), counted.get(key("none"))]);
      // The first use teaches the client which form of the scripts this server takes.
      await all();
      const first = bodies.length;
      const [, session] = await all();
      equal([session.userId, bodies.length - first], ["ada", 1]);
      equal(JSON.parse(bodies.at(-1) ?? "").length, 4);
      session.set("k", 1);
      await Promise.all([session.save(), counted.get(key("none"))]);
      session.set("k", 1);
      session.set("l", 1);
      session.delete("l");
      equal([await session.save(), (await own.load("")).status, (await own.load("__Host-session=forged")).status], [[], "new", "invalid"]);
      const before = bodies.length;
      session.set("k", 2);
      await Promise.all([session.save(), counted.get(key("none"))]);
      equal([bodies.length - before, JSON.parse(bodies.at(-1) ?? "").length], [1, 2]);
    },
    "saves of different keys all hold, and of one key the later is told both values": async () => {
      const start = await sessions.load("");
      start.set("a", 0);
      const cookie = returned(await start.save());
      const [one, two, three] = await Promise.all([sessions.load(cookie), sessions.load(cookie), sessions.load(cookie)]);
      one.set("a", { by: 1 });
      two.set("b", 2);
      three.set("a", "three");
      three.set("c", 3);
      await Promise.all([one.save(), two.save()]);
      const error = await failure(three.save());
      equal([error.code, error.retryable, error.conflicts], ["conflict", true, [{ key: "a", ours: "three", theirs: { by: 1 } }]]);
      equal(error.message.includes("three"), false);
      three.set("a", "three", { overwrite: true });
      await three.save();
      // Its own value is no conflict to it.
      three.set("a", 4);
      await three.save();
      const after = await sessions.load(cookie);
      equal([after.get("a"), after.get("b"), after.get("c")], [4, 2, 3]);
      const [clearing, setting] = await Promise.all([sessions.load(cookie), sessions.load(cookie)]);
      clearing.clear();
      setting.set("d", 1);
      equal([clearing.get("a"), await clearing.save()], [undefined, []]);
      equal((await failure(setting.save())).conflicts, [{ key: "d", ours: 1 }]);
      await Promise.all(Array.from({ length: 50 }, async (_, at) => {
        const session = await sessions.load(cookie);
        session.set(`own ${at}`, at);
        await session.save();
      }));
      const whole = await sessions.load(cookie);
      equal([whole.get("a"), Array.from({ length: 50 }, (_, at) => whole.get(`own ${at}`))], [undefined, Array.from({ length: 50 }, (_, at) => at)]);
    },
    "saves of one session object come one after the other": async () => {
      const session = await sessions.load("");
      session.set("a", 1);
      const first = session.save();
      session.set("a", 2);
      session.set("b", 2);
      const [told, more] = await Promise.all([first, session.save()]);
      equal([told.length, more], [1, []]);
      const after = await sessions.load(returned(told));
      equal([after.get("a"), after.get("b")], [2, 2]);
    },
    "a save whose answer is lost is repeated, and conflicts not with itself": async () => {
      const session = await sessions.load("");
      session.set("a", 1);
      let told = await session.save();
      for (const change of ["set", "clear", "rotate", "login"]) {
        /** @type {typeof fetch} */
        let way = fetch;
        const own = sessionsWith({}, client({ fetch: (/** @type {any[]} */ ...args) => /** @type {any} */ (way)(...args) }));
        const loaded = await own.load(returned(told));
        const lossy = counting({ lost: 1, after: true });
        way = lossy.fetch;
        loaded.set("a", change);
        if (change === "clear") loaded.clear();
        if (change === "rotate") loaded.rotate();
        if (change === "login") loaded.login("ada");
        loaded.set("b", change);
        const more = await loaded.save();
        if (more.length > 0) told = more;
        equal([lossy.bodies.length >= 2, (await sessions.load(returned(told))).get("b")], [true, change]);
        // It knows its own value.
        loaded.set("b", 0);
        equal(await loaded.save(), []);
      }
      const lost = counting({ lost: 2, after: true });
      const begun = await sessionsWith({}, client({ fetch: lost.fetch })).load("");
      begun.set("a", 1);
      begun.login("ada");
      const user = returned(await begun.save());
      equal([await statusOf(user), lost.bodies.length >= 4], ["valid", true]);
    },
    "a login replaces the id at once, a rotation lets the old one through": async () => {
      const start = await sessions.load("");
      start.set("cart", 1);
      const planted = returned(await start.save());
      const session = await sessions.load(planted);
      session.login("ada", { info: { device: "laptop" }, persistent: true, absolute: "2h" });
      equal(session.userId, "ada");
      const told = await session.save();
      equal(/; Max-Age=7(200|19\d)$/.test(told[0] ?? ""), true);
      const cookie = returned(told);
      equal([await statusOf(planted), (await sessions.load(cookie)).userId, (await sessions.load(cookie)).get("cart")], ["expired", "ada", 1]);
      start.set("cart", 2);
      equal((await failure(start.save())).code, "conflict");
      session.rotate();
      const rotated = await session.save();
      // The browser keeps it as long as before.
      equal(/; Max-Age=7(200|1\d\d)$/.test(rotated[0] ?? ""), true);
      const late = await sessions.load(cookie);
      late.set("late", 1);
      late.rotate();
      equal([late.status, late.userId, await late.save()], ["valid", "ada", []]);
      const now = await sessions.load(returned(rotated));
      equal([now.get("late"), now.userId], [1, "ada"]);
      const ungraced = sessionsWith({ grace: "1ms" });
      const brief = await ungraced.load(returned(rotated));
      brief.rotate();
      await brief.save();
      await new Promise((resolve) => setTimeout(resolve, 20));
      equal(await statusOf(returned(rotated)), "expired");
    },
    "a user's sessions are listed, revoked by handle, and all at once": async () => {
      const user = "user {:} \u00e9";
      const start = await sessions.load("");
      start.login(user, { info: { device: 'a "laptop"', __proto__x: "y" } });
      const one = returned(await start.save());
      const [two, three, other] = [await entered(user), await entered(user), await entered("other")];
      const list = await sessions.list(user);
      equal(list.length, 3);
      const first = list.find(({ info }) => info.device === 'a "laptop"');
      equal([first?.createdAt, first?.info.__proto__x, (first?.expiresAt ?? 0) > (first?.lastSeenAt ?? 0)], [start.createdAt, "y", true]);
      equal([await sessions.revoke("other", first?.handle ?? ""), await sessions.revoke(user, "no handle")], [false, false]);
      equal([await sessions.revoke(user, first?.handle ?? ""), await statusOf(one), await statusOf(two)], [true, "expired", "valid"]);
      const asking = await sessions.load(two);
      equal(await sessions.revokeAll(user, { except: asking }), 1);
      equal([await statusOf(two), await statusOf(three), await statusOf(other)], ["valid", "expired", "valid"]);
      equal([await sessions.revokeAll(user), await statusOf(two), await sessions.list(user)], [1, "expired", []]);
      equal([await sessions.revokeAll("nobody"), await sessions.list("nobody")], [0, []]);
      for (const call of [() => sessions.list(""), () => sessions.revoke("\ud800", "x"), () => sessions.revokeAll("a", { except: /** @type {any} */ ({}) })]) {
        equal((await failure(call())).code, "invalid_argument");
      }
    },
    "no login survives a revocation between its two trips": async () => {
      const user = key("{overtaken}");
      /** @type {(() => Promise<unknown>)[]} */
      let before = [];
      const gated = client({ fetch: async (/** @type {[string, RequestInit]} */ ...sent) => (await before.shift()?.(), fetch(...sent)) });
      const own = sessionsWith({}, gated);
      // The first use teaches the client which form of the scripts this server takes.
      const first = await own.load("");
      first.login(user);
      await first.save();
      for (const begun of ["", await entered("ada"), await entered(user)]) {
        const session = await own.load(begun);
        session.login(user);
        let revoked = 0;
        before = [async () => {}, async () => void (revoked = await sessions.revokeAll(user))];
        const told = await session.save();
        equal([revoked > 0, await statusOf(returned(told)), await sessions.list(user), before.length], [true, "expired", [], 0]);
        if (begun) equal(await statusOf(begun), "expired");
      }
    },
    "a flash is read once": async () => {
      const session = await sessions.load("");
      equal(session.flash("notice", { text: "saved" }), undefined);
      const cookie = returned(await session.save());
      const [one, two] = await Promise.all([sessions.load(cookie), sessions.load(cookie)]);
      equal([one.get("notice"), one.flash("notice"), one.flash("notice"), two.flash("notice")], [undefined, { text: "saved" }, undefined, { text: "saved" }]);
      await Promise.all([one.save(), two.save()]);
      equal((await sessions.load(cookie)).flash("notice"), undefined);
    },
    "a CSRF token holds for its session until the id changes": async () => {
      const session = await sessions.load("");
      const token = await session.csrfToken();
      equal(await session.verifyCsrf(token), true);
      const loaded = await sessions.load(returned(await session.save()));
      const another = await loaded.csrfToken();
      equal([await loaded.verifyCsrf(token), await loaded.verifyCsrf(another), token === another, await loaded.save()], [true, true, false, []]);
      const other = await sessions.load(await entered("ada"));
      for (const [holder, said] of [[other, token], [await sessions.load(""), token], [loaded, token.slice(1)], [loaded, `${token}A`], [loaded, ""]]) {
        equal(await /** @type {any} */ (holder).verifyCsrf(said), false);
      }
      loaded.login("ada");
      const shown = await loaded.csrfToken();
      const user = await sessions.load(returned(await loaded.save()));
      equal([await user.verifyCsrf(shown), await user.verifyCsrf(token)], [true, false]);
    },
    "commit puts cookies on any response, and no cache keeps it": async () => {
      // A browser shows no page its cookies.
      const shown = new Response("", { headers: { "set-cookie": "a=b" } }).headers.getSetCookie().length > 0;
      for (const response of [new Response("body", { status: 201, headers: { "set-cookie": "a=b" } }), Response.redirect("https://example.com/next"), new Response(null, { status: 204 })]) {
        const session = await sessions.load("");
        session.set("k", 1);
        const { status } = response;
        const answer = await session.commit(response);
        equal([answer.status, answer.headers.get("cache-control"), answer.headers.getSetCookie().at(-1)?.startsWith("__Host-session=") ?? !shown], [status, "no-store", true]);
        if (status === 201) equal([answer.headers.getSetCookie()[0] ?? "a=b", await answer.text()], ["a=b", "body"]);
      }
    },
    "a framework's jar is read and written, whatever its shape": async () => {
      const shapes = [
        // Next: objects; of one name the last alone.
        (/** @type {Map<string, string>} */ held) => {
          const one = (/** @type {string} */ name) => (held.has(name) ? { name, value: held.get(name) ?? "" } : undefined);
          return { get: one, getAll: (/** @type {string} */ name) => [one(name) ?? []].flat() };
        },
        // SvelteKit: texts; all that there are, whatever it is asked.
        (/** @type {Map<string, string>} */ held) => ({ get: held.get.bind(held), getAll: () => [...held].map(([name, value]) => ({ name, value })) }),
        // Astro: objects, and a method `headers`.
        (/** @type {Map<string, string>} */ held) => ({ get: (/** @type {string} */ name) => (held.has(name) ? { value: held.get(name) } : undefined), headers: () => [] }),
      ];
      for (const shape of shapes) {
        const held = new Map([["a", "b"]]);
        /** @type {any[]} */
        const sets = [];
        const jar = {
          ...shape(held),
          set(/** @type {string} */ name, /** @type {string} */ value, /** @type {object} */ attributes) {
            held.set(name, value);
            sets.push([name, attributes]);
          },
        };
        const session = await sessions.load(jar);
        session.set("k", 1);
        equal([session.status, await session.save(), await session.save()], ["new", [], []]);
        const user = await sessions.load(jar);
        equal([user.status, user.get("k")], ["valid", 1]);
        user.login("ada", { persistent: true, absolute: "2h" });
        await user.save();
        const planted = `__Host-session=${held.get("__Host-session")}`;
        const leaving = await sessions.load(jar);
        leaving.rotate();
        const answer = await leaving.commit(new Response());
        equal([leaving.userId, answer.headers.getSetCookie().length, sets.length, planted.length > 100], ["ada", 1, 2, true]);
        leaving.destroy();
        equal([await leaving.save(), (await sessions.load(jar)).status, held.get("a")], [[], "new", "b"]);
        const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "lax" };
        const name = "__Host-session";
        equal(sets, [[name, attributes], [name, { ...attributes, maxAge: sets[1]?.[1].maxAge }], [name, { ...attributes, maxAge: 0 }]]);
        equal(sets[1]?.[1].maxAge > 7100 && sets[1]?.[1].maxAge <= 7200, true);
      }
      // Another cookie: its domain goes along.
      const wide = sessionsWith({ cookie: { name: "wide", domain: "example.com", path: "/app", sameSite: "strict", secure: false } });
      /** @type {any[]} */
      const sets = [];
      const session = await wide.load({ get: () => null, set: async (/** @type {any[]} */ ...given) => void sets.push(given) });
      session.destroy();
      await session.save();
      equal(sets, [["wide", "", { path: "/app", secure: false, httpOnly: true, sameSite: "strict", domain: "example.com", maxAge: 0 }]]);
    },
    "of several cookies of one name in a jar the genuine one counts": async () => {
      const cookie = await entered("ada");
      const [name = "", value = ""] = cookie.split("=");
      const none = { get: () => undefined, set: () => {} };
      for (const values of [["junk", value], [value, "junk"], [`${value};`, "", "\ud800", value], [`x; ${cookie}`]]) {
        const jar = { ...none, getAll: () => [{ name: "other", value: "x" }, ...values.map((value) => ({ name, value }))] };
        equal((await sessions.load(jar)).userId, "ada");
      }
      equal((await sessions.load({ ...none, getAll: () => [{ name: "other", value }] })).status, "new");
      const promised = /** @type {any[]} */ ([{ ...none, get: async () => value }, { ...none, getAll: async () => [] }, Promise.resolve(none), { get: 1, set: 1 }]);
      for (const jar of promised) equal((await failure(sessions.load(jar))).code, "invalid_argument");
    },
    "a jar that takes no cookie loses none: it is told with the next response": async () => {
      // As in the render of one of Next's Server Components.
      const value = (/** @type {string} */ cookie) => cookie.split("=")[1];
      const jar = (/** @type {string} */ cookie) => ({ get: () => value(cookie), set: (/** @type {any[]} */ ...given) => { throw new Error(given.join()); } });
      const cookie = await entered("ada");
      const [reading, rotating] = [await sessions.load(jar(cookie)), await sessions.load(jar(cookie))];
      reading.set("k", 1);
      equal(await reading.save(), []);
      rotating.rotate();
      for (let times = 0; times < 2; times++) {
        const error = await failure(rotating.save());
        equal([error.code, error.message.includes("Server Action"), "cause" in error], ["unsupported", true, false]);
      }
      const [told = ""] = (await rotating.commit(new Response())).headers.getSetCookie();
      const rotated = told.split(";")[0] ?? "";
      equal([(await sessions.load(rotated)).get("k"), await rotating.save()], [1, []]);
      // A cookie that is only signed anew waits for a request that may set it.
      const both = sessionsWith({ secrets: ["a newer secret of the tests, 32 bytes or more", secret] });
      const rendering = await both.load(jar(rotated));
      equal([await rendering.save(), (await rendering.commit(new Response())).headers.getSetCookie().length], [[], 1]);
    },
    "secrets are rotated and nobody is logged out": async () => {
      const newer = "a newer secret of the tests, 32 bytes or more";
      const cookie = await entered("ada");
      const session = await sessionsWith({ secrets: [newer, secret] }).load(cookie);
      const told = await session.save();
      equal([session.userId, await session.save()], ["ada", []]);
      const only = sessionsWith({ secrets: newer });
      equal([(await only.load(returned(told))).userId, (await only.load(cookie)).status], ["ada", "invalid"]);
    },
    "cookies that are not genuine open nothing": async () => {
      const cookie = await entered("ada");
      const junk = "__Host-session=" + "A".repeat(130);
      equal((await sessions.load(`${junk}; ${";".repeat(65536)}; ${cookie}`)).userId, "ada");
      equal(await statusOf(junk + "; \ud800"), "new");
      for (const forged of [cookie.slice(0, -1), `${cookie}A`, cookie.slice(0, 80) + (cookie[80] === "A" ? "B" : "A") + cookie.slice(81), junk]) equal(await statusOf(forged), "invalid");
      equal((await sessionsWith({ name: "other" }).load(cookie)).status, "invalid");
    },
    "a stored value that is not JSON is corrupt, and no error quotes it": async () => {
      const user = key("{broken}");
      const cookie = await entered(user);
      const session = await sessions.load(cookie);
      session.set("k", 1);
      const [{ handle = "" } = {}] = await sessions.list(user);
      equal(await redis.hset(`{${unique}:${handle.slice(0, 11)}}:s:${handle.slice(11)}`, { dk: "1.other private words" }), 1);
      const broken = await sessions.load(cookie);
      for (const error of [await failure((async () => broken.get("k"))()), await failure(session.save())]) {
        equal([error.code, `${error.stack}`.includes("private"), "cause" in error], ["corrupt", false, false]);
      }
      /** @type {any} */
      const ring = { toJSON: () => { throw new Error("private"); } };
      for (const call of [() => broken.set("k", ring), () => patient("{ring}").set("k", ring)]) {
        const error = await failure((async () => call())());
        equal([error.code, `${error.stack}`.includes("private"), "cause" in error], ["invalid_argument", false, false]);
      }
      const header = { headers: { "x-key": "private\nwords" } };
      const error = await failure((async () => client(header))());
      equal([error.code, `${error.stack}`.includes("private"), "cause" in error], ["invalid_config", false, false]);
    },
    "options that are null are as those that are absent, and what is none of ours is named": async () => {
      /** @type {any} */
      const none = null;
      const cache = patient("{null}");
      await cache.setMany([["a", 1]], none);
      equal(await cache.getOrFetch("b", () => 2, none), 2);
      for (const entries of [none, 1, [none], ["ab"]]) equal((await failure(cache.setMany(entries))).code, "invalid_argument");
      const user = key("{null}");
      const session = await sessions.load("");
      session.set("k", 1, none);
      session.login(user, none);
      for (const response of [none, {}]) equal((await failure(session.commit(response))).code, "invalid_argument");
      equal(session.status, "new");
      await session.save();
      equal([session.userId, session.get("k"), await cache.get("a")], [user, 1, 1]);
      equal([await sessions.revokeAll(user, { except: none }), await sessions.revokeAll(user, none)], [1, 0]);
      for (const stranger of [none, undefined, {}, env.url]) {
        for (const make of [() => new Sessions(stranger, { secrets: secret }), () => new Cache(stranger), () => new Cache(stranger, none), () => health(stranger, none)]) {
          const error = await failure((async () => make())());
          equal([error.code, error.message.includes("redis")], ["invalid_config", true]);
        }
      }
    },
    "what is too large is refused before it is sent": async () => {
      const { fetch, bodies } = counting();
      const session = await sessionsWith({ maxBytes: 100 }, client({ fetch })).load("");
      session.set("k", "x".repeat(98));
      equal((await failure(session.save())).code, "too_large");
      session.login("ada");
      equal([(await failure(session.save())).code, bodies.length], ["too_large", 0]);
      session.set("k", "x".repeat(97));
      equal((await session.save()).length, 1);
    },
    "sessions that browsers would drop, and arguments that are none, are refused": async () => {
      /** @type {any[]} */
      const bad = [
        undefined, {}, { secrets: [] }, { secrets: "short" }, { secrets: [secret, "short"] }, { secrets: secret, name: "\ud800" },
        { idle: "2h", absolute: "1h" }, { idle: 5 }, { grace: "x" }, { maxBytes: -1 }, { touchEvery: 1 },
        { cookie: { secure: false } }, { cookie: { domain: "example.com" } }, { cookie: { path: "/app" } }, { cookie: { name: "__host-x", secure: false } },
        { cookie: { name: "__Secure-x", secure: false } }, { cookie: { name: "x", sameSite: "none", secure: false } }, { cookie: { name: "x", sameSite: "Lax" } },
        { cookie: { name: "" } }, { cookie: { name: "a;b" } }, { cookie: { name: "a\r\nb" } }, { cookie: { name: "x", path: "/;a" } }, { cookie: { name: "x", domain: "a b" } }, { cookie: null },
      ];
      for (const options of bad) {
        const whole = options?.secrets || bad.indexOf(options) < 3 ? options : { secrets: secret, ...options };
        equal((await failure((async () => new Sessions(redis, whole))())).code, "invalid_config");
      }
      const local = sessionsWith({ cookie: { name: "id", secure: false } });
      const session = await local.load("");
      /** @type {(() => unknown)[]} */
      const calls = [
        () => session.login(""), () => session.login("\ud800"), () => session.set("\ud800", 1), () => session.set("k", undefined), () => session.set("k", () => 1), () => session.set("k", 1n),
        () => session.get(/** @type {any} */ (1)), () => session.login("a", { info: /** @type {any} */ ({ a: 1 }) }), () => local.load(/** @type {any} */ (null)), () => local.load(/** @type {any} */ ({})), () => local.load(/** @type {any} */ (1)),
      ];
      for (const call of calls) equal((await failure((async () => call())())).code, "invalid_argument");
      session.set("k", 1);
      const told = await session.save();
      equal([told[0]?.startsWith("id="), told[0]?.includes("Secure"), (await local.load(returned(told))).get("k")], [true, false, 1]);
    },
    "sessions fail where Redis fails, and in time": async () => {
      const cookie = await entered("ada");
      const down = sessionsWith({ timeout: "100ms" }, client({ url: env.silentUrl }));
      equal((await failure(down.load(cookie))).code, "timeout");
      equal((await failure(down.revokeAll("ada"))).code, "timeout");
      equal((await down.load("")).status, "new");
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const refusing = {
    "a wrong configuration cannot be built": async () => {
      for (const options of [undefined, {}, { url: "ftp://x", token: "t" }, { url: env.url, token: "" }, { url: env.url, token: "t", timeout: 5 }, { url: env.url, token: "t", integers: "number" }]) {
        try {
          new Redis(/** @type {any} */ (options));
        } catch (error) {
          equal(/** @type {any} */ (error).code, "invalid_config");
          continue;
        }
        throw new Error(`it was built: ${JSON.stringify(options)}`);
      }
      for (const signal of [{}, new AbortController()]) {
        try {
          redis.with({ signal: /** @type {any} */ (signal) });
        } catch (error) {
          equal(/** @type {any} */ (error).code, "invalid_config");
          continue;
        }
        throw new Error("a signal that is none was taken");
      }
      equal(await Redis.fromEnv({ KV_REST_API_URL: env.url, KV_REST_API_TOKEN: env.token }).ping(), "PONG");
      try {
        // A token of one database is never sent to another.
        Redis.fromEnv({ UPSTASH_REDIS_REST_URL: env.url, KV_REST_API_TOKEN: env.token });
      } catch (error) {
        equal(/** @type {any} */ (error).message.includes("UPSTASH_REDIS_REST_URL"), true);
      }
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const caching = {
    "a cache keeps null, 0, false and the empty string, and deletes": async () => {
      const cache = patient("values");
      const values = [null, 0, false, "", { a: [1, "é😀\ud800"] }];
      for (const [at, value] of values.entries()) {
        equal([await cache.get(`${at}`), await cache.has(`${at}`)], [undefined, false]);
        await cache.set(`${at}`, value);
        equal([await cache.get(`${at}`), await cache.has(`${at}`)], [value, true]);
      }
      equal([await cache.delete("0", "1", "none"), await cache.delete(), await cache.has("0"), await cache.has("2")], [2, 0, false, true]);
    },
    "a cache keeps bytes, byte for byte, and they are no values": async () => {
      const { fetch, bodies } = counting();
      const cache = new Cache(client({ fetch }), { name: key("bytes"), timeout: "60s" });
      const every = Uint8Array.from({ length: 256 }, (_, n) => n);
      for (const bytes of [every, new Uint8Array(), new TextEncoder().encode("ue1;j;ü")]) {
        for (let times = 0; times < 2; times++) {
          await cache.setBytes("k", bytes, { tags: ["t"] });
          equal([...((await cache.getBytes("k")) ?? [])], [...bytes]);
          equal([await cache.get("k"), await cache.has("k")], [undefined, true]);
        }
        const both = Promise.all([cache.setBytes("l", bytes), cache.getBytes("l")]);
        equal([...((await both)[1] ?? [])], [...bytes]);
        await cache.invalidateTags("t");
        equal([await cache.getBytes("k"), await cache.has("k")], [undefined, false]);
      }
      // Nobody else's: neither what was stored nor what was read may be spoilt by who writes into it.
      const own = every.slice();
      const stored = cache.setBytes("k", own);
      own.fill(7);
      await stored;
      const [one, other] = await Promise.all([cache.getBytes("k"), cache.getBytes("k")]);
      one?.fill(7);
      equal([...(other ?? [])], [...every]);
      await cache.set("k", 1);
      equal([await cache.getBytes("k"), await cache.get("k")], [undefined, 1]);
      await cache.setBytes("k", every);
      equal([await cache.getOrFetch("k", () => 2), await cache.get("k")], [2, 2]);
      const sent = bodies.length;
      await Promise.all([cache.setBytes("k", every), cache.set("l", 1)]);
      equal(bodies.length, sent + 1);
      equal((await failure(cache.setBytes("k", /** @type {any} */ ("text")))).code, "invalid_argument");
    },
    "a cache deflates what is large, where that pays, and inflates it": async () => {
      const stored = async (/** @type {string} */ name, /** @type {string} */ k) => {
        const entry = await redis.commandBytes("GET", entryOf(name, k));
        return [String.fromCharCode(entry?.[4] ?? 0), entry?.length ?? 0];
      };
      const large = deflates ? ["J", "B"] : ["j", "b"];
      const long = { text: "a long text, ".repeat(2000) };
      const bytes = new TextEncoder().encode(long.text);
      const noise = crypto.getRandomValues(new Uint8Array(2000));
      const cache = patient("deflated");
      await cache.set("j", long);
      await cache.setBytes("b", bytes, { tags: ["t"] });
      await cache.setMany(/** @type {[string, unknown][]} */ ([["m", long], ["s", 1]]));
      equal(await cache.getOrFetch("f", () => long), long);
      equal([await cache.get("j"), await cache.getMany(["m", "s"]), await cache.getOrFetch("f", () => 0)], [long, [long, 1], long]);
      equal(new TextDecoder().decode(await cache.getBytes("b")), long.text);
      for (const [k = "", codec] of [["j", large[0]], ["b", large[1]], ["m", large[0]], ["s", "j"], ["f", large[0]]]) {
        const [letter, size] = await stored("deflated", k);
        equal([k, letter, Number(size) < 500], [k, codec, deflates || k === "s"]);
      }
      // Alone, known and deflated it travels as it is stored.
      const { fetch, bodies } = counting();
      const own = new Cache(client({ fetch }), { name: key("deflated"), timeout: "60s", metrics: false });
      for (let times = 0; times < 2; times++) await own.set("j", long);
      if (env.url !== env.jsonUrl && deflates) equal([bodies.length, (bodies[1]?.length ?? 0) < 500], [2, true]);
      // What gains nothing, is small, or must not be, stays as it is.
      await cache.setBytes("noise", noise);
      equal([...((await cache.getBytes("noise")) ?? [])], [...noise]);
      const never = new Cache(redis, { name: key("never"), timeout: "60s", compressAbove: false });
      await never.set("k", long);
      const early = new Cache(redis, { name: key("early"), timeout: "60s", compressAbove: 9 });
      await early.set("k", "a".repeat(100));
      equal([await stored("deflated", "noise"), (await stored("never", "k"))[0], (await stored("early", "k"))[0]].flat().filter((part) => typeof part === "string"), ["b", "j", large[0]]);
      if (deflates) {
        // A few KB that say more than any reply of Redis holds are not inflated to their end.
        let parts = 129;
        const zeros = new ReadableStream({ pull: (controller) => (parts-- > 0 ? controller.enqueue(new Uint8Array(2 ** 20)) : controller.close()) });
        const bomb = new Uint8Array(await new Response(zeros.pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
        equal(bomb.length < 200_000, true);
        await replaced("deflated", "b", "B", bomb);
        equal([await cache.getBytes("b"), await cache.has("b")], [undefined, true]);
      }
      // What is broken is a miss.
      await redis.setrange(entryOf("deflated", "j"), 100, "\0\0\0\0");
      equal([await cache.get("j"), await cache.getOrFetch("j", () => 7)], [undefined, 7]);
    },
    "in a runtime without compression a cache stores as it is, and reads what it can": async () => {
      const cache = patient("plain");
      const deflated = Uint8Array.from(atob("eJxTSlTIyc9LVyhJrSjRURjljHJGOaOcEc5RAgDDlLac"), (character) => character.charCodeAt(0));
      const long = "a long text, ".repeat(100);
      const put = async () => {
        await cache.set("deflated", 1);
        await replaced("plain", "deflated", "J", deflated);
      };
      await put();
      // Vercel's edge inflates all the same: its entry has its own way.
      const edge = "EdgeRuntime" in globalThis;
      equal(await cache.get("deflated"), edge || deflates ? long : undefined);
      const { CompressionStream, DecompressionStream } = globalThis;
      try {
        Object.assign(globalThis, { CompressionStream: undefined, DecompressionStream: undefined });
        await cache.set("plain", long);
        equal([await cache.get("plain"), await cache.get("deflated")], [long, edge ? long : undefined]);
        equal(await cache.getOrFetch("deflated", () => "fetched"), edge ? long : "fetched");
      } finally {
        Object.assign(globalThis, { CompressionStream, DecompressionStream });
      }
      equal(await cache.get("plain"), long);
    },
    "many keys of a cache are one request, also over shards": async () => {
      for (const shards of [1, 5]) {
        const { fetch, bodies } = counting();
        const cache = new Cache(client({ fetch }), { name: key(`many${shards}`), timeout: "60s", shards });
        const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
        await cache.setMany(new Map(keys.slice(1).map((key, n) => [key, { n }])));
        // Every node of a cluster learns the script here.
        await cache.getMany(keys);
        const before = bodies.length;
        equal(await cache.getMany(keys), keys.map((_, n) => (n ? { n: n - 1 } : undefined)));
        equal(await cache.getMany([]), []);
        equal(bodies.length - before, 1);
        equal(await cache.delete(...keys), 19);
      }
    },
    "of many callers that miss at once one fetches, and the next is served": async () => {
      let calls = 0;
      const fetcher = async () => {
        calls++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { n: 1 };
      };
      const ask = () => patient("stampede").getOrFetch("k", fetcher);
      equal(await Promise.all(Array.from({ length: 50 }, ask)), Array(50).fill({ n: 1 }));
      equal([await ask(), calls], [{ n: 1 }, 1]);
      equal([await patient("stampede").getOrFetch("k", () => 2, { refresh: true }), await patient("stampede").get("k")], [2, 2]);
    },
    "a get-or-fetch travels with its tick": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const cache = new Cache(counted, { name: key("tick"), timeout: "60s" });
      await cache.getOrFetch("k", () => 1);
      const before = bodies.length;
      equal(await Promise.all([cache.getOrFetch("k", () => 2), cache.get("k"), counted.get(key("none"))]), [1, 1, null]);
      equal(bodies.length - before, 1);
    },
    "a fetcher says for how long, with which tags, and whether at all": async () => {
      const cache = patient("said");
      equal(await cache.getOrFetch("skipped", (context) => (context.skip(), 1)), 1);
      equal(await cache.getOrFetch("nothing", () => undefined), undefined);
      equal(await cache.getMany(["skipped", "nothing"]), [undefined, undefined]);
      const stored = (/** @type {string} */ name) => cache.getOrFetch(name, ({ setTtl, setTags }) => (setTtl("1d"), setTags(["t;,"]), name));
      equal([await stored("a"), await cache.get("a")], ["a", "a"]);
      const ttl = await redis.pttl(`{${key("said").replace(":", "%3A")}:0}:e:a`);
      equal(ttl > 864e5 - 6e4 && ttl <= 864e5, true);
      await cache.invalidateTags("other", "t;,");
      equal(await cache.get("a"), undefined);
      const late = await cache.getOrFetch("a", async ({ setTags }) => {
        setTags(["t;,"]);
        await cache.invalidateTags("t;,");
        return "late";
      });
      equal([late, await cache.get("a")], ["late", undefined]);
    },
    "a fetcher that throws gives its own error, and is asked again": async () => {
      const cache = patient("throws");
      const error = new Error("down");
      const thrown = await cache.getOrFetch("k", () => Promise.reject(error)).catch((thrown) => thrown);
      equal([thrown === error, await cache.getOrFetch("k", () => 1)], [true, 1]);
    },
    "what is stale is served at once and refreshed behind the answer": async () => {
      const cache = new Cache(redis, { name: key("stale"), timeout: "60s", staleWhileRevalidate: "1h", staleIfError: "1h" });
      /** @type {Promise<unknown>[]} */
      const rest = [];
      const waitUntil = (/** @type {Promise<unknown>} */ promise) => void rest.push(promise);
      await cache.set("k", 1, { tags: ["t"] });
      await cache.expireTags("t");
      equal([await cache.get("k"), await cache.getOrFetch("k", () => Promise.reject(new Error("down")))], [undefined, 1]);
      equal([await cache.getOrFetch("k", () => 2, { waitUntil }), rest.length], [1, 1]);
      await Promise.all(rest);
      equal([await cache.get("k"), await cache.getOrFetch("k", () => 3, { waitUntil }), rest.length], [2, 2, 1]);
      await cache.set("k", 4, { tags: ["t"] });
      await cache.expireTags("t");
      // Without a background the caller waits, and has the fresh one.
      equal(await cache.getOrFetch("k", () => 5), 5);
    },
    "what a cache finds is validated": async () => {
      const strict = new Cache(redis, { name: key("strict"), timeout: "60s", validate: async (value) => typeof value === "number" });
      await strict.set("k", "a text");
      equal([await strict.get("k"), await strict.getOrFetch("k", () => 1), await strict.get("k")], [undefined, 1, 1]);
    },
    "to who reads a cache a Redis that is away is a miss, within its timeout": async () => {
      const { fetch, bodies } = counting();
      for (const dead of [client({ url: env.silentUrl, fetch }), client({ token: "wrong", fetch })]) {
        // Long enough for each to be sent, however busy the machine is.
        const cache = new Cache(dead, { name: key("dead"), timeout: "250ms" });
        const before = bodies.length;
        for (let times = 0; times < 5; times++) {
          equal([await cache.get("k"), await cache.has("k"), await cache.getOrFetch("k", () => 7)], [undefined, false, 7]);
        }
        // After three failures it is not asked.
        equal(bodies.length - before, 3);
        equal(["timeout", "unauthorized"].includes((await failure(cache.delete("k"))).code), true);
      }
    },
    "a cache tells its listener what it keeps from its callers": async () => {
      /** @type {string[]} */
      const seen = [];
      const onError = (/** @type {any} */ failure) => {
        seen.push(Object.values(failure).join());
        throw new Error("the listener's own");
      };
      /** @param {object} options @param {string} name */
      const heard = (options, name) => new Cache(client({ retry: false, ...options }), { name: key(name), timeout: "60s", metrics: false, onError });
      const dead = heard({ fetch: () => Promise.reject(new TypeError("down")) }, "heard");
      equal([await dead.get("k"), await dead.getOrFetch("k", () => 1), await dead.has("k"), await dead.getBytes("k"), await dead.getOrFetch("k", () => 2)], [undefined, 1, false, undefined, 2]);
      equal(seen.splice(0), ["read,network", "lookup,network", "read,network", "read,skipped", "lookup,skipped"]);
      // Who writes is told, and nobody else.
      equal([(await failure(dead.set("k", 1))).code, seen], ["network", []]);
      let down = false;
      const failing = (/** @type {any} */ input, /** @type {any} */ init) => (down ? ((down = false), Promise.reject(new TypeError("down"))) : fetch(input, init));
      const halves = heard({ fetch: failing }, "halves");
      equal([await halves.getOrFetch("k", () => ((down = true), 1)), seen.splice(0)], [1, ["store,network"]]);
      equal([await halves.getMany(["k", "l"]), await halves.set("k", 2), await halves.getOrFetch("k", () => 3), seen], [[undefined, undefined], undefined, 2, []]);
    },
    "who aborts a get-or-fetch waits for nobody": async () => {
      const cache = patient("abort");
      const controller = new AbortController();
      const { signal } = controller;
      /** @type {AbortSignal | undefined} */
      let seen;
      const holder = cache.getOrFetch("k", (context) => ((seen = context.signal), new Promise((resolve) => setTimeout(resolve, 500, 1))), { signal });
      while (!seen) await new Promise((resolve) => setTimeout(resolve, 5));
      const waiting = failure(cache.getOrFetch("k", () => 2, { signal }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort();
      equal([(await waiting).code, seen.aborted], ["aborted", true]);
      await holder.catch(() => {});
    },
    "who aborts leaves no lease behind, be it while looking up or while fetching": async () => {
      const cache = patient("left");
      /** @type {Promise<unknown>[]} */
      const rest = [];
      const waitUntil = (/** @type {Promise<unknown>} */ promise) => void rest.push(promise);
      const looking = new AbortController();
      // Its request is done, and its answer on the way.
      let [asked, answer] = [() => {}, () => {}];
      const [asking, answering] = [new Promise((/** @type {(_?: any) => void} */ resolve) => (asked = resolve)), new Promise((/** @type {(_?: any) => void} */ resolve) => (answer = resolve))];
      const held = client({
        fetch: async (/** @type {any} */ input, /** @type {any} */ init) => {
          const response = await fetch(input, init);
          asked();
          await answering;
          return response;
        },
      });
      const slow = new Cache(held, { name: key("left"), timeout: "60s" });
      const first = failure(slow.getOrFetch("looking", () => 1, { signal: looking.signal, waitUntil }));
      await asking;
      looking.abort();
      answer();
      equal((await first).code, "aborted");
      for (const [key, options, told] of /** @type {[string, {}, string][]} */ ([["inline", {}, "cut off"], ["behind", { waitUntil }, "aborted"]])) {
        const fetching = new AbortController();
        const { signal } = fetching;
        const fetcher = () => (fetching.abort(), Promise.reject(new Error("cut off")));
        const fetched = cache.getOrFetch(key, fetcher, { signal, ...options });
        equal(await fetched.catch((error) => error.code ?? error.message), told);
      }
      await Promise.all(rest);
      // Nobody waits for the ten seconds of a lease.
      const started = Date.now();
      equal(await Promise.all(["looking", "inline", "behind"].map((key) => cache.getOrFetch(key, () => 2))), [2, 2, 2]);
      equal(Date.now() - started < 5_000, true);
    },
    "a waitUntil that throws costs nobody the value": async () => {
      const waitUntil = () => {
        throw new TypeError("Illegal invocation");
      };
      const cache = new Cache(redis, { name: key("thrown"), timeout: "60s", waitUntil });
      equal([await cache.getOrFetch("k", () => 1), await cache.get("k")], [1, 1]);
    },
    "a fetcher that asks for its own key waits for nobody longer than twice the lease": async () => {
      const cache = new Cache(redis, { name: key("itself"), timeout: "60s", lock: "200ms" });
      const started = Date.now();
      equal(await cache.getOrFetch("k", () => cache.getOrFetch("k", () => 1)), 1);
      equal([Date.now() - started < 10_000, await cache.get("k")], [true, 1]);
    },
    "a dead Redis is no reason not to ask another": async () => {
      const dead = new Cache(client({ url: env.silentUrl }), { name: key("two"), timeout: "20ms" });
      for (let times = 0; times < 5; times++) equal(await dead.getOrFetch("k", () => 1), 1);
      const cache = patient("two");
      equal([await cache.getOrFetch("k", () => 2), await cache.getOrFetch("k", () => 3)], [2, 2]);
    },
    "any number of tags is invalidated at once": async () => {
      const { fetch, bodies } = counting();
      const cache = new Cache(client({ fetch }), { name: key("many tags"), timeout: "60s" });
      await cache.invalidateTags("learnt");
      await cache.set("k", 1, { tags: ["t1499"] });
      const before = bodies.length;
      await cache.invalidateTags(...Array.from({ length: 1_500 }, (_, n) => `t${n}`));
      equal([bodies.length - before, await cache.get("k")], [1, undefined]);
    },
    "a cache counts what it answered, and its keys": async () => {
      const cache = new Cache(redis, { name: key("stats*[?"), timeout: "60s" });
      equal(await cache.stats(), { hits: 0, misses: 0, stale: 0, hitRate: 0 });
      await cache.setMany([["a", 1], ["b", 2]], { tags: ["t"] });
      equal([await cache.getMany(["a", "b", "c"]), await cache.getOrFetch("d", () => 4), await cache.has("e")], [[1, 2, undefined], 4, false]);
      await cache.expireTags("t");
      equal([await cache.getOrFetch("a", () => Promise.reject(new Error("down"))), await cache.getOrFetch("d", () => 5)], [1, 4]);
      equal(await cache.stats(), { hits: 3, misses: 2, stale: 1, hitRate: 4 / 6 });
      equal(await new Cache(redis, { name: key("stats*[?"), timeout: "1m" }).stats(), { hits: 3, misses: 2, stale: 1, hitRate: 4 / 6 });
      equal([await cache.countKeys(), await patient("stats*[!").countKeys()], [3, 0]);
    },
    "respond gives the handler's answer, stores it, and serves its bytes as they were": async () => {
      const { fetch, bodies } = counting();
      const counted = client({ fetch });
      const cache = new Cache(counted, { name: key("respond"), timeout: "60s" });
      const bytes = Uint8Array.from({ length: 70000 }, (_, n) => n * 7);
      const page = (/** @type {RequestInit} */ init = {}) => new Request("https://a.example/p", init);
      let asked = 0;
      const handler = () => (asked++, new Response(bytes, { headers: { "cache-control": "max-age=60", "content-type": "image/png", etag: '"v"' } }));
      const told = async (/** @type {Response} */ response) => [response.status, response.headers.get("content-type"), response.headers.get("cache-status"), new Uint8Array(await response.arrayBuffer()).join() === bytes.join()];
      equal(await told(await cache.respond(page(), handler)), [200, "image/png", "upstash-edge; fwd=uri-miss; stored", true]);
      equal([asked, bodies.length], [1, 2]);
      // Without a waitUntil the end of the body was the end of the store.
      const [hit, nothing] = await Promise.all([cache.respond(page(), handler), counted.get(key("none"))]);
      equal([(await told(hit)).with(2, `${hit.headers.get("cache-status")?.slice(0, 23)}`), nothing, asked, bodies.length], [[200, "image/png", "upstash-edge; hit; ttl=", true], null, 1, 3]);
      const known = await cache.respond(page({ headers: { "if-none-match": '"v"' } }), handler);
      equal([known.status, known.headers.get("etag"), known.body, asked], [304, '"v"', null, 1]);
      equal([await cache.get(page().url), await cache.has(page().url), await cache.delete(page().url), (await told(await cache.respond(page(), handler)))[2]], [undefined, false, 1, "upstash-edge; fwd=uri-miss; stored"]);
    },
    "many who ask respond for one URL ask the handler once": async () => {
      const cache = patient("collapse");
      let asked = 0;
      const handler = async () => {
        asked++;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return new Response("page", { headers: { "cache-control": "max-age=60" } });
      };
      const answers = await Promise.all(Array.from({ length: 10 }, () => cache.respond(new Request("https://a.example/"), handler)));
      const said = answers.map(({ headers }) => headers.get("cache-status")?.replace(/; ttl=.*/, "")).sort();
      equal([asked, await Promise.all(answers.map((answer) => answer.text())), said], [1, Array(10).fill("page"), [...Array(9).fill("upstash-edge; fwd=uri-miss; collapsed"), "upstash-edge; fwd=uri-miss; stored"]]);
    },
    "nobody waits for an answer that is not stored": async () => {
      const cache = patient("pass");
      const [first, ...more] = Array.from({ length: 5 }, () => new Request("https://a.example/"));
      let [asked, most] = [0, 0];
      const handler = async () => {
        most = Math.max(most, ++asked);
        await new Promise((resolve) => setTimeout(resolve, 100));
        asked--;
        return new Response("private", { headers: { "cache-control": "private" } });
      };
      await cache.respond(/** @type {Request} */ (first), handler);
      await Promise.all(more.map((request) => cache.respond(request, handler)));
      equal(most, 4);
      // Until one is.
      const storable = () => new Response("public", { headers: { "cache-control": "max-age=60" } });
      equal(await (await cache.respond(new Request("https://a.example/"), storable)).text(), "public");
      equal(await (await cache.respond(new Request("https://a.example/"), handler)).text(), "public");
    },
    "respond streams a body while it stores it": async () => {
      const cache = patient("streams");
      /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
      let source;
      /** @type {Promise<unknown>[]} */
      const rest = [];
      const waitUntil = (/** @type {Promise<unknown>} */ promise) => void rest.push(promise);
      const handler = () => new Response(new ReadableStream({ start: (controller) => void (source = controller) }), { headers: { "cache-control": "max-age=60" } });
      const response = await cache.respond(new Request("https://a.example/"), handler, { waitUntil });
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      source?.enqueue(new TextEncoder().encode("first "));
      equal(new TextDecoder().decode((await reader.read()).value), "first ");
      source?.enqueue(new TextEncoder().encode("last"));
      source?.close();
      equal([new TextDecoder().decode((await reader.read()).value), (await reader.read()).done], ["last", true]);
      await Promise.all(rest);
      equal(await (await cache.respond(new Request("https://a.example/"), () => Promise.reject(new Error("asked")))).text(), "first last");
    },
    "a body that breaks off, or is too large, is not stored": async () => {
      const cache = patient("broken");
      const headers = { "cache-control": "max-age=60" };
      /** @param {number} chunks @param {boolean} fails */
      function body(chunks, fails) {
        let sent = 0;
        return new ReadableStream({
          pull(controller) {
            if (sent++ < chunks) controller.enqueue(new Uint8Array(1000));
            else if (fails) controller.error(new Error("broken"));
            else controller.close();
          },
        });
      }
      const ask = (/** @type {() => Response} */ handler) => cache.respond(new Request("https://a.example/"), handler, { maxBytes: 4999 });
      equal(await (await ask(() => new Response(body(3, true), { headers }))).text().catch(({ message }) => message), "broken");
      equal((await (await ask(() => new Response(body(10, false), { headers }))).arrayBuffer()).byteLength, 10000);
      equal((await (await ask(() => new Response(new Uint8Array(5000), { headers: { ...headers, "content-length": "5000" } }))).arrayBuffer()).byteLength, 5000);
      equal((await (await ask(() => new Response(body(4, false), { headers }))).arrayBuffer()).byteLength, 4000);
      equal((await (await ask(() => new Response("asked"))).arrayBuffer()).byteLength, 4000);
    },
    "a handler that fails is answered by what may stand in for it, else by its own error": async () => {
      const { now } = Date;
      const cache = new Cache(redis, { name: key("stands in"), timeout: "60s", staleIfError: "1h" });
      const request = () => new Request("https://a.example/");
      const error = new Error("down");
      const fails = () => Promise.reject(error);
      equal([await cache.respond(request(), fails).catch((thrown) => thrown === error), (await failure(cache.respond(request(), /** @type {any} */ (() => "text")))).code], [true, "invalid_argument"]);
      await (await cache.respond(request(), () => new Response("page", { headers: { "cache-control": "max-age=60" } }))).text();
      try {
        Date.now = () => now.call(Date) + 100_000;
        const stale = await cache.respond(request(), fails);
        equal([stale.status, await stale.text(), stale.headers.get("cache-status")?.startsWith("upstash-edge; fwd=stale; fwd-status=500; ttl=-")], [200, "page", true]);
      } finally {
        Date.now = now;
      }
    },
    "to who responds a Redis that is away is a miss": async () => {
      const cache = new Cache(client({ url: env.silentUrl }), { name: key("away"), timeout: "50ms", lock: "60s" });
      const response = await cache.respond(new Request("https://a.example/"), () => new Response("page", { headers: { "cache-control": "max-age=60" } }));
      equal([await response.text(), response.headers.get("cache-status")], ["page", "upstash-edge; fwd=bypass; detail=unavailable"]);
    },
    "answers have tags, and keys of their own": async () => {
      const cache = patient("tagged");
      const handler = (/** @type {string} */ body) => () => new Response(body);
      const ask = async (/** @type {string} */ path, /** @type {string} */ body) => (await cache.respond(new Request(`https://a.example${path}`), handler(body), { ttl: "1h", tags: ["t"], key: "page" })).text();
      equal([await ask("/?utm=1", "a"), await ask("/?utm=2", "b")], ["a", "a"]);
      await cache.invalidateTags("t");
      equal([await ask("/?utm=3", "c"), await ask("/", "d")], ["c", "c"]);
      equal([await cache.delete("page"), await ask("/", "e")], [1, "e"]);
      await cache.set("page", "a value");
      equal([await ask("/", "f"), await cache.get("page")], ["f", undefined]);
    },
    "what is encoded goes out as it came in": async () => {
      const cache = patient("encoded");
      const text = "the same text ".repeat(100);
      const zipped = new Uint8Array(await (await fetch(`${env.originUrl}/zipped`)).arrayBuffer());
      const headers = { "cache-control": "max-age=60", "content-encoding": "gzip", etag: '"v"' };
      // What fetch brought is decoded, where it is read.
      const origin = () => fetch(`${env.originUrl}/gzip`);
      const ask = (/** @type {string} */ path, /** @type {() => Response | Promise<Response>} */ handler) => cache.respond(new Request(`https://a.example${path}`), handler);
      const never = () => Promise.reject(new Error("asked"));
      equal(await (await ask("/fetched", origin)).text(), text);
      const hit = await ask("/fetched", never);
      equal([await hit.text(), hit.headers.get("content-encoding"), hit.headers.get("etag")], [text, null, 'W/"v"']);
      // What the handler has encoded itself is not.
      const made = () => new Response(zipped, /** @type {any} */ ({ headers, encodeBody: "manual" }));
      for (const handler of [made, never]) {
        const response = await ask("/made", handler);
        equal([new Uint8Array(await response.arrayBuffer()).join() === zipped.join(), response.headers.get("content-encoding"), response.headers.get("etag")], [true, "gzip", '"v"']);
      }
    },
    "what is no answer of HTTP is passed on untouched": async () => {
      const cache = patient("odd");
      const odd = "WebSocketPair" in globalThis ? new Response(null, /** @type {any} */ ({ status: 101, webSocket: Object.values(new /** @type {any} */ (globalThis).WebSocketPair())[0] })) : Response.error();
      equal((await cache.respond(new Request("https://a.example/"), () => odd)) === odd, true);
    },
    "respond refuses what cannot be right": async () => {
      const cache = /** @type {any} */ (patient("refuses"));
      const [request, handler] = [new Request("https://a.example/"), () => new Response()];
      for (const call of [cache.respond(request), cache.respond("https://a.example/", handler), cache.respond(undefined, handler), cache.respond(request, handler, { key: 5 }), cache.respond(request, handler, { tags: [""] })]) equal((await failure(call)).code, "invalid_argument");
      for (const options of [{ ttl: 60 }, { maxBytes: -1 }, { maxBytes: "1kb" }, { waitUntil: 1 }]) equal([options, (await failure(cache.respond(request, handler, options))).code], [options, "invalid_config"]);
    },
    "a model's answers are found by the whole question, and counted in the same request": async () => {
      const { fetch, bodies } = counting();
      const prompts = new PromptCache(client({ fetch }), { name: key("prompts"), timeout: "60s" });
      const question = { model: "m", prompt: [{ role: "user", content: "Why is the sky blue? é😀" }], temperature: 0, none: undefined };
      equal(await prompts.stats(), { hits: 0, misses: 0, hitRate: 0, tokensSaved: 0 });
      equal(await prompts.get(question), undefined);
      await prompts.set(question, { text: "Rayleigh scattering. é😀" }, { tokensUsed: 42 });
      const first = await prompts.get(question);
      const before = bodies.length;
      const again = await prompts.get({ temperature: 0, prompt: [{ content: "Why is the sky blue? é😀", role: "user" }], model: "m" });
      equal([bodies.length - before, again?.data, again?.metadata.tokensUsed, again?.metadata.hits], [1, { text: "Rayleigh scattering. é😀" }, 42, 2]);
      equal([first?.metadata.hits, Math.abs(Date.parse(first?.metadata.cachedAt ?? "") - Date.now()) < 60_000], [1, true]);
      equal(await prompts.get({ ...question, max_tokens: 5 }), undefined);
      equal(await prompts.stats(), { hits: 2, misses: 2, hitRate: 0.5, tokensSaved: 84 });
      // It stands under the hash of its canonical JSON, for the crate to find.
      const canonical = '{"model":"m","prompt":[{"content":"Why is the sky blue? é😀","role":"user"}],"temperature":0}';
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical)));
      const name = btoa(String.fromCharCode(...hash)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
      const ttl = await redis.pttl(`{${key("prompts").replace(":", "%3A")}:p}:a:${name}`);
      equal(ttl > 864e5 - 6e4 && ttl <= 864e5, true);
      // With its tick, and a bypass with nobody.
      const sent = bodies.length;
      const all = await Promise.all([prompts.get(question), prompts.get(question, { bypass: true }), prompts.stats()]);
      equal([bodies.length - sent, all[0]?.metadata.hits, all[1], all[2].hits], [1, 3, undefined, 3]);
    },
    "a model's answers that are meant to vary are not kept": async () => {
      const { fetch, bodies } = counting();
      const through = client({ fetch });
      const cold = new PromptCache(through, { name: key("hot") });
      const hot = { model: "m", prompt: "p", temperature: 0.7 };
      await cold.set(hot, 1, { tokensUsed: 1 });
      equal([await cold.get(hot), bodies.length], [undefined, 0]);
      const warm = new PromptCache(through, { name: key("hot"), maxTemperature: 0.7, timeout: "60s" });
      await warm.set(hot, null, { tokensUsed: 0 });
      equal([(await warm.get(hot))?.data, await cold.get(hot)], [null, undefined]);
    },
    "a model's answers are missing where Redis is, and what is no question is refused": async () => {
      const dead = new PromptCache(client({ url: env.silentUrl }), { name: key("dead"), timeout: "50ms" });
      equal(await dead.get({ model: "m", prompt: "p" }), undefined);
      equal((await failure(dead.set({ model: "m", prompt: "p" }, 1, { tokensUsed: 1 }))).code, "timeout");
      for (const options of [{ name: 5 }, { ttl: "0s" }, { maxTemperature: -1 }, { maxTemperature: NaN }, { timeout: 50 }]) {
        let code;
        try {
          new PromptCache(redis, /** @type {any} */ (options));
        } catch (error) {
          code = /** @type {any} */ (error).code;
        }
        equal([options, code], [options, "invalid_config"]);
      }
      const prompts = /** @type {any} */ (new PromptCache(redis, { name: key("bad"), timeout: "60s" }));
      /** @type {any} */
      const cycle = { model: "m", prompt: "p" };
      cycle.cycle = cycle;
      const question = { model: "m", prompt: "p" };
      const bads = [undefined, null, "p", { model: "m" }, { prompt: "p" }, { model: "", prompt: "p" }, { ...question, temperature: "0" }, { ...question, temperature: -1 }, { ...question, seed: NaN }, { ...question, tool() {} }, { ...question, prompt: "\ud800" }, { ...question, image: new Uint8Array(2) }, cycle];
      for (const bad of bads) equal((await failure(prompts.get(bad))).code, "invalid_argument");
      for (const tokensUsed of [undefined, -1, 1.5, "1"]) equal((await failure(prompts.set(question, 1, { tokensUsed }))).code, "invalid_argument");
      equal((await failure(prompts.set(question, undefined, { tokensUsed: 1 }))).code, "invalid_argument");
    },
    "a migration reads by share, writes to both, fills in what is missing and goes back": async () => {
      const [old, cache, switches] = [new Map(), patient("moved"), { ENABLE_REDIS_CACHE: "true" }];
      const migration = new Migration(old, cache, { share: 50, compare: 100, timeout: "60s", env: switches });
      // Where they stand is the same in the crate: tests/vectors/places.json.
      const [moved, kept] = ["user:grace", "report:1"];
      old.set(moved, { n: 1 });
      old.set(kept, { n: 2 });
      equal([await migration.get(moved), await migration.get(kept)], [{ n: 1 }, { n: 2 }]);
      equal([await cache.get(moved), await cache.get(kept)], [{ n: 1 }, { n: 2 }]);
      await migration.set(moved, null);
      equal([old.get(moved), await cache.get(moved), await migration.get(moved)], [null, null, null]);
      await migration.delete(kept);
      equal([old.has(kept), (await cache.get(kept)) ?? "gone"], [false, "gone"]);
      const { reads, writes, backfills, compared, doubted } = migration.stats();
      equal([reads.old, reads.missed, reads.new, writes.both, backfills.done, compared.missing, compared.same, doubted], [1, 1, 1, 2, 2, 1, 1, 0]);
      switches.ENABLE_REDIS_CACHE = "false";
      await migration.set(moved, "old");
      equal([migration.phase, await migration.get(moved), await cache.get(moved)], ["off", "old", null]);
    },
    "a migration refuses what cannot be right, and who has no answer is asked no longer": async () => {
      const [store, dead] = [new Map([["report:2", 1]]), new Cache(client({ url: env.silentUrl }), { name: key("dead"), timeout: "60s" })];
      const migration = new Migration(store, dead, { share: 100, timeout: "50ms", env: {} });
      equal([await migration.get("report:2"), migration.stats().reads.failed], [1, 1]);
      for (const [from, to, options] of /** @type {any[]} */ ([[{}, store], [store, undefined], [store, store, { share: 101 }], [store, store, { compare: "5" }], [store, store, { timeout: 50 }], [store, store, { waitUntil: 1 }]])) {
        let code;
        try {
          new Migration(from, to, options);
        } catch (error) {
          code = /** @type {any} */ (error).code;
        }
        equal([options, code], [options, "invalid_config"]);
      }
      equal((await failure(migration.get("\ud800"))).code, "invalid_argument");
      equal((await failure(migration.set("k", /** @type {any} */ (undefined)))).code, "invalid_argument");
    },
    "a cache refuses what cannot be right": async () => {
      const bads = [{ name: 5 }, { ttl: 60 }, { ttl: "0s" }, { jitter: 2 }, { shards: 0 }, { shards: 1.5 }, { lock: true }, { earlyRefresh: -1 }, { timeout: "40d" }, { validate: 1 }, { waitUntil: {} }, { metrics: 1 }, { onError: 1 }, { compressAbove: -1 }, { compressAbove: true }, { compressAbove: "9" }];
      for (const options of bads) {
        let code;
        try {
          new Cache(redis, /** @type {any} */ (options));
        } catch (error) {
          code = /** @type {any} */ (error).code;
        }
        equal([options, code], [options, "invalid_config"]);
      }
      const cache = /** @type {any} */ (patient("bad"));
      const calls = [cache.get(5), cache.get("\ud800"), cache.getMany("ab"), cache.set("k", undefined), cache.set("k", 1n), cache.set("k", 1, { tags: [""] }), cache.getOrFetch("k"), cache.invalidateTags(7), cache.delete({})];
      for (const call of calls) equal((await failure(call)).code, "invalid_argument");
      equal((await failure(cache.set("k", 1, { ttl: 60 }))).code, "invalid_config");
    },
  };

  /** A limiter of a test that is not about time. @param {string} name @param {number} count @param {object} [options] @param {InstanceType<typeof Redis>} [through] */
  const limiterOf = (name, count, options, through = redis) =>
    new RateLimiter(through, { limits: slidingWindow(count, "60s"), name: key(name), timeout: "60s", ...options });
  /** A limiter and sessions, and what they have sent since their scripts were learnt. @param {string} name @param {number} count @param {string} cookie */
  async function counted(name, count, cookie) {
    const { fetch, bodies } = counting();
    const through = client({ fetch });
    const limiter = limiterOf(name, count, {}, through);
    const sessions = sessionsWith({}, through);
    await Promise.all([limiter.peek("nobody"), sessions.load(cookie)]);
    bodies.length = 0;
    return { redis: through, limiter, sessions, bodies };
  }
  const page = () => new Request("https://a.example/page");
  /** @param {string} cookie */
  const pageOf = (cookie) => new Request("https://a.example/page", { headers: { cookie } });

  /** @type {Record<string, () => Promise<void>>} */
  const ranking = {
    "equal scores rank by who came to them first, on boards that one request writes": async () => {
      const { fetch, bodies } = counting();
      const board = new Leaderboard(client({ fetch }), key("board {é}"), { windows: ["all", "day", "week"] });
      // Days of their own, in one week: a Monday and its Tuesday.
      const [monday, tuesday] = [Date.UTC(2099, 0, 5), Date.UTC(2099, 0, 6)];
      for (const member of ["b", "é😀", "a"]) equal(await board.add(member, 5, { at: monday }), 5);
      const before = bodies.length;
      equal(await board.increment("b", 0.5, { at: tuesday }), 5.5);
      equal(bodies.length - before, 1);
      equal(await board.increment("b", -0.5, { at: tuesday }), 5);
      equal(await board.add("a", 4, { best: true, at: tuesday }), 5);
      const members = async (/** @type {any} */ which) => (await board.top(9, which)).map(({ member, score, rank }) => `${rank} ${member} ${score}`);
      equal(await members({ at: monday }), ["1 é😀 5", "2 a 5", "3 b 5"]);
      equal(await members({ window: "week", at: monday }), ["1 é😀 5", "2 a 5", "3 b 5"]);
      equal(await members({ window: "day", at: monday }), ["1 b 5", "2 é😀 5", "3 a 5"]);
      equal(await members({ window: "day", at: tuesday }), ["1 a 4", "2 b 0"]);
      const sent = bodies.length;
      const [rank, score, count, around, none, nobody, noScore] = await Promise.all([board.rank("b"), board.score("b"), board.count(), board.around("a", 1), board.rank("c"), board.around("c", 5), board.score("c")]);
      equal([rank, score, count, around.map(({ member, rank }) => member + rank)], [3, 5, 3, ["é😀1", "a2", "b3"]]);
      equal([none, nobody, noScore], [undefined, [], undefined]);
      equal((await board.around("b", 0)).map(({ rank }) => rank), [3]);
      // The scripts that this client sent for the first time may be sent in another form.
      equal(bodies.length - sent <= 3, true);
      await board.remove("a", { at: monday });
      equal([await board.count(), await board.count({ window: "day", at: monday }), await board.count({ window: "day", at: tuesday })], [2, 2, 2]);
      // Where the crate finds it, gone a week behind the end of its day.
      const place = `{${key("board {é}").replace(/[ :{}]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)}:b}:`;
      equal(await redis.hget(`${place}all:h`, "b"), "90071992547409875");
      equal(await redis.pexpiretime(`${place}day${monday / 864e5}:z`), tuesday + 7 * 864e5);
    },
    "a score that was added is not added again when its answer was lost": async () => {
      const first = new Leaderboard(redis, key("lost board"));
      equal([await first.increment("a", 1), await first.increment("a", 1)], [1, 2]);
      const { fetch, bodies } = counting({ lost: 1, after: true });
      const board = new Leaderboard(client({ fetch }), key("lost board"));
      equal(await board.increment("a", 5), 7);
      equal([bodies.length >= 2, await first.score("a")], [true, 7]);
    },
    "what is no score, member, board or count is refused": async () => {
      const board = /** @type {any} */ (new Leaderboard(redis, key("bad board")));
      const bads = [undefined, null, "5", NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 5n];
      for (const bad of bads) for (const call of [board.add("a", bad), board.increment("a", bad)]) equal((await failure(call)).code, "invalid_argument");
      for (const bad of [undefined, 5, "", "\ud800", "x".repeat(129), "é".repeat(65)]) {
        for (const call of [board.add(bad, 1), board.remove(bad), board.rank(bad), board.score(bad), board.around(bad, 1)]) equal((await failure(call)).code, "invalid_argument");
      }
      for (const bad of [undefined, -1, 1.5, 1001, "5"]) for (const call of [board.top(bad), board.around("a", bad)]) equal((await failure(call)).code, "invalid_argument");
      for (const which of [{ window: "day" }, { window: "month" }, { at: "now" }, { at: -1 }, { at: NaN }]) equal((await failure(board.count(which))).code, "invalid_argument");
      await board.add("a", Number.MAX_SAFE_INTEGER);
      equal((await failure(board.increment("a", 1))).code, "invalid_argument");
      equal([await board.score("a"), await board.count()], [Number.MAX_SAFE_INTEGER, 1]);
      for (const options of [{ windows: [] }, { windows: ["day", "day"] }, { windows: ["month"] }, { windows: "day" }, { keep: 5 }]) {
        let code;
        try {
          new Leaderboard(redis, "a", /** @type {any} */ (options));
        } catch (error) {
          code = /** @type {any} */ (error).code;
        }
        equal([options, code], [options, "invalid_config"]);
      }
    },
  };
  const edges = {
    "a limit and a session are one request before the handler": async () => {
      const cookie = await entered("edge ada");
      const { bodies, ...parts } = await counted("edge one", 9, cookie);
      const edge = new Edge({ ...parts, by: () => "ada" });
      const answer = await edge.handle(pageOf(cookie), async (request, { session, decision }) => {
        equal(bodies.length, 1);
        return Response.json([request.url, session?.userId, decision?.remaining, decision?.source]);
      });
      equal(await answer.json(), ["https://a.example/page", "edge ada", 8, "redis"]);
      equal(bodies.length, 1);
      equal(answer.headers.get("ratelimit-policy"), '"default";q=9;w=60');
      equal(answer.headers.get("ratelimit")?.startsWith('"default";r=8;t='), true);
    },
    "a refusal is a problem, and reaches no handler; remembered it is no request": async () => {
      const cookie = await entered("edge bob");
      const { bodies, ...parts } = await counted("edge refusal", 1, cookie);
      const edge = new Edge({ ...parts, by: () => "bob" });
      let handled = 0;
      const ask = () => edge.handle(pageOf(cookie), async () => new Response(`${++handled}`));
      equal([(await ask()).status, (await ask()).status, bodies.length], [200, 429, 2]);
      const refused = await ask();
      equal([refused.status, bodies.length, handled], [429, 2, 1]);
      equal([refused.headers.get("content-type"), refused.headers.get("cache-control")], ["application/problem+json", "no-store"]);
      equal([Number(refused.headers.get("retry-after")) > 0, refused.headers.get("ratelimit")?.startsWith('"default";r=0;t=')], [true, true]);
      equal(await refused.json(), {
        type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
        title: "Request cannot be satisfied as assigned quota has been exceeded",
        status: 429,
        "violated-policies": ["default"],
      });
    },
    "what a handler changes in the session is saved before the answer, with its cookie": async () => {
      const edge = new Edge({ redis, sessions });
      const first = await edge.handle(page(), async (_, { session }) => (session?.set("n", 1), new Response("a", { headers: { "set-cookie": "own=1" } })));
      const [own, told = ""] = first.headers.getSetCookie();
      equal([own, first.headers.get("cache-control"), await first.text()], ["own=1", "private, no-store", "a"]);
      const cookie = returned([told]);
      const seen = await edge.handle(pageOf(cookie), async (_, { session }) => Response.json([session?.status, session?.get("n")]));
      equal([await seen.json(), seen.headers.getSetCookie()], [["valid", 1], []]);
      const out = await edge.handle(pageOf(cookie), async (_, { session }) => (session?.destroy(), new Response(null, { status: 204 })));
      equal([out.status, out.headers.getSetCookie()[0]?.includes("Max-Age=0"), await statusOf(cookie)], [204, true, "expired"]);
    },
    "an answer whose handler has asked the session anything is private, unless it says otherwise": async () => {
      const edge = new Edge({ redis, sessions });
      /** @param {(session: any) => unknown} see @param {string} [told] */
      const control = async (see, told) => {
        const headers = told ? { "cache-control": told } : undefined;
        const answer = await edge.handle(page(), async (_, { session }) => (await see(session), new Response("", { headers })));
        return answer.headers.get("cache-control");
      };
      equal([await control(() => {}), await control(() => {}, "max-age=9")], [null, "max-age=9"]);
      const ways = [
        (/** @type {any} */ session) => session.userId,
        (/** @type {any} */ session) => session.isNew,
        (/** @type {any} */ session) => session.status,
        (/** @type {any} */ session) => session.createdAt,
        (/** @type {any} */ session) => session.expiresAt,
        (/** @type {any} */ session) => session.get("k"),
        (/** @type {any} */ session) => session.flash("k"),
        (/** @type {any} */ session) => session.verifyCsrf("x"),
      ];
      for (const way of ways) equal(await control(way), "private, no-store");
      for (const [told, expected] of [
        ["max-age=9, s-maxage=99", "private, max-age=9, s-maxage=99"],
        ["no-store", "no-store"],
        ["Private, max-age=1", "Private, max-age=1"],
        ["public, max-age=9", "public, max-age=9"],
        ["x=public", "private, x=public"],
      ]) {
        equal(await control((session) => session.get("k"), told), expected);
      }
      equal(await control((session) => session.set("k", 1), "public, max-age=9"), "private, no-store");
    },
    "an answer whose headers cannot be changed is answered all the same": async () => {
      const edge = new Edge({ redis, limiter: limiterOf("edge immutable", 9), sessions, by: () => "a" });
      const answer = await edge.handle(page(), async (_, { session }) => (session?.set("a", 1), Response.redirect("https://a.example/next", 303)));
      equal([answer.status, answer.headers.get("location"), answer.headers.getSetCookie().length], [303, "https://a.example/next", 1]);
      equal(answer.headers.has("ratelimit"), true);
    },
    "nobody shares a quota by accident": async () => {
      /** @param {any} by */
      const of = (by) => new Edge({ redis, limiter: limiterOf("edge by", 9), by }).handle(page(), async () => new Response("ok"));
      for (const wrong of ["", undefined, null, 7, {}, { default: "" }, Promise.resolve("a")]) equal((await failure(of(() => wrong))).code, "invalid_argument");
      equal((await of(() => false)).headers.has("ratelimit"), false);
      equal((await of(() => ({ default: "a" }))).status, 200);
      const own = new Error("own");
      equal(await of(() => { throw own; }).catch((error) => error === own), true);
    },
    "by default the trusted header's address counts, a network of IPv6 as one": async () => {
      const edge = new Edge({ redis, limiter: limiterOf("edge address", 9), trustedAddressHeader: "x-address" });
      /** @param {string} address */
      const left = async (address) => {
        const answer = await edge.handle(new Request("https://a.example/", { headers: { "x-address": address } }), async (_, visit) => Response.json(visit.decision?.remaining));
        return answer.json();
      };
      equal([await left("192.0.2.1"), await left("192.0.2.1"), await left("192.0.2.2")], [8, 7, 8]);
      equal([await left("2001:db8:1:2::1"), await left("2001:DB8:1:2:ffff:0:0:9"), await left("2001:db8:1:3::1")], [8, 7, 8]);
      equal([await left("::ffff:192.0.2.7"), await left("::ffff:192.0.2.8")], [8, 8]);
      for (const none of ["", "unknown", "192.0.2.1, 192.0.2.2", "a:b"]) equal((await failure(left(none))).code, "invalid_argument");
    },
    "an edge that could not do what it says is not made": async () => {
      const limiter = limiterOf("edge wrong", 9);
      const other = client({});
      /** @type {any[]} */
      const wrong = [
        undefined,
        {},
        { redis, limiter: {} },
        { redis, sessions: limiter },
        { redis: other, limiter, by: () => "a" },
        { redis: other, sessions },
        { redis, cache: {} },
        { redis: other, cache: new Cache(redis) },
        { redis, cache: new Cache(redis), ttl: 60 },
        { redis, limiter, by: "address" },
        { redis, limiter, trustedAddressHeader: "x y" },
        { redis, sessions, onFailure: "deny" },
        { redis, sessions, saveInBackground: 1 },
      ];
      for (const options of wrong) {
        const code = await (async () => new Edge(options))().catch((error) => error.code);
        equal(code, "invalid_config");
      }
      const inWorkers = "WebSocketPair" in globalThis;
      equal(await (async () => new Edge({ redis, limiter }))().then(() => true, () => false), inWorkers);
      equal((await failure(new Edge({ redis }).handle(/** @type {any} */ ("/"), async () => new Response()))).code, "invalid_argument");
      equal((await failure(new Edge({ redis }).handle(page(), /** @type {any} */ (undefined)))).code, "invalid_argument");
    },
    "without Redis limits go by their policy, and a session is anonymous or a 503": async () => {
      const dead = client({ fetch: async () => { throw new TypeError("dead"); }, retry: false });
      const cookie = await entered("edge dead");
      /** @param {"allow" | "deny" | "local"} policy @param {"anonymous" | "refuse"} onFailure */
      const of = (policy, onFailure) =>
        new Edge({ redis: dead, limiter: limiterOf(`edge ${policy}`, 1, { onFailure: policy }, dead), sessions: sessionsWith({}, dead), by: () => "a", onFailure });
      const shown = async (/** @type {any} */ _, /** @type {any} */ { session, decision }) => Response.json([decision.source, session.status, session.userId ?? null]);
      equal(await (await of("allow", "anonymous").handle(pageOf(cookie), shown)).json(), ["failure", "new", null]);
      equal((await of("deny", "anonymous").handle(pageOf(cookie), shown)).status, 429);
      const refused = await of("allow", "refuse").handle(pageOf(cookie), shown);
      equal([refused.status, refused.headers.get("content-type"), (await refused.json()).title], [503, "application/problem+json", "Service Unavailable"]);
      // Nothing is known of the visitor's own session: no other takes its place.
      const saving = of("allow", "anonymous").handle(pageOf(cookie), async (_, { session }) => (session?.set("a", 1), new Response("ok")));
      equal((await failure(saving)).code, "network");
      equal(await statusOf(cookie), "valid");
    },
    "a change is saved behind the answer where that is asked for, and a cookie never": async () => {
      const { bodies, redis: through, sessions } = await counted("edge behind", 9, "");
      const edge = new Edge({ redis: through, sessions, saveInBackground: true });
      /** @type {Promise<unknown>[]} */
      const behind = [];
      const context = { waitUntil(/** @type {Promise<unknown>} */ promise) { equal(this === context, true); behind.push(promise); } };
      const first = await edge.handle(page(), async (_, { session }) => (session?.set("n", 1), new Response("a")), context);
      const cookie = returned(first.headers.getSetCookie());
      equal([behind.length, cookie.length > 0], [0, true]);
      const sent = bodies.length;
      await edge.handle(pageOf(cookie), async (_, { session }) => (session?.set("n", 2), new Response("b")), context);
      equal(behind.length, 1);
      await Promise.all(behind);
      equal([bodies.length - sent, (await sessions.load(cookie)).get("n")], [2, 2]);
    },
    "a stored answer is served in the trip that asks for limit and session, and needs no handler": async () => {
      const cookie = await entered("edge cached");
      const { bodies, ...parts } = await counted("edge cached", 9, cookie);
      const cache = new Cache(parts.redis, { name: key("edge cached"), timeout: "60s" });
      const edge = new Edge({ ...parts, cache, by: () => "a" });
      /** @type {Promise<unknown>[]} */
      const behind = [];
      const context = { waitUntil: (/** @type {Promise<unknown>} */ promise) => void behind.push(promise) };
      let handled = 0;
      const ask = (/** @type {HeadersInit} */ headers = {}, path = "page") =>
        edge.handle(new Request(`https://a.example/${path}`, { headers: { cookie, ...headers } }), async () => {
          const told = { "cache-control": "max-age=60", etag: '"one"' };
          return new Response(`made ${++handled}`, { headers: told });
        }, context);
      // Its scripts are learnt.
      await (await ask({}, "warm")).text();
      await Promise.all(behind);
      bodies.length = 0;
      const miss = await ask();
      equal([await miss.text(), miss.headers.get("cache-status"), miss.headers.get("cache-control")], ["made 2", "upstash-edge; fwd=uri-miss; stored", "max-age=60"]);
      await Promise.all(behind);
      equal(bodies.length, 2);
      const hit = await ask();
      equal([await hit.text(), hit.headers.get("cache-status")?.startsWith("upstash-edge; hit; ttl="), bodies.length], ["made 2", true, 3]);
      equal(hit.headers.get("ratelimit")?.startsWith('"default";r=6;t='), true);
      const known = await ask({ "if-none-match": '"one"' });
      equal([known.status, known.headers.has("ratelimit"), handled], [304, true, 2]);
    },
    "what has seen the session is stored only by its own word, and no cookie with it": async () => {
      const cache = new Cache(redis, { name: key("edge private"), timeout: "60s" });
      const edge = new Edge({ redis, sessions, cache });
      let handled = 0;
      /** @param {string} path @param {string} told */
      const ask = async (path, told) => {
        /** @type {Promise<unknown>[]} */
        const behind = [];
        const answer = await edge.handle(
          new Request(`https://a.example/${path}`),
          async (_, { session }) => (session?.set("n", 1), new Response(`made ${++handled}`, { headers: { "cache-control": told } })),
          { waitUntil: (promise) => void behind.push(promise) },
        );
        const text = await answer.text();
        await Promise.all(behind);
        return [text, answer.headers.getSetCookie().length, answer.headers.get("cache-control")];
      };
      equal([await ask("own", "max-age=60"), await ask("own", "max-age=60")], [["made 1", 1, "private, no-store"], ["made 2", 1, "private, no-store"]]);
      equal([await ask("all", "public, max-age=60"), await ask("all", "public, max-age=60")], [["made 3", 1, "private, no-store"], ["made 3", 0, "public, max-age=60"]]);
    },
    "who is refused, or cannot be served, leaves the answer to the next at once": async () => {
      const cache = new Cache(redis, { name: key("edge lease"), timeout: "60s", lock: "60s" });
      const limiter = limiterOf("edge lease", 1, { memory: false });
      const edge = new Edge({ redis, limiter, cache, by: (request) => request.headers.get("x-id") ?? "" });
      const ask = (/** @type {string} */ id, /** @type {string} */ path, /** @type {() => Promise<Response>} */ handler = async () => new Response("made")) =>
        edge.handle(new Request(`https://a.example/${path}`, { headers: { "x-id": id } }), handler);
      equal([(await ask("one", "first")).status, (await ask("one", "page")).status], [200, 429]);
      const broken = ask("two", "page", async () => { throw new Error("own"); });
      equal((await broken.catch((error) => error)).message, "own");
      // Else it would wait for a lease of a minute.
      equal(await (await ask("three", "page")).text(), "made");
    },
    "a stale answer is made anew behind itself, for a visitor of whom nothing is known": async () => {
      const cache = new Cache(redis, { name: key("edge stale"), timeout: "60s" });
      const cookie = await entered("edge stale");
      const edge = new Edge({ redis, sessions, cache });
      /** @type {Promise<unknown>[]} */
      const behind = [];
      const ask = async () => {
        const answer = await edge.handle(
          pageOf(cookie),
          async (_, { session }) => new Response(`for ${session?.userId ?? "nobody"}`, { headers: { "cache-control": "public, max-age=1, stale-while-revalidate=60" } }),
          { waitUntil: (promise) => void behind.push(promise) },
        );
        const text = await answer.text();
        await Promise.all(behind);
        return text;
      };
      equal(await ask(), "for edge stale");
      await new Promise((resolve) => setTimeout(resolve, 1100));
      equal([await ask(), await ask()], ["for edge stale", "for nobody"]);
    },
    "what a handler throws is what the caller gets": async () => {
      const own = new Error("own");
      const edge = new Edge({ redis, sessions });
      const thrown = edge.handle(page(), async (_, { session }) => { session?.set("a", 1); throw own; });
      equal(await thrown.catch((error) => error === own), true);
    },
  };

  /** @type {Record<string, () => Promise<void>>} */
  const subscriptions = {
    "messages come whole from every channel": async () => {
      /** @type {string[]} */
      const urls = [];
      /** @type {typeof fetch} */
      const counted = (input, init) => {
        urls.push(String(input));
        return fetch(input, init);
      };
      const channels = ["chat", "a/b ?é😀", "with,a comma", "two\nlines"].map(key);
      const messages = iterator(client({ fetch: counted }).subscribe([...channels, key("chat")]));
      equal(urls.length, 0);
      const first = await take(messages, 4);
      equal(first.map(({ type }) => type), Array(4).fill("subscribed"));
      equal(first.map(({ channel }) => channel).sort(), [...channels].sort());
      // One request for the comma, one for the rest.
      equal(urls.length, 2);
      for (const message of ["hello", "", "a,b,,c", "é😀", '{"a": 1}', "two\n\nlines\n", "data: x"]) {
        for (const channel of channels) {
          await redis.publish(channel, message);
          equal(await take(messages, 1), [{ type: "message", channel, message }]);
        }
      }
      await messages.return();
      for (const channel of channels) await unheard(channel);
    },
    "patterns tell the channel of each message": async () => {
      const pattern = `news:*:${unique}`;
      const messages = iterator(redis.subscribe(pattern, { patterns: true }));
      equal(await take(messages, 1), [{ type: "subscribed", channel: pattern, pattern }]);
      const channel = `news:é:${unique}`;
      await redis.publish(channel, "x,y");
      equal(await take(messages, 1), [{ type: "message", channel, pattern, message: "x,y" }]);
      await messages.return();
    },
    "a loop that is left ends its subscription, and one that waits can be ended": async () => {
      const channel = key("left");
      for await (const { type } of redis.subscribe(channel)) {
        equal(type, "subscribed");
        break;
      }
      await unheard(channel);
      const messages = iterator(redis.subscribe(channel));
      await take(messages, 1);
      const waiting = messages.next();
      equal([await messages.return(), await waiting, await messages.next()], Array(3).fill({ done: true }));
      await unheard(channel);
      const unread = iterator(redis.subscribe(channel));
      equal([await unread.return(), await unread.next()], Array(2).fill({ done: true }));
    },
    "an abort ends a subscription with aborted": async () => {
      for (const part of ["the call", "the view"]) {
        const controller = new AbortController();
        const { signal } = controller;
        const messages = iterator(part === "the call" ? redis.subscribe(key("abort"), { signal }) : redis.with({ signal }).subscribe(key("abort")));
        await take(messages, 1);
        const waiting = failure(messages.next());
        controller.abort(new Error("gone"));
        const error = await waiting;
        equal([error.code, error.cause?.message, await messages.next()], ["aborted", "gone", { done: true }]);
        await unheard(key("abort"));
      }
      const { fetch, seen } = scripted([]);
      equal((await failure(iterator(client({ fetch }).subscribe("a", { signal: AbortSignal.abort() })).next())).code, "aborted");
      equal(seen.urls.length, 0);
    },
    "a lost connection is made anew, and told": async () => {
      const { fetch, seen } = scripted(
        [...events("subscribe,a,1", "subscribe,b,2", "message,b,1"), "data: message,b,cut", null],
        503,
        events("subscribe,a,1", "subscribe,b,2", "message,a,2"),
      );
      const messages = iterator(client({ fetch }).subscribe(["a", "b"]));
      equal(await take(messages, 6), [
        { type: "subscribed", channel: "a" },
        { type: "subscribed", channel: "b" },
        { type: "message", channel: "b", message: "1" },
        { type: "reconnected", channel: "a" },
        { type: "reconnected", channel: "b" },
        { type: "message", channel: "a", message: "2" },
      ]);
      await messages.return();
      equal(seen.urls, Array(3).fill(`${env.url}/subscribe/a/b`));
      const once = iterator(client({ fetch: scripted([...events("subscribe,a,1"), null]).fetch }).subscribe("a", { reconnect: false }));
      await take(once, 1);
      equal([(await failure(once.next())).code, await once.next()], ["network", { done: true }]);
    },
    "what can never heal ends a subscription, and is not asked twice": async () => {
      const wrong = iterator(client({ token: "wrong-token" }).subscribe("a"));
      equal([(await failure(wrong.next())).code, await wrong.next()], ["unauthorized", { done: true }]);
      const endless = `data: ${"x".repeat(2 ** 20)}`;
      /** @type {[any, string][]} */
      const ends = [[403, "forbidden"], [404, "invalid_config"], [events("subscribe,other,1"), "corrupt"], [Array(20).fill(endless), "too_large"]];
      for (const [stream, code] of ends) {
        const { fetch, seen } = scripted(stream);
        equal([(await failure(iterator(client({ fetch }).subscribe("a")).next())).code, seen.urls.length, seen.open], [code, 1, 0]);
      }
    },
    "a first subscription has the client's timeout and no more": async () => {
      for (const options of [{ url: env.silentUrl }, { fetch: scripted([]).fetch }, { fetch: () => new Promise(() => {}) }]) {
        const started = Date.now();
        const { code } = await failure(iterator(client({ ...options, timeout: "300ms" }).subscribe("a")).next());
        equal([code, Date.now() - started < 2000], ["timeout", true]);
      }
      const down = { fetch: async () => { throw new TypeError("down"); } };
      equal((await failure(iterator(client({ ...down, timeout: "600ms" }).subscribe("a")).next())).code, "network");
      let asked = 0;
      const busy = async () => (asked++, new Response("", { status: 429, headers: { "retry-after": "60" } }));
      equal([(await failure(iterator(client({ fetch: busy }).subscribe("a")).next())).code, asked], ["quota_exceeded", 1]);
      // An answer that comes too late is not left open.
      const { fetch, seen } = scripted([]);
      /** @type {Promise<void> | undefined} */
      let answered;
      /** @type {typeof globalThis.fetch} */
      const late = (...args) => {
        const answer = new Promise((resolve) => setTimeout(resolve, 200)).then(() => fetch(...args));
        answered = answer.then(() => {});
        return answer;
      };
      equal((await failure(iterator(client({ fetch: late, timeout: "50ms" }).subscribe("a")).next())).code, "timeout");
      await answered?.then(() => new Promise((resolve) => setTimeout(resolve)));
      equal([seen.urls.length, seen.open], [1, 0]);
    },
    "a server that takes one channel a request is served so": async () => {
      const split = events("subscribe,a,1");
      for (const first of [404, events("subscribe,a/b,1"), split]) {
        const { fetch, seen } = scripted(first, events("subscribe,a,1", "message,a,1", "message,a,2"), events("subscribe,b,1", "message,b,1", "message,b,2"));
        const messages = iterator(client({ fetch, timeout: "300ms" }).subscribe(["a", "b"]));
        const told = await take(messages, first === split ? 7 : 6);
        if (first === split) equal(told.shift(), { type: "subscribed", channel: "a" });
        // Between its two requests messages may have been missed.
        equal(told.slice(0, 2), [{ type: first === split ? "reconnected" : "subscribed", channel: "a" }, { type: "subscribed", channel: "b" }]);
        // Each in its turn.
        equal(told.slice(2).map(({ channel, message }) => channel + message), ["a1", "b1", "a2", "b2"]);
        await messages.return();
        equal(seen.urls.map((url) => url.slice(env.url.length)), ["/subscribe/a/b", "/subscribe/a", "/subscribe/b"]);
        equal(seen.open, 0);
      }
    },
    "nothing is read faster than it is listened to, and what is slow is not late": async () => {
      const { fetch, seen } = scripted(events("subscribe,a,1", "subscribe,b,2", ...Array(50).fill("message,a,x")));
      const messages = iterator(client({ fetch, timeout: "100ms" }).subscribe(["a", "b"]));
      await take(messages, 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (let taken = 2; taken <= 52; taken++) {
        await take(messages, 1);
        equal(seen.pulled, taken);
      }
      await messages.return();
      equal([seen.urls.length, seen.open], [1, 0]);
    },
    "a subscription that cannot be is refused at once": async () => {
      /** @type {any[]} */
      const bad = [[], "", ["a", "."], "..", "a\rb", "\ud800", 5, undefined, [["a"]]];
      for (const channels of bad) {
        equal((await failure((async () => redis.subscribe(channels))())).code, "invalid_argument");
      }
      const json = iterator(client({ url: env.jsonUrl }).subscribe("a"));
      equal((await failure(json.next())).retryable, false);
    },
    "a subscription's request is told when it ends": async () => {
      /** @type {any[]} */
      const told = [];
      const { fetch } = scripted([...events("subscribe,a,1"), null], events("subscribe,a,1"));
      const onRequest = (/** @type {any} */ event) => void told.push([event.commands, event.attempt, event.bytesIn, event.error]);
      const messages = iterator(client({ fetch, onRequest }).subscribe("a"));
      await take(messages, 2);
      await messages.return();
      equal(told, [[["SUBSCRIBE"], 1, 21, "network"], [["SUBSCRIBE"], 2, 21, "aborted"]]);
    },
  };
  const parts = {
    client: { ...asking, ...refusing },
    limiter: limiting,
    cache: caching,
    sessions: visiting,
    edge: edges,
    leaderboards: ranking,
    // A server that speaks only JSON has none.
    subscriptions: env.url === env.jsonUrl ? {} : subscriptions,
    failures: failing,
  };
  const results = [];
  for (const [part, tests] of Object.entries(parts)) {
    for (const [name, test] of Object.entries(tests)) {
      const problem = await test().then(
        () => undefined,
        (error) => String(error?.stack ?? error),
      );
      results.push({ part, name, problem });
    }
  }
  return results;
}
