// What a flow of the core and who drives it tell each other: see src/js/cache.rs.

/** What happened. */
export const SLEPT = 0;
export const USABLE = 1;
export const UNUSABLE = 2;
export const NOTHING = 3;
export const FAILED = 4;
export const LOST = 5;
export const RELEASED = 6;

/** What the core wants next. */
export const SEND = 0;
export const SLEEP = 1;
export const JUDGE = 2;
export const FETCH = 3;
export const END = 4;

/** What the caller is answered: what was found, or what its function gave. */
export const FOUND = 1;
export const FETCHED = 2;

/** Longer than any request lives: what is then still there was cut off. */
export const FORGOTTEN_MS = 15 * 60_000;

/**
 * The rest is the runtime's, or, if that will not have it, waited for.
 * @param {((promise: Promise<unknown>) => void) | undefined} waitUntil @param {Promise<unknown>} rest that never rejects
 */
export async function handed(waitUntil, rest) {
  try {
    if (!waitUntil) return await rest;
    waitUntil(rest);
  } catch {
    await rest;
  }
}
