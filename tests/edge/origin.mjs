// An origin of the tests: routes are functions, and every request that reaches it is written down.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after } from "node:test";

/** @typedef {{method: string, url: string, headers: import("node:http").IncomingHttpHeaders, lines: string[], body: string}} Seen */
/** @typedef {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, body: Promise<string>) => unknown} Route */

/** @param {Record<string, Route>} routes by path; what has none is answered with its path */
export async function startOrigin(routes = {}) {
  /** @type {Seen[]} */
  const seen = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers, rawHeaders: lines } = request;
    /** @type {Seen} */
    const entry = { method, url, headers, lines, body: "" };
    seen.push(entry);
    const body = (async () => {
      for await (const chunk of request) entry.body += chunk.toString("latin1");
      return entry.body;
    })();
    body.catch(() => {});
    const route = routes[new URL(url, "http://origin").pathname];
    if (route) route(request, response, body);
    else response.end(`origin ${url}`);
  });
  server.on("upgrade", echo);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  after(close);
  const of = (/** @type {string} */ path) => seen.filter(({ url }) => url === path);
  return { url: `http://127.0.0.1:${port}`, port, seen, close, of };
}

/**
 * A WebSocket (RFC 6455) that sends back each short text in upper case.
 * @param {import("node:http").IncomingMessage} request @param {import("node:stream").Duplex} socket
 */
function echo(request, socket) {
  const { "sec-websocket-key": key, "sec-websocket-protocol": protocol } = request.headers;
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const chosen = protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : "";
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`);
  socket.on("error", () => {});
  socket.on("data", (/** @type {Buffer} */ frame) => {
    const [first = 0, second = 0] = frame;
    if ((first & 15) !== 1) return socket.end();
    const length = second & 127;
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at & 3] ?? 0)));
    const answer = Buffer.from(`${text.toString().toUpperCase()} ${request.headers["x-forwarded-host"] ? "forwarded" : ""}`);
    socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
  });
}
