// Reads what the core says of an answer: see src/js/tape.rs.

import * as core from "#core";
import { EdgeError } from "./error.js";

const NIL = 0;
const TEXT = 1;
const INTEGER = 2;
const ERROR = 3;
export const FAILED = 0xffffffff;
export const OP = 0xfffffffe;

// A byte order mark is part of the value, if it is there.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** An error as the core writes it: `code: message`. @param {string} text @param {unknown} [cause] */
export function told(text, cause) {
  const colon = text.indexOf(": ");
  return new EdgeError(/** @type {any} */ (text.slice(0, colon)), text.slice(colon + 2), cause);
}

/** A reader of one tape. */
export class Tape {
  /** @param {Uint32Array | number[]} numbers */
  constructor(numbers) {
    this.numbers = numbers;
    this.at = 0;
  }

  get done() {
    return this.at >= this.numbers.length;
  }

  /** @returns {number} */
  next() {
    return /** @type {number} */ (this.numbers[this.at++]);
  }

  /**
   * The next value.
   * @param {Uint8Array} answer the bytes it points into
   * @param {boolean} raw byte for byte, instead of text
   * @param {boolean} bigints integers past 2^53 as BigInt, instead of text
   * @returns {unknown}
   */
  value(answer, raw, bigints) {
    const kind = this.next();
    if (kind === NIL) return null;
    const first = this.next();
    if (kind === TEXT) {
      const end = this.next();
      // A copy (a Buffer's slice is none): a view would keep the whole answer alive, and let one caller write into another's.
      return raw ? new Uint8Array(answer.subarray(first, end)) : text(answer, first, end);
    }
    if (kind === INTEGER) return integer(first, this.next(), bigints);
    if (kind === ERROR) return told(core.describe(answer.subarray(first, this.next())));
    const entries = new Array(first);
    for (let n = 0; n < first; n++) entries[n] = this.value(answer, raw, bigints);
    return entries;
  }
}

/** So much ASCII is put together sooner than the runtime's decoder is called. */
const SHORT = 32;

/** @param {Uint8Array} bytes @param {number} first @param {number} end */
function text(bytes, first, end) {
  let text = "";
  if (end - first <= SHORT) {
    for (let at = first; at < end; at++) {
      const code = /** @type {number} */ (bytes[at]);
      if (code > 127) break;
      text += String.fromCharCode(code);
    }
    if (text.length === end - first) return text;
  }
  return decoder.decode(bytes.subarray(first, end));
}

/**
 * A number where it is exact.
 * @param {number} low @param {number} high @param {boolean} bigints
 */
function integer(low, high, bigints) {
  const number = (high | 0) * 0x100000000 + low;
  if (Number.isSafeInteger(number)) return number;
  const big = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  return bigints ? big : big.toString();
}
