// How long calls took, as counts of ever wider buckets: four an octave, from a microsecond on.

const BUCKETS = 128;

/** What has been counted so far. */
export class Latency {
  #counts = new Uint32Array(BUCKETS);

  /** @param {number} ms */
  add(ms) {
    const bucket = Math.ceil(4 * Math.log2(Math.max(1, ms * 1000)));
    const at = Math.min(BUCKETS - 1, bucket);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Quantiles are the upper ends of their buckets: a fifth too much at most. */
  summary() {
    const count = this.#counts.reduce((sum, one) => sum + one, 0);
    return { count, p50Ms: this.#quantile(count * 0.5), p99Ms: this.#quantile(count * 0.99) };
  }

  /** @param {number} rank */
  #quantile(rank) {
    let seen = 0;
    const bucket = this.#counts.findIndex((count) => (seen += count) >= Math.max(1, rank));
    return bucket < 0 ? 0 : Math.round(2 ** (bucket / 4)) / 1000;
  }
}
