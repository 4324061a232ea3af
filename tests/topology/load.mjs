// A write load that knows, when it has ended, what became of every write.

/** @typedef {import("../../pkg/index.js").Redis} Redis */

/**
 * What became of the writes.
 * @typedef {object} Told
 * @property {number} acknowledged calls that were answered
 * @property {Record<string, number>} errors how many calls were rejected, by code and the error's first words
 * @property {number} recoveryMs the longest time without an answer on the disturbed master: last before, first after
 * @property {number} lost acknowledged writes that are not there
 * @property {number} lostLater those of them that were made after the new master was known
 * @property {number} done writes that are there though their call was rejected
 * @property {number} doubled writes that were done more than once
 * @property {number} wrong answers that nobody's writes explain, and values that nobody wrote
 */

/** One caller, who waits for each answer before the next call. */
class Writer {
  acknowledged = 0;
  rejected = 0;
  lost = 0;
  lostLater = 0;
  done = 0;
  doubled = 0;
  wrong = 0;
  /** When each answer came. @type {number[]} */
  times = [];
  /** @type {Record<string, number>} */
  errors = {};
  running = true;

  /** @param {Redis} redis @param {string} key the start of its keys, one slot */
  constructor(redis, key) {
    this.redis = redis;
    this.key = key;
    this.ended = this.run();
  }

  /** @param {number} n @returns {Promise<void>} its nth write */
  async write(n) {
    throw new Error(`nothing writes ${n}`);
  }

  async run() {
    for (let n = 1; this.running; n++) {
      try {
        await this.write(n);
        this.acknowledged += 1;
        this.times.push(performance.now());
      } catch (error) {
        const { code, message } = /** @type {import("../../pkg/index.js").EdgeError} */ (error);
        const kind = `${code}: ${message.split(" ").slice(0, 6).join(" ")}`;
        this.errors[kind] = (this.errors[kind] ?? 0) + 1;
        this.rejected += 1;
      }
    }
  }

  /** Looks at what is there. @param {Redis} reader @returns {Promise<void>} */
  async settle(reader) {
    throw new Error(`nothing looks with ${reader}`);
  }
}

/** INCR: each answer must follow from the one before. */
class Counter extends Writer {
  last = 0;
  unknown = 0;

  async write() {
    try {
      this.follow(Number(await this.redis.incr(this.key)));
    } catch (error) {
      this.unknown += 1;
      throw error;
    }
  }

  /** @param {number} value */
  follow(value) {
    // A master that had not heard of the last ones went on from where it was.
    if (value <= this.last) this.lost += this.last + 1 - value;
    const most = this.last + 1 + this.unknown;
    if (value > most) this.doubled += value - most;
    [this.last, this.unknown] = [value, 0];
  }

  /** @param {Redis} reader */
  async settle(reader) {
    const value = Number(await reader.get(this.key));
    if (value < this.last) this.lost += this.last - value;
    if (value > this.last + this.unknown) this.doubled += value - this.last - this.unknown;
    if (value > this.acknowledged + this.rejected) this.wrong += 1;
  }
}

/** A transaction that counts and leaves a mark: as many marks as counted, or one was done twice. */
class Marker extends Writer {
  /** @type {Set<number>} */
  marks = new Set();
  calls = 0;
  callsBefore = 0;

  /** @param {number} n */
  async write(n) {
    this.calls = n;
    const [count, set] = await this.redis.multi().incr(this.key).set(`${this.key}:${n}`, `${n}`).exec();
    this.marks.add(n);
    if (Number(count) > n || set !== "OK") this.wrong += 1;
  }

  /** @param {Redis} reader */
  async settle(reader) {
    let found = 0;
    for (let from = 1; from <= this.calls; from += 500) {
      const numbers = Array.from({ length: Math.min(500, this.calls - from + 1) }, (_, n) => from + n);
      const values = await reader.mget(...numbers.map((n) => `${this.key}:${n}`));
      for (const [index, n] of numbers.entries()) {
        const value = values[index];
        const acknowledged = this.marks.has(n);
        if (value === `${n}`) {
          found += 1;
          if (!acknowledged) this.done += 1;
        } else if (value !== null) {
          this.wrong += 1;
        } else if (acknowledged) {
          this.lost += 1;
          if (n > this.callsBefore) this.lostLater += 1;
        }
      }
    }
    this.doubled += Math.max(0, Number(await reader.get(this.key)) - found);
  }
}

/** Writers under way, some on the master that is to be disturbed, one on each of the others. */
export class Load {
  /** @param {Redis} redis @param {string} name @param {string[]} keys the first is a key of the master to be disturbed */
  constructor(redis, name, [disturbed = "", ...others]) {
    const key = /** @param {string} tag @param {number} n */ (tag, n) => `{${tag}}${name}-${n}`;
    this.near = [0, 1, 2, 3].flatMap((n) => [new Counter(redis, key(disturbed, n)), new Marker(redis, key(disturbed, n + 4))]);
    this.far = others.flatMap((other) => [new Counter(redis, key(other, 0)), new Marker(redis, key(other, 1))]);
    this.all = [...this.near, ...this.far];
  }

  /** Until every writer has been answered so many times more. @param {number} times */
  async answered(times) {
    const wanted = this.all.map((writer) => writer.acknowledged + times);
    const limit = Date.now() + 60_000;
    while (this.all.some((writer, n) => writer.acknowledged < (wanted[n] ?? 0))) {
      if (Date.now() > limit) throw new Error(`not answered within a minute: ${JSON.stringify(this.errors())}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Calls answered so far on the master that is to be disturbed. */
  acknowledged() {
    return this.near.reduce((total, writer) => total + writer.acknowledged, 0);
  }

  errors() {
    /** @type {Record<string, number>} */
    const errors = {};
    for (const writer of this.all) {
      for (const [kind, count] of Object.entries(writer.errors)) errors[kind] = (errors[kind] ?? 0) + count;
    }
    return errors;
  }

  /** What is written from now on is not to be lost. */
  recovered() {
    for (const writer of this.all) if (writer instanceof Marker) writer.callsBefore = writer.calls;
  }

  /** Ends the load and reads back by a client that knows only what is now. @param {Redis} reader @returns {Promise<Told>} */
  async end(reader) {
    for (const writer of this.all) writer.running = false;
    await Promise.all(this.all.map((writer) => writer.ended));
    for (const writer of this.all) await writer.settle(reader);
    const times = this.near.flatMap((writer) => writer.times).sort((a, b) => a - b);
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    const sum = /** @param {"acknowledged" | "lost" | "lostLater" | "done" | "doubled" | "wrong"} what */ (what) =>
      this.all.reduce((total, writer) => total + writer[what], 0);
    return {
      acknowledged: sum("acknowledged"),
      errors: this.errors(),
      recoveryMs: Math.round(Math.max(...gaps)),
      lost: sum("lost"),
      lostLater: sum("lostLater"),
      done: sum("done"),
      doubled: sum("doubled"),
      wrong: sum("wrong"),
    };
  }
}
