// The edge that an adapter is given: one, or a function that makes it when somebody first asks.

import { bad } from "../error.js";

/** @typedef {import("../../edge.js").Edge} Edge */

/** Of any entry of this package, each of which has a class of its own. @param {any} edge @returns {Edge} */
export function edgeOf(edge) {
  if (typeof edge?.handle === "function") return edge;
  throw bad("edge must be an Edge, or a function that makes one");
}

/** One for all calls; what could not be made is tried again. @template {unknown[]} A @param {Edge | ((...args: A) => Edge)} given @returns {(...args: A) => Edge} */
export function once(given) {
  if (typeof given !== "function") {
    const edge = edgeOf(given);
    return () => edge;
  }
  /** @type {Edge | undefined} */
  let made;
  return (...args) => (made ??= edgeOf(given(...args)));
}

/** @template F @param {string} name @param {F} call @returns {F} */
export function called(name, call) {
  if (typeof call === "function") return call;
  throw bad(`${name} must be a function`);
}
