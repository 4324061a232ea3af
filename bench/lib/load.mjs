// Load over sockets of our own, for HTTP and for Redis's protocol alike: what drives both is the same, and it is lighter than
// any client of HTTP.

import { connect } from "node:net";
import { ascending } from "./rounds.mjs";

/** Where the answer that begins the buffer ends; -1 while it is not whole. @typedef {(bytes: Buffer) => number} Framed */

/** @type {Framed} */
export function httpAnswer(bytes) {
  const head = bytes.indexOf("\r\n\r\n");
  if (head < 0) return -1;
  const text = bytes.toString("latin1", 0, head).toLowerCase();
  if (!text.startsWith("http/1.1 200")) throw new Error(`answered ${text.slice(0, 40)}`);
  const end = head + 4 + Number(/content-length: (\d+)/.exec(text)?.[1] ?? NaN);
  return end <= bytes.length ? end : -1;
}

/** @param {number} size @returns {Framed} */
export const fixedAnswer = (size) => (bytes) => (bytes.length >= size ? size : -1);

/**
 * Connections that each send the same bytes again as soon as the last answer is whole.
 * @param {{port: number, bytes: Buffer, framed: Framed, connections: number, ms: number, during?: () => void}} load during: called while all are open
 */
export async function loaded({ port, bytes, framed, connections, ms, during }) {
  /** @type {number[]} */
  const times = [];
  const end = performance.now() + ms;
  const began = performance.now();
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      let held = Buffer.alloc(0);
      let asked = 0;
      const ask = () => {
        asked = performance.now();
        socket.write(bytes);
      };
      socket.setNoDelay(true).on("connect", ask).on("error", reject);
      socket.on("data", (more) => {
        try {
          held = held.length ? Buffer.concat([held, more]) : more;
          const stop = framed(held);
          if (stop < 0) return;
          held = held.subarray(stop);
          const now = performance.now();
          times.push(now - asked);
          if (now < end) return ask();
          waiting.push(socket);
          resolve(undefined);
        } catch (error) {
          reject(error);
        }
      });
    });
  /** @type {import("node:net").Socket[]} */
  const waiting = [];
  await Promise.all(Array.from({ length: connections }, one));
  const took = performance.now() - began;
  during?.();
  for (const socket of waiting) socket.destroy();
  return { rate: times.length / (took / 1000), sorted: ascending(times) };
}
