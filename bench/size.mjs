// `make bench-size`: what each entry adds to a Worker, beside the packages it replaces, by one esbuild command; and where the
// bytes of the module are, by part of the crate.

import { entry, ordinary, parts, peer, PEERS } from "../scripts/size.mjs";
import { bench } from "./lib/report.mjs";

/** What an entry does the work of. @type {[string, string[]][]} */
const REPLACED = [
  ["limiter", PEERS.slice(0, 2)],
  ["cache", [/** @type {string} */ (PEERS[0]), "@epic-web/cachified"]],
  ["sessions", [/** @type {string} */ (PEERS[0]), "iron-session"]],
  ["", PEERS],
];

await bench("bytes a Worker grows by", async (report) => {
  const rows = [];
  const points = [];
  for (const [name, packages] of REPLACED) {
    const [ours, theirs] = [await entry(name), await peer(packages.join(" + "), packages)];
    const built = process.env.STD === "ordinary" ? [ours, await ordinary(name), theirs] : [ours, theirs];
    for (const one of built) rows.push([one.name, `${one.js}`, `${one.wasm}`, `${one.js + one.wasm}`]);
    report.count(`bytes of ${ours.name}`, ours.js + ours.wasm, theirs.js, { less: true });
    for (const [who, one] of /** @type {const} */ ([["ours", ours], ["peers", theirs]])) points.push({ entry: name || "everything", "bytes, gzip -9": one.js + one.wasm, who });
  }
  report.table("Minified by one esbuild command, gzip -9", ["", "JavaScript", "wasm", "together"], rows);
  report.table("The module with everything, by part", ["", "bytes"], parts().map(([name, size]) => [name, `${size}`]));
  report.plot({ title: "Bytes, gzip -9", mark: "bar", x: "entry", y: "bytes, gzip -9", by: "who", points });
});
