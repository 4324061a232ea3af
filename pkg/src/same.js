// Whether two values are the same to JSON: whatever the order of keys, and however one of them was stored meanwhile.

import { isBytes } from "./commands.js";

/** As JSON would have it. @param {any} value @returns {any} */
function plain(value) {
  if (typeof value?.toJSON === "function") return plain(value.toJSON());
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return typeof value === "function" || typeof value === "symbol" ? undefined : value;
}

/** The names of what JSON would write. @param {any} value */
const names = (value) => Object.keys(value).filter((name) => plain(value[name]) !== undefined);

/** @param {unknown} one @param {unknown} other @returns {boolean} */
export function same(one, other) {
  const [a, b] = [plain(one), plain(other)];
  if (a === b || typeof a !== "object" || typeof b !== "object" || !a || !b) return a === b;
  if (isBytes(a) !== isBytes(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  if (isBytes(a)) return a.length === b.length && a.every((/** @type {number} */ byte, /** @type {number} */ at) => byte === b[at]);
  // Of a list JSON writes what is absent as null.
  if (Array.isArray(a)) return a.length === b.length && a.every((item, at) => same(item ?? null, b[at] ?? null));
  const own = names(a);
  return own.length === names(b).length && own.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}
