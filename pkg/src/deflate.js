// Payloads deflated, in zlib's format (RFC 1950): every CompressionStream writes it.

import { inflate } from "#inflate";
import { joined, LARGEST_ANSWER } from "./pump.js";

/** All that comes out, if it is not too large. @param {Uint8Array} bytes @param {CompressionStream | DecompressionStream} stream */
function through(bytes, { readable, writable }) {
  const writer = writable.getWriter();
  // What fails here fails the reader too.
  writer.write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)).catch(() => {});
  writer.close().catch(() => {});
  return joined(readable);
}

/** What they become, where the runtime has streams and it pays. @param {Uint8Array} bytes */
export async function deflated(bytes) {
  let stream;
  try {
    stream = new CompressionStream("deflate");
  } catch {
    // A runtime without one, or with one in name alone, as Next's on the edge.
    return undefined;
  }
  const less = await through(bytes, stream);
  return less && less.length <= bytes.length * 0.9 ? less : undefined;
}

/** What they were. Rejects, or gives `undefined`, where that cannot be told, or is larger than any reply of Redis. @param {Uint8Array} bytes */
export async function inflated(bytes) {
  // Where there is one, the runtime's own cannot be relied on: Next's on the edge is one in name alone.
  if (inflate) return inflate(bytes, LARGEST_ANSWER);
  return globalThis.DecompressionStream && through(bytes, new DecompressionStream("deflate"));
}
