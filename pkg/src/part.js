// Names of users as parts of keys and members, as the crate's src/keys.rs has them; and nonces.

import { bad } from "./error.js";

const encoder = new TextEncoder();

/** @param {string} text */
export const bytesOf = (text) => encoder.encode(text).length;

/** A name, well-formed, of 1 to 128 bytes: the crate hashes longer parts of keys. @param {string} what @param {unknown} text */
export function named(what, text) {
  if (typeof text === "string" && text.isWellFormed() && text && bytesOf(text) <= 128) return text;
  throw bad(`${what} must be a well-formed string of 1 to 128 bytes`);
}

/** What could end a hash tag or a part of a key, escaped. @param {string} text */
export const part = (text) =>
  text.replace(/[\0- %:{}\x7f]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** 96 random bits in 16 characters. */
export function nonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes)).replace(/[+/]/g, (mark) => (mark === "+" ? "-" : "_"));
}

/** @param {string} what @param {unknown} n @param {number} [least] @returns {number} */
export function counted(what, n, least = 1) {
  if (Number.isInteger(n) && /** @type {number} */ (n) >= least && /** @type {number} */ (n) <= 1000) return /** @type {number} */ (n);
  throw bad(`${what} must be a whole number, ${least} to 1000`);
}
