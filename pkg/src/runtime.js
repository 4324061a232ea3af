// What an entry says of its runtime, before anything is made.

/**
 * @typedef {object} Runtime
 * @property {RequestCache} [cache] the mode of every request
 * @property {string} [addressHeader] the header that its platform writes, and no client can
 * @property {(deflated: Uint8Array, most: number) => Uint8Array | undefined} [inflate] where it has no streams that do
 */

/** @type {Runtime} */
export const runtime = {};
