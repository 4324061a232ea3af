// Where a session's cookie is read from, and how it is put back: headers, a response, a framework's jar.

import { isText } from "./commands.js";
import { bad } from "./error.js";

/** @typedef {import("../session.js").CookieJar} CookieJar */
/** @typedef {import("../session.js").CookieAttributes} CookieAttributes */

/** The `Cookie` header, and the jar that it stands for, if any. @param {any} source @param {string} name @returns {{header: string, jar?: CookieJar}} */
export function sourceOf(source, name) {
  if (typeof source === "string") return { header: source };
  // `Astro.cookies` has a method of this name.
  const from = typeof source?.headers === "object" ? source.headers : source;
  if (typeof from?.get !== "function") throw bad("source must be a Request, Headers, the Cookie header, or a jar of cookies that was awaited");
  // Headers append: no jar does.
  if (typeof from.set !== "function" || typeof from.append === "function") return { header: String(from.get("cookie") ?? "") };
  const pairs = jarred(from, name).map((value) => `${name}=${value}`);
  return { header: pairs.join(";"), jar: from };
}

/** The values of one name in a jar. @param {any} jar @param {string} name @returns {string[]} */
function jarred(jar, name) {
  const found = typeof jar.getAll === "function" ? jar.getAll(name) : [jar.get(name)];
  if (!Array.isArray(found) || typeof found[0]?.then === "function") throw bad("source: the jar must tell its cookies at once, not by a promise");
  // Some tell the cookies of all names, whatever they are asked.
  const own = found.filter((cookie) => cookie?.name === undefined || cookie.name === name);
  // One that this very request removed is empty.
  return own.map((cookie) => cookie?.value ?? cookie).filter((value) => isText(value) && value);
}

/** A `Set-Cookie` value, into a jar. @param {CookieJar} jar @param {string} told @param {string} name @param {CookieAttributes} attributes */
export async function putInto(jar, told, name, attributes) {
  const [, value = "", seconds] = /=([^;]*)(?:.*; Max-Age=(\d+)$)?/.exec(told) ?? [];
  // A removal too: what jars have for it leaves Secure out (Next's), and browsers drop a removal that is not like what it removes.
  await jar.set(name, value, seconds === undefined ? attributes : { ...attributes, maxAge: Number(seconds) });
}

/** `Set-Cookie` values, onto a response: itself, or a copy where its headers cannot be changed, one that `fetch` or `Response.redirect` made. @param {Response} response @param {string[]} cookies */
export function onto(response, cookies) {
  const answer = changeable(response);
  for (const cookie of cookies) answer.headers.append("set-cookie", cookie);
  return answer;
}

/** @param {Response} response */
function changeable(response) {
  try {
    // What one visitor's session made is not for another's cache.
    response.headers.set("cache-control", "no-store");
    return response;
  } catch {
    const copy = new Response(response.body, response);
    copy.headers.set("cache-control", "no-store");
    return copy;
  }
}
