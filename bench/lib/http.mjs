// Asking a Worker over connections that are kept, and servers that are farther away than they are.

import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";

/** As many connections as there are callers. @param {number} callers */
export function browser(callers) {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  /** The body of an answer that is a success. @param {string} url @param {Record<string, string>} [headers] @param {string} [body] @returns {Promise<Buffer>} */
  return (url, headers = {}, body) =>
    new Promise((resolve, reject) => {
      const asking = request(url, { agent, headers, method: body === undefined ? "GET" : "POST" }, (answer) => {
        /** @type {Buffer[]} */
        const parts = [];
        answer.on("data", (part) => parts.push(part)).on("end", () => {
          if (answer.statusCode === 200) resolve(Buffer.concat(parts));
          else reject(new Error(`${answer.statusCode} of ${new URL(url).pathname}: ${Buffer.concat(parts).toString().slice(0, 500)}`));
        });
      });
      asking.on("error", reject).end(body);
    });
}

/** What is `ms` farther away, there and back together, than the server it stands for. @param {number} port @param {number} ms */
export async function distant(port, ms) {
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    near.setNoDelay(true);
    near.on("data", (chunk) => far.write(chunk));
    far.on("data", (chunk) => void setTimeout(() => near.write(chunk), ms));
    for (const [one, other] of /** @type {const} */ ([[near, far], [far, near]])) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}
