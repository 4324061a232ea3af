// Values as JSON, both ways. No error quotes one, nor has a cause that does.

import { bad, EdgeError } from "./error.js";

/** What JSON cannot hold is no value. @param {unknown} value */
export const written = (value) => {
  try {
    return JSON.stringify(value);
  } catch {}
};

/** @param {unknown} value */
export function jsonOf(value) {
  const json = written(value);
  if (json === undefined) throw bad("value must be something that JSON can hold");
  return json;
}

/** @param {string} json @returns {any} */
export function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    throw new EdgeError("corrupt", "the value is not JSON");
  }
}
