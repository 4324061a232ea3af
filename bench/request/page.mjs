// What all of them share: the page, and how a request says who it is.

export const PAGE = `<!doctype html><title>page</title>${"<p>what took long to make</p>".repeat(70)}`;

/** Never asked here: every request finds the page. @returns {Promise<string>} */
export async function render() {
  return PAGE;
}

export const addressOf = (/** @type {Request} */ request) => request.headers.get("cf-connecting-ip") ?? "";

/** @param {Request} request @param {string} name */
export const cookieOf = (request, name) => request.headers.get("cookie")?.match(new RegExp(`(?:^|; )${name}=([^;]+)`))?.[1];

/** @param {string} page @param {unknown} user */
export const answer = (page, user) => new Response(page, { headers: { "content-type": "text/html", "x-user": String(user) } });

export const tooMany = () => new Response("Too many requests", { status: 429 });
