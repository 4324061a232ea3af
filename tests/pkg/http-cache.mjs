// `respond` by RFC 9111, case by case: tests/vectors/http-cache.json, which the crate's own tests run too.
//
// A case is a sequence of requests (`ask`), each `later` milliseconds after the one before. `answer` is the handler's;
// without one it must not be called. `asked` are fields that it must be asked with (null: without). `get` is what the client
// must get; `says` is what Cache-Status must say, ours without its name.

const ORIGIN = "https://a.example";

/** @typedef {{method?: string, headers?: Record<string, string>, url?: string}} Ask */
/** @typedef {{status: number, headers: Record<string, string>, body: string}} Answer */
/** @typedef {{status: number, body: string, says?: string, headers?: Record<string, string | null>}} Get */
/** @typedef {{ask?: Ask, later?: number, answer?: Answer, asked?: Record<string, string | null>, get: Get}} Step */
/** @typedef {{name: string, options?: object, cache?: object, steps: Step[]}} Case */

/** @param {number} status @param {string} body */
const bodyOf = (status, body) => ([204, 205, 304].includes(status) || body === "" ? null : body);

/**
 * @param {typeof import("../../pkg/index.js")} edge
 * @param {{url: string, token: string}} env
 * @param {Case[]} cases
 * @returns {Promise<{name: string, problem?: string}[]>}
 */
export async function httpCache({ Cache, Redis }, { url, token }, cases) {
  const redis = new Redis({ url, token });
  const { now } = Date;
  const unique = crypto.randomUUID();

  /** @param {Case} one @param {number} at */
  async function run({ options, cache: windows, steps }, at) {
    const cache = new Cache(redis, { name: `${unique}:${at}`, timeout: "60s", ...windows });
    const started = now.call(Date);
    let later = 0;
    for (const [n, { ask = {}, later: ms = 0, answer, asked = {}, get }] of steps.entries()) {
      const check = (/** @type {string} */ what, /** @type {unknown} */ actual, /** @type {unknown} */ expected) => {
        if (actual !== expected) throw new Error(`step ${n + 1}: ${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
      };
      later += ms;
      Date.now = () => started + later;
      /** @type {Promise<unknown>[]} */
      const rest = [];
      /** @type {Request | undefined} */
      let seen;
      const handler = async (/** @type {Request} */ request) => {
        seen = request;
        const { status, headers, body } = answer ?? { status: 500, headers: {}, body: "never" };
        return new Response(bodyOf(status, body), { status, headers });
      };
      const { method = "GET", headers = {}, url = "/a" } = ask;
      const request = new Request(ORIGIN + url, { method, headers });
      const response = await cache.respond(request, handler, { waitUntil: (promise) => void rest.push(promise), ...options });
      const body = await response.text();
      await Promise.all(rest);
      check("whether the handler was asked", Boolean(seen), Boolean(answer));
      for (const [name, value] of Object.entries(asked)) check(`the handler's ${name}`, seen?.headers.get(name), value);
      check("the status", response.status, get.status);
      check("the body", body, get.body);
      for (const [name, value] of Object.entries(get.headers ?? {})) {
        if (value === "*") check(`whether there is a ${name}`, response.headers.has(name), true);
        else check(name, response.headers.get(name), value);
      }
      const said = response.headers.get("cache-status")?.replace("upstash-edge; ", "");
      const expected = get.says?.replace("upstash-edge; ", "");
      check("Cache-Status", expected?.endsWith("hit") ? said?.replace(/; ttl=\d+$/, "") : said, expected);
    }
  }

  const results = [];
  for (const [at, one] of cases.entries()) {
    try {
      await run(one, at);
      results.push({ name: one.name });
    } catch (error) {
      results.push({ name: one.name, problem: String(/** @type {Error} */ (error).stack) });
    } finally {
      Date.now = now;
    }
  }
  return results;
}
