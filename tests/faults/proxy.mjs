// A proxy in front of the gateway that misbehaves on purpose, once for each time it is told to.

import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** @typedef {(answer: () => Promise<Response>, out: import("node:http").ServerResponse) => Promise<unknown>} Fate */

const RESP2 = { "content-type": "application/octet-stream" };

/** @param {import("node:http").ServerResponse} out @param {number} status @param {Record<string, string>} headers @param {string | Uint8Array} body */
const reply = (out, status, headers, body) => out.writeHead(status, headers).end(body);

/** What may befall a request. Those that call `answer` let it be done. @type {Record<string, Fate>} */
export const FATES = {
  "dropped before the request": async (_, out) => out.socket?.destroy(),
  "dropped after the commit": async (answer, out) => {
    await answer();
    out.socket?.destroy();
  },
  "half a reply": async (answer, out) => {
    const whole = new Uint8Array(await (await answer()).arrayBuffer());
    out.writeHead(200, { ...RESP2, "content-length": whole.length });
    out.write(whole.subarray(0, whole.length / 2), () => out.socket?.destroy());
  },
  "cut, and called whole": async (answer, out) => {
    const whole = new Uint8Array(await (await answer()).arrayBuffer());
    reply(out, 200, RESP2, whole.subarray(0, whole.length / 2));
  },
  429: async (_, out) => reply(out, 429, {}, ""),
  503: async (_, out) => reply(out, 503, {}, ""),
  "503 after the commit": async (answer, out) => {
    await answer();
    reply(out, 503, {}, "");
  },
  "silence": async () => {},
  "silence after the commit": async (answer) => answer(),
  "a reply too few": async (answer, out) => {
    await answer();
    reply(out, 200, RESP2, "*1\r\n$5\r\nwrong\r\n");
  },
  "replies too many": async (answer, out) => {
    await answer();
    reply(out, 200, RESP2, `*9\r\n${"$5\r\nwrong\r\n".repeat(9)}`);
  },
  "garbage": async (answer, out) => {
    await answer();
    reply(out, 200, RESP2, crypto.getRandomValues(new Uint8Array(300)));
  },
  "a page of HTML": async (_, out) => reply(out, 200, { "content-type": "text/html" }, "<h1>Welcome</h1>"),
};

/** @param {string} target */
export async function startProxy(target) {
  const proxy = {
    /** Befalls the next request, and no other. @type {Fate | undefined} */
    fate: undefined,
    /** How much later every answer comes, in milliseconds. */
    delayMs: 0,
    /** How many requests have come. */
    requests: 0,
    url: "",
    close: () => server.closeAllConnections(),
  };
  const server = createServer(async (request, out) => {
    proxy.requests += 1;
    const { fate, delayMs } = proxy;
    proxy.fate = undefined;
    const pieces = await request.toArray().catch(() => []);
    const headers = Object.entries(request.headersDistinct).flatMap(([name, values]) =>
      /^(host|connection|content-length|transfer-encoding)$/.test(name) ? [] : [/** @type {[string, string]} */ ([name, values?.join(", ") ?? ""])],
    );
    const answer = () => fetch(target + request.url, { method: "POST", headers, body: Buffer.concat(pieces) });
    if (fate) return void fate(answer, out);
    const whole = await answer();
    if (delayMs > 0) await sleep(delayMs);
    reply(out, whole.status, { "content-type": whole.headers.get("content-type") ?? "" }, new Uint8Array(await whole.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  proxy.url = `http://127.0.0.1:${port}`;
  proxy.close = () => {
    server.close();
    server.closeAllConnections();
  };
  return proxy;
}
