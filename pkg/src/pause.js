import { EdgeError } from "./error.js";
import { heard, LONGEST_TIMER } from "./pump.js";

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new EdgeError("aborted", "the caller aborted it", signal?.reason));
    if (signal?.aborted) return leave();
    const timer = setTimeout(() => {
      forget?.();
      resolve();
    }, Math.min(ms, LONGEST_TIMER));
    const forget = signal && heard(signal, () => {
      clearTimeout(timer);
      leave();
    });
  });
}
