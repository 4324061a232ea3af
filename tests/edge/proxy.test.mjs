// The front as a proxy: what reaches the origin, what comes back, and what becomes of origins that fail or lie.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ask, raw, startFront, until } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const GZIPPED = gzipSync("hello ".repeat(1000));
let lastMaySend = () => {};
const mayEnd = new Promise((resolve) => (lastMaySend = () => resolve(undefined)));
/** What the origin has read so far of an upload. */
let uploaded = "";

/** As bytes on the wire, whatever HTTP allows. @param {string | Buffer} bytes @returns {import("./origin.mjs").Route} */
const wire = (bytes) => (request, response) => void response.socket?.end(bytes);

const origin = await startOrigin({
  "/base/page": (_, response) => response.setHeader("content-type", "text/html").setHeader("x-page", "1").end("<p>page</p>"),
  "/base/teapot": (_, response) => response.writeHead(418, { "x-why": "tea" }).end("short and stout"),
  "/base/hop": (_, response) =>
    response.setHeader("connection", "x-private").setHeader("x-private", "1").setHeader("keep-alive", "timeout=1").setHeader("via", "1.0 inner").end("hop"),
  "/base/cookies": (_, response) => response.setHeader("set-cookie", ["a=1; Path=/", "b=2, c"]).end(),
  "/base/own": (_, response) => response.writeHead(302, { location: `${origin.url}/base/next?a=b` }).end(),
  "/base/outside": (_, response) => response.writeHead(302, { location: `${origin.url}/other` }).end(),
  "/base/away": (_, response) => response.writeHead(301, { location: "https://elsewhere.example/" }).end(),
  "/base/relative": (_, response) => response.writeHead(303, { location: "/next" }).end(),
  "/base/gzip": (_, response) => response.setHeader("content-encoding", "gzip").setHeader("content-length", GZIPPED.length).end(GZIPPED),
  "/base/echo": async (request, response, body) => response.end(await body),
  "/base/stream": async (_, response) => {
    response.write("first");
    await mayEnd;
    response.end("last");
  },
  "/base/upload": async (request, response, body) => {
    request.on("data", (chunk) => (uploaded += chunk));
    response.end(`got ${(await body).length}`);
  },
  "/base/slow": (_, response) => void setTimeout(() => response.end("slow"), 5000).unref(),
  "/base/late": (_, response) => {
    response.write("in time");
    setTimeout(() => response.end(", and late"), 1500);
  },
  "/base/500": (_, response) => response.writeHead(500, { "content-type": "text/plain" }).end("the origin's own words"),
  "/base/reset": (_, response) => {
    response.write("begins");
    setTimeout(() => response.socket?.resetAndDestroy(), 100);
  },
  "/base/garbage": wire("this is no HTTP\r\n\r\n"),
  "/base/short": wire("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"),
  "/base/long": wire("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
  "/base/two-lengths": wire("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
  "/base/both": wire("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
  ...Object.fromEntries(
    [204, 205, 304].map((status) => [`/base/bodiless-${status}`, wire(`HTTP/1.1 ${status} Odd\r\nContent-Length: 5\r\n\r\nhello`)]),
  ),
  "/base/status": wire("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
});
const front = await startFront({ ORIGIN_URL: `${origin.url}/base/`, ORIGIN_TIMEOUT: "1s", LOG: "requests" });
const host = new URL(front.url).host;
/** @param {string} path @param {Parameters<typeof ask>[1]} [init] */
const get = (path, init) => ask(front.url + path, init);

/** The problem that an answer tells; internals are not among it. @param {Response} answer @param {number} status */
async function problem(answer, status) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const text = await answer.text();
  assert.ok(!text.includes(String(origin.port)) && !text.includes("127.0.0.1"), text);
  const told = JSON.parse(text);
  assert.equal(told.status, status);
  return told;
}

test("status, headers and body come as the origin sent them", async () => {
  const page = await get("/page?a=1&b=%2F+");
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("content-type"), "text/html");
  assert.equal(page.headers.get("x-page"), "1");
  assert.equal(page.headers.get("via"), "1.1 upstash-edge");
  assert.equal(await page.text(), "<p>page</p>");
  assert.equal(origin.seen.at(-1)?.url, "/base/page?a=1&b=%2F+");
  const teapot = await get("/teapot");
  assert.deepEqual([teapot.status, teapot.headers.get("x-why"), await teapot.text()], [418, "tea", "short and stout"]);
  const none = await get("/nowhere");
  assert.equal(await none.text(), "origin /base/nowhere");
});

test("what is about one connection passes in neither direction", async () => {
  const answer = await get("/hop", { headers: { te: "trailers", "proxy-authorization": "Basic eA==", via: "1.0 outer" } });
  for (const name of ["x-private", "keep-alive"]) assert.equal(answer.headers.get(name), null, name);
  assert.equal(answer.headers.get("via"), "1.0 inner, 1.1 upstash-edge");
  const { headers } = origin.of("/base/hop").at(-1) ?? assert.fail();
  for (const name of ["te", "proxy-authorization", "keep-alive"]) assert.equal(headers[name], undefined, name);
  assert.equal(headers.via, "1.0 outer, 1.1 upstash-edge");
});

test("the origin is told who asks for what, and no client can tell it", async () => {
  const lies = {
    "cf-connecting-ip": "2001:db8::7",
    forwarded: "for=6.6.6.6;host=evil.example",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-prefix": "/evil",
    "x-real-ip": "6.6.6.6",
    "x-original-url": "/admin",
    "x-rewrite-url": "/admin",
    "x-http-method-override": "DELETE",
    "upstash-edge-user": "root",
    "x-harmless": "stays",
  };
  await get("/headers", { headers: lies });
  const { headers } = origin.seen.at(-1) ?? assert.fail();
  assert.equal(headers.host, new URL(origin.url).host);
  assert.equal(headers.forwarded, `for="[2001:db8::7]";host="${host}";proto=http`);
  assert.equal(headers["x-forwarded-for"], "2001:db8::7");
  assert.equal(headers["x-forwarded-host"], host);
  assert.equal(headers["x-forwarded-proto"], "http");
  assert.equal(headers["x-harmless"], "stays");
  for (const name of ["x-forwarded-prefix", "x-real-ip", "x-original-url", "x-rewrite-url", "x-http-method-override", "upstash-edge-user"]) {
    assert.equal(headers[name], undefined, name);
  }
});

test("each cookie of the origin stays one", async () => {
  assert.deepEqual((await get("/cookies")).headers.getSetCookie(), ["a=1; Path=/", "b=2, c"]);
});

test("redirects are the client's to follow; those of the origin to itself lead back to the front", async () => {
  const led = async (/** @type {string} */ path) => {
    const answer = await get(path);
    return [answer.status, answer.headers.get("location")];
  };
  assert.deepEqual(await led("/own"), [302, `${front.url}/next?a=b`]);
  assert.deepEqual(await led("/outside"), [302, `${origin.url}/other`]);
  assert.deepEqual(await led("/away"), [301, "https://elsewhere.example/"]);
  assert.deepEqual(await led("/relative"), [303, "/next"]);
  assert.equal(origin.of("/base/next").length, 0);
});

test("a compressed body passes as it is, its length too", async () => {
  const answer = await raw(front.port, "GET /gzip HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  assert.match(head, /content-encoding: gzip/i);
  assert.match(head, new RegExp(`content-length: ${GZIPPED.length}`, "i"));
  assert.deepEqual(Buffer.from(rest.join("\r\n\r\n"), "latin1"), GZIPPED);
  assert.equal(await (await get("/gzip")).text(), "hello ".repeat(1000));
});

test("a body of any size arrives whole, both ways", async () => {
  const bytes = Buffer.alloc(5_000_000, "0123456789abcdef");
  const digest = (/** @type {Buffer} */ body) => createHash("sha256").update(body).digest("hex");
  const answer = await get("/echo", { method: "POST", body: bytes });
  assert.equal(digest(Buffer.from(await answer.arrayBuffer())), digest(bytes));
  assert.equal(origin.of("/base/echo").at(-1)?.headers["content-length"], String(bytes.length));
});

test("the client reads the first chunk before the last is sent", async () => {
  // Not compressed, for the compressor that wrangler puts in front gathers bytes.
  const reader = (await get("/stream", { headers: { "accept-encoding": "identity" } })).body?.getReader();
  const read = async () => new TextDecoder().decode((await reader?.read())?.value);
  assert.equal(await read(), "first");
  // Only now: a front that gathers bodies would wait for ever.
  lastMaySend();
  assert.equal(await read(), "last");
});

test("the origin reads the first chunk before the client sends the last", async () => {
  let rest = () => {};
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("first"));
      rest = () => {
        controller.enqueue(new TextEncoder().encode("last"));
        controller.close();
      };
    },
  });
  const answer = get("/upload", /** @type {any} */ ({ method: "POST", body, duplex: "half" }));
  await until(() => uploaded === "first");
  rest();
  assert.equal(await (await answer).text(), "got 9");
});

test("HEAD is asked as HEAD, and tells the length of what it has not", async () => {
  const answer = await get("/gzip", { method: "HEAD", headers: { "accept-encoding": "gzip" } });
  assert.equal(answer.headers.get("content-length"), String(GZIPPED.length));
  assert.equal(origin.of("/base/gzip").at(-1)?.method, "HEAD");
});

test("methods pass as they are, but for those about a connection and those nobody knows", async () => {
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE"]) {
    assert.equal((await get("/any", { method })).status, 200, method);
    assert.equal(origin.seen.at(-1)?.method, method);
  }
  const before = origin.seen.length;
  for (const method of ["TRACE", "CONNECT", "FROB"]) {
    const answer = await raw(front.port, `${method} /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 [45]\d\d /, method);
  }
  assert.equal(origin.seen.length, before);
});

test("a GET with a body is refused: no cache could tell it from one without", async () => {
  const before = origin.seen.length;
  const answer = await raw(front.port, "GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde");
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.equal(origin.seen.length, before);
});

test("a WebSocket passes, its protocol too", async () => {
  const socket = new WebSocket(`${front.url.replace("http", "ws")}/socket`, ["chat"]);
  const heard = await new Promise((resolve, reject) => {
    socket.onopen = () => socket.send("hello");
    socket.onerror = () => reject(new Error("no WebSocket"));
    socket.onmessage = ({ data }) => resolve(data);
  });
  assert.equal(heard, "HELLO forwarded");
  assert.equal(socket.protocol, "chat");
  socket.close();
});

test("an origin's failure is told as 502 or 504, or passed on where it has words of its own", async () => {
  const own = await get("/500");
  assert.deepEqual([own.status, await own.text()], [500, "the origin's own words"]);
  assert.equal((await problem(await get("/slow"), 504)).title, "Gateway Timeout");
  assert.equal((await problem(await get("/garbage"), 502)).title, "Bad Gateway");
  // The time is the head's; a body may take its own.
  assert.equal(await (await get("/late")).text(), "in time, and late");
});

test("an answer that breaks off does not end like a whole one", async () => {
  for (const path of ["/reset", "/short"]) {
    const answer = await get(path);
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text(), path);
  }
});

test("what an origin sends beyond its length is nobody's answer", async () => {
  for (let tries = 0; tries < 3; tries++) {
    const answer = await get("/long");
    assert.equal(await answer.text(), "hello");
    assert.equal(await (await get("/page")).text(), "<p>page</p>");
  }
});

test("an answer of two lengths is none; of a length and chunks the chunks count", async () => {
  await problem(await get("/two-lengths"), 502);
  const both = await get("/both");
  if (both.status === 200) assert.equal(await both.text(), "abc");
  else await problem(both, 502);
});

test("a status that cannot be, or cannot have a body, harms nobody", async () => {
  await problem(await get("/status"), 502);
  for (const status of [204, 205, 304]) {
    const answer = await get(`/bodiless-${status}`);
    assert.deepEqual([answer.status, await answer.text()], [status, ""]);
  }
  assert.equal((await get("/page")).status, 200);
});

/** Nothing but these paths, each once, reaches the origin. @param {string} text @param {string[]} paths */
async function reaches(text, paths) {
  const before = origin.seen.length;
  const answer = await raw(front.port, text, 700);
  assert.deepEqual(origin.seen.slice(before).map(({ url }) => url), paths, JSON.stringify(text));
  return answer;
}

test("no request hides in another", async () => {
  const smuggled = "GET /base/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const post = (/** @type {string} */ headers, /** @type {string} */ body) => `POST /p HTTP/1.1\r\nHost: a\r\n${headers}\r\nConnection: close\r\n\r\n${body}`;
  const before = origin.seen.length;
  for (const text of [
    post("Content-Length: 4\r\nTransfer-Encoding: chunked", `0\r\n\r\n${smuggled}`),
    post(`Content-Length: ${5 + smuggled.length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding: xchunked", `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding : chunked", `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding:\x0bchunked", `0\r\n\r\n${smuggled}`),
    post("X: y\n Transfer-Encoding: chunked", `0\r\n\r\n${smuggled}`),
    post("Content-Length: 0\r\nContent-Length: 50", smuggled),
    post("Content-Length: 0, 50", smuggled),
    post("Content-Length: +5", smuggled),
    post("Content-Length: 0x5", smuggled),
    post("X: a\rTransfer-Encoding: chunked", `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding: chunked", `0;a=${"b".repeat(20)}\n\r\n\r\n${smuggled}`),
  ]) {
    await raw(front.port, text, 500);
  }
  for (const { url, headers, body, method } of origin.seen.slice(before)) {
    assert.deepEqual([method, url], ["POST", "/base/p"]);
    assert.ok(!(headers["content-length"] && headers["transfer-encoding"]), JSON.stringify(headers));
    // As somebody's body it is harmless.
    assert.ok(body === "" || smuggled.startsWith(body) || body.startsWith("0"), body);
  }
  assert.equal(origin.seen.filter(({ url }) => url.includes("smuggled")).length, 0);
});

test("only the configured origin is ever reached, whatever the request names", async () => {
  let reached = 0;
  const evil = createServer((socket) => {
    reached += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  after(() => evil.close());
  await new Promise((resolve) => evil.once("listening", resolve));
  const there = `127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (evil.address()).port}`;
  const request = (/** @type {string} */ target, name = "a") => `GET ${target} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  await reaches(request(`http://${there}/p`), ["/base/p"]);
  await reaches(request(`//${there}/p`), [`/base//${there}/p`]);
  await reaches(request(`/@${there}/p`), [`/base/@${there}/p`]);
  await reaches(request(`/\\${there}/p`), [`/base//${there}/p`]);
  await reaches(request("/p", there), ["/base/p"]);
  await reaches(request("/p", `u:p@${there}`), ["/base/p"]);
  assert.equal(reached, 0);
});

test("no path leads out of the origin's folder", async () => {
  const request = (/** @type {string} */ target) => `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  await reaches(request("/../secret"), ["/base/secret"]);
  await reaches(request("/%2e%2e/secret"), ["/base/secret"]);
  await reaches(request("/a/%2E./.%2e/secret"), ["/base/secret"]);
  for (const path of ["/..%2fsecret", "/%2e%2e%2fsecret", "/a/..%5c..%5csecret", "/..;/secret"]) {
    assert.match(await reaches(request(path), []), /^HTTP\/1\.1 400 /, path);
  }
  // An encoded slash alone is a name's.
  await reaches(request("/@scope%2fname"), ["/base/@scope%2fname"]);
});

test("requests of the Worker itself do not reach the origin", async () => {
  const before = origin.seen.length;
  assert.equal((await (await get("/api/health")).json()).status, "healthy");
  assert.equal((await get("/api/anything")).status, 404);
  assert.equal(origin.seen.length, before);
});

test("the log says what came of each request, and nothing that could be a secret", async () => {
  await get("/logged/path?token=secret-query", { headers: { cookie: "a=secret-cookie", authorization: "Bearer secret-token" } });
  await until(() => front.worker.output().includes("/logged/path"));
  const line = front.worker.output().split("\n").find((text) => text.includes('"path":"/logged/path"')) ?? "";
  const logged = JSON.parse(line.slice(line.indexOf("{")));
  const expected = { method: "GET", path: "/logged/path", status: 200, redisRequests: 1, cache: "upstash-edge; fwd=uri-miss" };
  assert.deepEqual({ ...logged, ms: 0, redisMs: 0 }, { ...expected, ms: 0, redisMs: 0 });
  assert.ok(!line.includes("secret"));
});

test("an origin that is gone is a 502, and back it is served again", async () => {
  await origin.close();
  await problem(await get("/page"), 502);
});
