/*! fflate, MIT License, Copyright (c) 2023 Arjun Barrett */
// Inflates in JavaScript, as `#inflate` of the runtimes without DecompressionStream.

import { Unzlib } from "fflate";

/** So much at once, for a few KB can become megabytes before their size is seen. */
const PIECE = 16384;

/**
 * What was deflated, in zlib's format; `undefined` when it would be larger than `most` bytes. Throws at what is none.
 * @param {Uint8Array} bytes @param {number} most
 */
export function inflate(bytes, most) {
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  const stream = new Unzlib((part) => {
    parts.push(part);
    size += part.length;
  });
  let at = 0;
  do {
    const end = at + PIECE;
    stream.push(bytes.subarray(at, end), end >= bytes.length);
    at = end;
  } while (at < bytes.length && size <= most);
  if (size > most) return undefined;
  const all = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
