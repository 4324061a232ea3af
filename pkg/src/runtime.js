// What an entry says of its runtime, before anything is made.

/**
 * @typedef {object} Runtime
 * @property {RequestCache} [cache] the mode of every request
 * @property {string} [addressHeader] the header that its platform writes, and no client can
 */

/** @type {Runtime} */
export const runtime = {};
