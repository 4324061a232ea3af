// Redis itself, asked by one plain connection.

import { connect } from "node:net";

/** A connection to Redis itself: an answer for each command, in order. @param {number} port */
export function client(port) {
  const socket = connect(port, "127.0.0.1");
  let bytes = "";
  /** @type {((answer: any) => void)[]} */
  const waiting = [];
  socket.setEncoding("latin1").on("data", (more) => {
    bytes += more;
    for (let read; (read = answer(0)); bytes = bytes.slice(read[1])) waiting.shift()?.(read[0]);
  });
  /** @param {number} at @returns {[any, number] | undefined} the answer, and where it ends */
  function answer(at) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return;
    const [kind, text] = [bytes[at], bytes.slice(at + 1, end)];
    let next = end + 2;
    if (kind === "-") throw new Error(text);
    if (kind === ":") return [Number(text), next];
    if (kind === "$" && text !== "-1") {
      const last = next + Number(text);
      return bytes.length < last + 2 ? undefined : [bytes.slice(next, last), last + 2];
    }
    if (kind !== "*") return [text, next];
    const entries = [];
    while (entries.length < Number(text)) {
      const entry = answer(next);
      if (!entry) return;
      entries.push(entry[0]);
      next = entry[1];
    }
    return [entries, next];
  }
  /** @param {(string | number)[]} words @returns {Promise<any>} */
  const send = (...words) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      const parts = words.map((word) => `$${Buffer.byteLength(`${word}`)}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join("")}`);
    });
  return { send, end: () => socket.end() };
}
