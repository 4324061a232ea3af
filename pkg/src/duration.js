import { EdgeError } from "./error.js";

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/**
 * A duration such as "10s" in milliseconds.
 * @param {string} option its name, for the error
 * @param {unknown} text
 * @returns {number}
 */
export function milliseconds(option, text) {
  const [, number, unit = ""] = (typeof text === "string" && /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)) || [];
  const ms = Math.round(Number(number) * (UNITS[unit] ?? NaN));
  if (ms > 0 && ms <= 864e9) return ms;
  throw new EdgeError("invalid_config", `${option} must be a duration longer than 0, such as "500ms", "10s" or "1.5m"`);
}
