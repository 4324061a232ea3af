// Redis's commands as methods: what each takes, and how its reply is shaped. No I/O.

import { EdgeError } from "./error.js";
import { parsed, written } from "./json.js";

/** @typedef {string | number | bigint | Uint8Array} Word */
/** @typedef {(reply: any) => any} Shape */
/** @typedef {(arg: any) => any[] | false} Read what an argument is in words; `false` when it is of another kind */

// Commands by their parameters, one letter each:
//   v  a value                     V  values, all that follow      ?  what follows may be left out
//   a  an array of values          n  the same, after its length   G  a value, after GROUP
//   o  an object of options        O  the same, before members     S  the same, with GET before each of its items
//   q  objects of options, all that follow                         R  an object, after the number of its fields
//   m  {score, member}   g  {longitude, latitude, member}   j  {key, path, value}: all that follow
// Written after all of these, wherever they stand:
//   w  a value                     r  an object: fields and values
//   f  FIELDS and an array         F  FIELDS and an object         i  IDS and an array
//   s  STREAMS and an object, its keys first
// Options may be left out. How many values V must have is for Redis to say. After a colon: the reply's shape.
// `|` parts the words of a name; the method is the name in camel case: json.get is jsonGet, config|get is configGet.
const TABLE = `?V acl|list acl|load acl|save acl|users acl|whoami command|count command|docs command|info
 config|resetstat config|rewrite dbsize function|kill info lastsave latency|doctor latency|histogram latency|latest
 latency|reset memory|doctor memory|malloc-stats memory|purge pubsub|numpat randomkey role script|kill slowlog|len
 slowlog|reset time
?V:b function|dump
?V:p function|stats memory|stats pubsub|numsub pubsub|shardnumsub
?v acl|cat acl|genpass ping pubsub|channels pubsub|shardchannels slowlog|get
?v:r acl|log
Gvso xreadgroup
Ro msetex
V acl|deluser acl|dryrun acl|resttoken acl|setuser append bitop command|getkeys command|getkeysandflags decr decrby
 del digest echo exists expiretime function|delete geohash geopos get getbit getdel getrange getset hdel hexists hget
 hincrby hincrbyfloat hkeys hlen hmget hsetnx hstrlen hvals incr incrby incrbyfloat json.arrappend json.arrinsert
 json.arrtrim json.debug|memory json.merge json.numincrby json.nummultby json.strappend keys latency|graph
 latency|history lindex linsert llen lmove lpush lpushx lrange lrem lset ltrim mget object|encoding object|freq
 object|idletime object|refcount persist pexpiretime pfadd pfcount pfmerge psetex pttl publish rename renamenx
 rpoplpush rpush rpushx sadd scard script|exists script|load sdiff sdiffstore setbit setex setnx setrange sinter
 sinterstore sismember smembers smismember smove spublish srem strlen substr sunion sunionstore touch ttl type unlink
 xack xdel xgroup|createconsumer xgroup|delconsumer xgroup|destroy xlen zcard zcount zincrby zlexcount zmscore zrem
 zremrangebylex zremrangebyrank zremrangebyscore zscore
V:b dump
V:p acl|getuser config|get hgetall
V:r xinfo|consumers xinfo|groups
aV json.mget
j json.mset
no sintercard zdiff zinter zintercard zunion
nvo lmpop zmpop
o command|list flushall flushdb function|flush lolwut script|flush
o:r function|list
r config|set mset msetnx
so xread
v?v:s zpopmax zpopmin
v?vo hrandfield zrandmember
v?vo:p xinfo|stream
v?vvv bitcount json.arrlen json.arrpop json.clear json.del json.forget json.objkeys json.objlen json.resp json.strlen
 json.toggle json.type lpop rpop spop srandmember
vFo hsetex
vO?V json.get
vOg geoadd
vOm zadd
vS sort sort_ro
vfo hexpiretime hgetdel hgetex hpersist hpexpiretime hpttl httl
vio xdelex
vn?a eval eval_ro evalsha evalsha_ro fcall fcall_ro
vno zdiffstore zinterstore zunionstore
vo delex function|restore geosearch getex memory|usage xtrim
vq bitfield bitfield_ro
vr hmset hset
vv?vvv bitpos
vv?wwwwo xpending
vvfo hexpire hexpireat hpexpire hpexpireat
vvio xackdel
vvo copy expire expireat geosearchstore hscan lcs lpos pexpire pexpireat set sscan xsetid zrank zrevrank zscan
vvv?vv geodist json.arrindex
vvvo json.set restore xgroup|create xgroup|setid xrange xrevrange zrange zrangebylex zrangebyscore zrevrange
 zrevrangebylex zrevrangebyscore
vvvvao xclaim
vvvvo georadiusbymember georadiusbymember_ro zrangestore
vvvvvo georadius georadius_ro xautoclaim
vwro xadd
wo function|load`;

/** What a value is, whatever realm it comes from. @param {unknown} value */
export const kind = (value) => Object.prototype.toString.call(value);

/** @param {any} value */
export const isText = (value) => typeof value === "string" && value.isWellFormed();

/** @param {unknown} value */
export const isBytes = (value) => kind(value) === "[object Uint8Array]";

/** @param {any} value */
export const isWord = (value) => isText(value) || Number.isFinite(value) || typeof value === "bigint" || isBytes(value);

/** @param {any} value */
const isObject = (value) => kind(value) === "[object Object]";

/**
 * Throws the name of an option that is none.
 * @param {any} arg @param {string} [repeated] the option whose word stands before each of its items
 * @returns {any[] | false}
 */
const options = (arg, repeated) => {
  if (!isObject(arg)) return false;
  const words = [];
  for (const [name, value] of Object.entries(arg)) {
    // A record in place of options would put its fields' names into the command, or into an error.
    if (!/^\w+$/.test(name)) throw 0;
    if (value === undefined || value === false) continue;
    const word = name.toUpperCase();
    if (word !== repeated || value === true) words.push(word);
    if (value === true) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isWord(item)) throw `option ${name}`;
      if (word === repeated) words.push(word);
      words.push(item);
    }
  }
  return words;
};

/** @param {...string} first @returns {Read} */
const list = (...first) => (arg) => Array.isArray(arg) && [...first, arg.length, ...arg];

/** @param {...string} first @returns {Read} */
const record = (...first) => (arg) =>
  isObject(arg) && [...first, Object.keys(arg).length, ...Object.entries(arg).flat()];

/** @param {...string} names @returns {Read} */
const pick = (...names) => (arg) => isObject(arg) && names.map((name) => arg[name]);

/** @type {Record<string, Read>} */
const READ = {
  G: (arg) => ["GROUP", arg],
  a: (arg) => Array.isArray(arg) && arg,
  n: list(),
  f: list("FIELDS"),
  i: list("IDS"),
  r: (arg) => isObject(arg) && Object.entries(arg).flat(),
  R: record(),
  F: record("FIELDS"),
  s: (arg) => isObject(arg) && ["STREAMS", ...Object.keys(arg), ...Object.values(arg)],
  o: options,
  O: options,
  q: options,
  S: (arg) => options(arg, "GET"),
  x: (arg) => (isObject(arg) ? options(arg) : [arg]),
  m: pick("score", "member"),
  g: pick("longitude", "latitude", "member"),
  j: pick("key", "path", "value"),
};

/**
 * A flat list in twos. What is no list (nil) stays as it is.
 * @param {any} flat @param {(first: any, second: any) => any} make @returns {any}
 */
const twos = (flat, make) =>
  Array.isArray(flat) ? flat.flatMap((item, i) => (i % 2 ? [make(flat[i - 1], item)] : [])) : flat;

/** @type {Shape} */
const pairs = (reply) => {
  const entries = twos(reply, (name, item) => [name, item]);
  // It defines what an assignment to `__proto__` would set.
  return entries && Object.fromEntries(entries);
};

/** @type {Shape} */
export const scored = (reply) =>
  twos(reply, (member, score) => ({ member, score: Number(`${score}`.replace("inf", "Infinity")) }));

/** @type {Shape} */
export const valued = (reply) => twos(reply, (field, value) => ({ field, value }));

/** The shape of a reply that is wanted as bytes: the client knows it by identity, and decodes no text. @type {Shape} */
export const bytes = (reply) => reply;

/** @type {Record<string, Shape>} */
const SHAPES = {
  b: bytes,
  p: pairs,
  r: (reply) => (Array.isArray(reply) ? reply.map(pairs) : reply),
  s: scored,
  // By an option:
  idx: pairs,
  withscores: scored,
  withvalues: valued,
};
const OPTIONS = Object.keys(SHAPES);

/**
 * @param {string} command its words; or nothing, and the arguments begin with them
 * @param {string} parameters as in the table @param {any[]} args
 * @returns {Word[] | EdgeError}
 */
function write(command, parameters, args) {
  /** @type {Word[]} */
  const words = command ? command.split(" ") : [];
  /** @type {Word[]} */
  const last = [];
  let at = 0;
  let optional = false;
  try {
    for (const letter of parameters) {
      const arg = args[at];
      const isMany = "Vxqmgj".includes(letter);
      if (letter === "?") optional = true;
      else if (arg === undefined && ("oOS".includes(letter) || (optional && !(isMany && at < args.length)))) {
        // Only options may follow what is left out.
        if (args.slice(++at).some(isWord) && optional) throw 0;
      } else if (letter !== "O" || (isObject(arg) && !("member" in arg)))
        do {
          const given = args[at++];
          const items = READ[letter] ? READ[letter](given) : [given];
          if (!items) throw 0;
          for (const item of items) {
            if (!isWord(item)) throw 0;
            ("wrfFis".includes(letter) ? last : words).push(item);
          }
        } while (isMany && at < args.length);
    }
    if (at++ < args.length) throw 0;
    return words.concat(last);
  } catch (what) {
    // What may be thrown besides is a getter's business.
    const name = typeof what === "string" ? what : `argument ${at}`;
    const message = `${command || "command"}: ${name} is missing, of another type, not finite or not well-formed`;
    return new EdgeError("invalid_argument", message);
  }
}

/**
 * The words of any command: objects among the arguments are options.
 * @param {any[]} args the command's name first
 */
export const flatten = (args) => write("", "v?x", args);

/**
 * Defines a method for each command. It hands over its words, or what is wrong with its arguments, and throws nothing.
 * @template {object} T
 * @param {T} prototype @param {(self: T, words: Word[] | EdgeError, shape?: Shape) => any} call
 */
export function install(prototype, call) {
  /** @type {Record<string, Function>} */
  const methods = {};
  for (const line of TABLE.split(/\n(?! )/)) {
    const [key = "", ...names] = line.split(/\s+/);
    const [parameters = "", shape = ""] = key.split(":");
    for (const name of names) {
      const command = name.toUpperCase().replace("|", " ");
      methods[name.replace(/[^a-z](.)/g, (_, letter) => letter.toUpperCase())] =
        /** @this {T} @param {any[]} args */
        function (...args) {
          // Read after the words, for there a getter that throws is told as a bad argument.
          const words = write(command, parameters, args);
          const last = !(words instanceof EdgeError) && args.at(-1);
          const option = typeof last === "object" && OPTIONS.find((word) => last?.[word] === true);
          return call(this, words, SHAPES[option || shape]);
        };
    }
  }
  /** @this {T} @param {any[]} args */
  methods.getJson = function (...args) {
    return call(this, write("GET", "v", args), parsed);
  };
  /** @this {T} @param {any} key @param {unknown} value @param {any[]} options */
  methods.setJson = function (key, value, ...options) {
    return call(this, write("SET", "vvo", [key, written(value), ...options]));
  };
  Object.assign(prototype, methods);
}
