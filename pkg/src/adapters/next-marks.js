// What was invalidated of Next's "use cache".
//
// Whether an entry is older than an invalidation is judged by no clock, for another machine's may differ. Invalidations are
// counted in one hash; an entry is stored with the count that its process had seen when the making of it began, and is
// worth nothing once one of its tags, or of the page's soft ones, was invalidated past that.

/** @typedef {import("upstash-edge").Redis} Redis */
/** @typedef {{epoch: string, count: number}} Count */

/**
 * KEYS   the hash: `e` its epoch, drawn when it is made; `c` the count of invalidations; `f` a floor; `x:TAG` the count
 *        at which a tag was last invalidated; `s:TAG` at which it became stale, and until when, in epoch milliseconds,
 *        what has it may be served
 * ARGV   an epoch for a new hash, how many fields it may hold, until when (or '', at once), the tags; without tags it is
 *        only made
 * Reply  the epoch and the count
 * Inner  HSETNX, HGET, HINCRBY, HSET, HLEN; 2 without tags; when it holds too many, HGETALL, HSET and some HDELs
 *
 * Atomic because two invalidations must not share a count. Pruning drops the half that was invalidated longest ago and
 * raises the floor past it: of entries from before nobody knows any more.
 */
const MARK = `redis.call('HSETNX', KEYS[1], 'e', ARGV[1])
local epoch = redis.call('HGET', KEYS[1], 'e')
if #ARGV < 4 then return {epoch, tonumber(redis.call('HGET', KEYS[1], 'c') or 0)} end
local count = redis.call('HINCRBY', KEYS[1], 'c', 1)
for n = 4, #ARGV do
  if ARGV[3] == '' then redis.call('HSET', KEYS[1], 'x:' .. ARGV[n], count)
  else redis.call('HSET', KEYS[1], 's:' .. ARGV[n], count .. ' ' .. ARGV[3]) end
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[2]) then
  local all, marks = redis.call('HGETALL', KEYS[1]), {}
  for n = 1, #all, 2 do
    if string.find(all[n], ':') then marks[#marks + 1] = {all[n], tonumber(string.match(all[n + 1], '^%d+'))} end
  end
  table.sort(marks, function(a, b) return a[2] < b[2] end)
  local half = math.floor(#marks / 2)
  redis.call('HSET', KEYS[1], 'f', marks[half][2])
  for first = 1, half, 1000 do
    local drop = {}
    for n = first, math.min(half, first + 999) do drop[#drop + 1] = marks[n][1] end
    redis.call('HDEL', KEYS[1], unpack(drop))
  end
end
return {epoch, count}`;

const FIELDS = 20_000;
const SEEN = 1000;

/** Next's clock, by which entries tell when they were begun. */
export const now = () => performance.timeOrigin + performance.now();

/** What was invalidated: in Redis, and what of it this process has seen. */
export class Marks {
  #redis;
  #key;
  #script;
  /** When this process first saw each count. @type {(Count & {at: number})[]} */
  #seen = [];
  /** What Redis was not told yet: until when what has a tag may be served, or '', at once. @type {Map<string, string>} */
  #owed = new Map();

  /** @param {Redis} redis @param {string} key */
  constructor(redis, key) {
    this.#redis = redis;
    this.#key = key;
    this.#script = redis.script(MARK);
  }

  /** What is known of these tags, and of all; what is owed is sent first. @param {string[]} tags */
  async look(tags) {
    const fields = tags.flatMap((tag) => [`x:${tag}`, `s:${tag}`]);
    const [, [epoch, count, floor, ...found]] = await Promise.all([this.settle(), this.#redis.hmget(this.#key, "e", "c", "f", ...fields)]);
    const seen = epoch ? { epoch, count: Number(count) } : await this.#mark([], "");
    this.#saw(seen);
    const of = new Map(tags.map((tag, at) => [tag, { gone: Number(found[2 * at]), stale: (found[2 * at + 1] ?? "0 0").split(" ").map(Number) }]));
    return { ...seen, floor: Number(floor), of };
  }

  /** The last count that was seen before an entry was begun. @param {number} began @returns {Count | undefined} */
  before(began) {
    return this.#seen.findLast(({ at }) => at <= began);
  }

  /** @param {string[]} tags @param {string} until */
  owe(tags, until) {
    for (const tag of tags) if (this.#owed.get(tag) !== "") this.#owed.set(tag, until);
  }

  /** Tells Redis what it was not told: what fails is owed on. */
  async settle() {
    const owed = this.#owed;
    if (owed.size === 0) return;
    this.#owed = new Map();
    const told = [...new Set(owed.values())].map((until) => {
      const tags = [...owed.keys()].filter((tag) => owed.get(tag) === until);
      return this.#mark(tags, until).catch((error) => {
        this.owe(tags, until);
        throw error;
      });
    });
    for (const one of await Promise.allSettled(told)) if (one.status === "rejected") throw one.reason;
  }

  /** @param {string[]} tags @param {string} until @returns {Promise<Count>} */
  async #mark(tags, until) {
    const reply = await this.#script.run({ keys: [this.#key], args: [crypto.randomUUID(), FIELDS, until, ...tags] });
    const [epoch, count] = /** @type {[string, number]} */ (reply);
    return { epoch, count };
  }

  /** @param {Count} count */
  #saw({ epoch, count }) {
    const last = this.#seen.at(-1);
    if (last?.epoch === epoch && last.count >= count) return;
    this.#seen.push({ epoch, count, at: now() });
    if (this.#seen.length > SEEN) this.#seen.shift();
  }
}

/** What an entry is worth: nothing, all, or until another is made. @param {Count} entry @param {string[]} tags @param {Awaited<ReturnType<Marks["look"]>>} marks */
export function worth({ epoch, count }, tags, marks) {
  if (epoch !== marks.epoch || count < marks.floor) return "nothing";
  const all = tags.map((tag) => {
    const { gone = 0, stale: [since = 0, until = 0] = [] } = marks.of.get(tag) ?? {};
    return gone > count || (since > count && until <= Date.now()) ? "nothing" : since > count ? "stale" : "all";
  });
  return all.find((one) => one === "nothing") ?? all.find((one) => one === "stale") ?? "all";
}
