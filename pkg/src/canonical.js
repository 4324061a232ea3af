// Canonical JSON (RFC 8785): the same text for the same value, whoever made it. Its numbers and strings are those of
// JSON.stringify, and its order of keys is that of strings in JavaScript.

import { isText, kind } from "./commands.js";

/**
 * Throws at what is no JSON, where JSON.stringify would drop it or put null in its place. Absent is a property that is
 * `undefined`.
 * @param {any} value @param {unknown[]} around what it stands in @returns {string}
 */
export function canonical(value, around = []) {
  if (value === null || typeof value === "boolean" || Number.isFinite(value) || isText(value)) return JSON.stringify(value);
  if (typeof value !== "object" || around.includes(value)) throw 0;
  const within = [...around, value];
  if (typeof value.toJSON === "function") return canonical(value.toJSON(), within);
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonical(item, within))}]`;
  // A Map, or bytes, would be the same as any other.
  if (kind(value) !== "[object Object]") throw 0;
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  present.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${present.map(([key, item]) => `${canonical(key)}:${canonical(item, within)}`)}}`;
}
