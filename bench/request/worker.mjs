// Takes a request for each of them by its path, over the server and with the session that /begin made.

import { Redis, Sessions } from "upstash-edge";
import { oursEdge } from "./ours-edge.mjs";
import { oursParallel } from "./ours-parallel.mjs";
import { oursUsual } from "./ours-usual.mjs";
import { PAGE } from "./page.mjs";
import { peerCareful } from "./peer-careful.mjs";
import { peerUsual } from "./peer-usual.mjs";

/** @type {Record<string, (request: Request, context: any) => Promise<Response>>} */
let ways = {};

/** A visitor who is logged in, for all of them. @param {{url: string, token: string, secret: string}} server */
async function begun(server) {
  const { url, token, secret } = server;
  ways = { peerUsual: peerUsual(server), peerCareful: peerCareful(server), oursUsual: oursUsual(server), oursParallel: oursParallel(server), oursEdge: oursEdge(server) };
  const redis = new Redis({ url, token });
  const session = await new Sessions(redis, { secrets: secret }).load("");
  session.login("ada");
  const [[cookie = ""]] = await Promise.all([session.save(), redis.set("session:0123456789abcdef", JSON.stringify({ user: "ada" }), { ex: 3600 }), redis.set("page:/", PAGE, { ex: 3600 })]);
  return `${cookie.split(";")[0]}; sid=0123456789abcdef`;
}

export default {
  /** @param {Request} request @param {unknown} _ @param {unknown} context */
  async fetch(request, _, context) {
    const way = new URL(request.url).pathname.slice(1);
    if (way === "begin") return new Response(await begun(await request.json()));
    return (await ways[way]?.(request, context)) ?? new Response();
  },
};
