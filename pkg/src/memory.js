// What goes into the core and comes out of it, through its memory; the glue that is made of the core's names and types
// (scripts/glue.mjs) calls these.

import { instantiate, unstarted } from "./instance.js";

/** @typedef {{buffer: ArrayBuffer}} Memory */
/** @typedef {[pointer: number, length: number]} Slice what a function of the core returns, 0 for nothing */

/** @type {any} the functions of the core, by its own short names */
export let core = unstarted;

/** How many elements what was last put in has. */
export let length = 0;

/** @type {Memory} */
let memory;
/** @type {(size: number, align: number) => number} */
let allocate;
/** @type {(pointer: number, size: number, align: number) => void} */
let free;

/** @type {Uint8Array<ArrayBuffer> | undefined} */
let view;
/** Of the core's memory, which is another when it has grown. */
const bytes = () => (view?.length ? view : (view = new Uint8Array(memory.buffer)));

/** The same by fours. @type {Uint32Array<ArrayBuffer> | undefined} */
let wide;

const encoder = new TextEncoder();

// Safari's reads 2 GiB and then no more.
const MOST_DECODED = 2_146_435_072;
const newDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
let decoder = newDecoder();
let decoded = 0;

/**
 * @param {WebAssembly.Module | BufferSource} module
 * @param {(exports: any) => [Memory, typeof allocate, typeof free, numberFrom: (instances: number) => void]} parts
 * @param {string} fill the name of the import that fills bytes with randomness
 * @param {string} refuse that of the import that is called when there is no memory left
 */
export function begin(module, parts, fill, refuse) {
  if (core !== unstarted) return;
  const imports = {
    /** Whether it could: outside a request Workers have none. @param {number} pointer @param {number} size */
    [fill](pointer, size) {
      try {
        crypto.getRandomValues(bytes().subarray(pointer >>> 0, (pointer >>> 0) + size));
        return 1;
      } catch {
        return 0;
      }
    },
    [refuse]() {
      throw new RangeError("out of memory");
    },
  };
  instantiate(module, { a: imports }, (exports, instances) => {
    core = exports;
    view = wide = undefined;
    /** @type {(instances: number) => void} */
    let numberFrom;
    [memory, allocate, free, numberFrom] = parts(exports);
    numberFrom(instances);
  });
}

/** @param {Uint8Array | Uint32Array} values */
export function put(values) {
  const { BYTES_PER_ELEMENT: size, byteLength } = values;
  const pointer = allocate(byteLength, size) >>> 0;
  bytes().set(size === 1 ? values : new Uint8Array(values.buffer, values.byteOffset, byteLength), pointer);
  length = values.length;
  return pointer;
}

/** @param {string} text */
export function text(text) {
  length = text.length;
  // What has no length may lie anywhere.
  if (length === 0) return 1;
  const pointer = allocate(length, 1) >>> 0;
  const to = bytes();
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) {
      free(pointer, length, 1);
      return put(encoder.encode(text));
    }
    to[pointer + at] = code;
  }
  return pointer;
}

/** @param {Slice} slice */
export function takenText(slice) {
  // Not taken apart in the parameter, here and below: that would iterate.
  const size = slice[1];
  let pointer = slice[0];
  if (!pointer) return;
  decoded += size;
  if (decoded > MOST_DECODED) {
    decoder = newDecoder();
    decoded = size;
  }
  pointer >>>= 0;
  const text = decoder.decode(bytes().subarray(pointer, pointer + size));
  free(pointer, size, 1);
  return text;
}

/** @param {Slice} slice */
export function takenBytes(slice) {
  const size = slice[1];
  let pointer = slice[0];
  if (!pointer) return;
  pointer >>>= 0;
  const copy = bytes().slice(pointer, pointer + size);
  free(pointer, size, 1);
  return copy;
}

/** @param {Slice} slice @returns {Uint32Array | number[]} */
export function takenNumbers(slice) {
  const [pointer, count] = [slice[0] >>> 0, slice[1]];
  if (!wide?.length) wide = new Uint32Array(memory.buffer);
  const first = pointer / 4;
  /** @type {Uint32Array | number[]} */
  let copy;
  // Of a few numbers an array is made sooner than a buffer.
  if (count > 64) copy = wide.slice(first, first + count);
  else {
    copy = [];
    for (let at = first; at < first + count; at++) copy.push(/** @type {number} */ (wide[at]));
  }
  free(pointer, count * 4, 4);
  return copy;
}
