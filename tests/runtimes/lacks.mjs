// What some runtimes cannot do whatever the package does, and the tests of the list that therefore cannot hold there.

/** @typedef {{why: string, names: string[]}} Lack */
/** @typedef {import("./start.mjs").Results} Results */

/** @type {Record<string, Lack>} */
const LACKS = {
  cookies: {
    why: "a page is shown no cookies of a request or a response, nor another origin's headers: sessions go by the text of a cookie",
    names: [
      "a body that breaks off, or is too large, is not stored",
      "a framework's jar is read and written, whatever its shape",
      "a jar that takes no cookie loses none: it is told with the next response",
      "a limit and a session are one request before the handler",
      "what a handler changes in the session is saved before the answer, with its cookie",
      "an answer whose headers cannot be changed is answered all the same",
      "without Redis limits go by their policy, and a session is anonymous or a 503",
      "a change is saved behind the answer where that is asked for, and a cookie never",
      "what has seen the session is stored only by its own word, and no cookie with it",
      "a stale answer is made anew behind itself, for a visitor of whom nothing is known",
      "a cookie is for one client",
      "the caller's lifetime is not for what was made for a cookie",
      "Vary: Cookie selects by the cookie",
    ],
  },
};

/** What a runtime of this name lacks. @param {string} name @returns {Lack} */
export function lackOf(name) {
  if (/Chromium|Firefox/.test(name)) return /** @type {Lack} */ (LACKS.cookies);
  return { why: "", names: [] };
}

/** The results that are to be told: a test that cannot hold must not, or it is on the list for nothing. @param {string} name @param {Results} results @returns {Results} */
export function expected(name, results) {
  const { names } = lackOf(name);
  // What did not run at all lacks more than that.
  if (results.length < 2) return results;
  return results.map((one) => {
    if (!names.includes(one.name)) return one;
    return { ...one, problem: one.problem === undefined ? "it holds here: take it off the list of what cannot" : undefined };
  });
}
