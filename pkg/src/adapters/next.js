// Next: the edge around a route handler, and before pages.
//
// What is Next's own comes from the caller: its modules have other files in each of its bundles, and `next/server` is no
// name that Node itself resolves, so that an import of it here would hold in some of them.

import { called, once } from "./made.js";

/** @typedef {import("../../edge.js").Edge} Edge */
/** @typedef {import("../../edge.js").EdgeVisit} Visit */
/** @typedef {{waitUntil(promise: Promise<unknown>): void}} Event */
/** @typedef {import("../../adapters/next.js").NextResponseLike} NextResponseLike */

/**
 * @param {Edge | (() => Edge)} given
 * @param {{after: (work: Promise<unknown>) => void}} server
 * @param {(request: Request, visit: Visit, context: any) => Response | Promise<Response>} handler
 */
export function route(given, server, handler) {
  const edge = once(given);
  const after = called("after of next/server", server?.after);
  called("handler", handler);
  const behind = { waitUntil: (/** @type {Promise<unknown>} */ work) => after(work) };
  return async (/** @type {Request} */ request, /** @type {any} */ context) =>
    edge().handle(request, (asked, visit) => handler(asked, visit, context), behind);
}

/** The `Cookie` header that a browser would send, had it had these answers. @param {string} sent @param {string[]} told */
function cookiesAfter(sent, told) {
  /** @type {Map<string, string>} */
  const cookies = new Map();
  for (const cookie of told) {
    const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
    cookies.set(pair.slice(0, pair.indexOf("=")), attributes.some((part) => /^max-age=(0|-.*)$/i.test(part)) ? "" : pair);
  }
  const others = sent.split(";").map((part) => part.trim()).filter((pair) => pair && !cookies.has(pair.split("=", 1)[0] ?? ""));
  return [...others, ...cookies.values()].filter(Boolean).join("; ");
}

/**
 * @param {Edge | (() => Edge)} given
 * @param {{NextResponse: NextResponseLike}} server
 * @param {(request: Request, visit: Visit & {headers: Headers}) => Response | URL | void | Promise<Response | URL | void>} [handler]
 */
export function proxy(given, server, handler = () => {}) {
  const edge = once(given);
  const NextResponse = called("NextResponse of next/server", server?.NextResponse);
  called("handler", handler);
  return async (/** @type {Request} */ request, /** @type {Event} */ event) => {
    const headers = new Headers(request.headers);
    /** @type {{to: URL | void} | undefined} */
    let passes;
    const answer = await edge().handle(
      request,
      async (asked, visit) => {
        const said = await handler(asked, { ...visit, headers });
        if (said && "headers" in said) return said;
        if (!visit.refreshes) passes = { to: said };
        // What stands for the page is none.
        return new Response(null, { headers: { "cache-control": "no-store" } });
      },
      event,
    );
    if (!passes) return answer;
    const told = answer.headers.getSetCookie();
    // Twice: to the browser, and to the page behind, which else would read the cookie that was replaced.
    if (told.length > 0) headers.set("cookie", cookiesAfter(headers.get("cookie") ?? "", told));
    const forward = { request: { headers } };
    const next = passes.to ? NextResponse.rewrite(passes.to, forward) : NextResponse.next(forward);
    for (const [name, value] of answer.headers) {
      if (name === "set-cookie") next.headers.append(name, value);
      // The page's own, unless a cookie goes with it.
      else if (name !== "cache-control" || told.length > 0) next.headers.set(name, value);
    }
    return next;
  };
}
