// `make bench-gateway`: the gateway beside the bare server: by the same sockets, which send gets over HTTP to one and by
// Redis's own protocol to the other, and redis-benchmark's own word; 1 to 256 connections, 1 to 100 commands a request.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { fixedAnswer, httpAnswer, loaded } from "./lib/load.mjs";
import { client } from "./lib/redis.mjs";
import { bench, shown } from "./lib/report.mjs";
import { inTurns, median, memoryOf, quantile, sized } from "./lib/rounds.mjs";

const VALUE = "xxx";
const MS = sized(500, 150);

await bench("the gateway beside the bare server", async (report) => {
  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const { send, end } = client(redis.port);
  // As redis-benchmark has it.
  await send("SET", "key:__rand_int__", VALUE);

  const http = (/** @type {number} */ commands) => {
    const get = ["GET", "key:__rand_int__"];
    const body = JSON.stringify(commands === 1 ? get : Array(commands).fill(get));
    return Buffer.from(`POST ${commands === 1 ? "/" : "/pipeline"} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nUpstash-Response-Format: resp2\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };
  const resp = (/** @type {number} */ commands) => Buffer.from("*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n".repeat(commands));

  const rows = [];
  const points = [];
  for (const commands of [1, 10, 100]) {
    for (const connections of [1, 16, 64, 256]) {
      const told = ({ rate, sorted } = /** @type {Awaited<ReturnType<typeof loaded>>} */ ({})) => ({ rate: rate * commands, p99: quantile(sorted, 0.99) });
      const found = await inTurns(
        {
          gateway: async () => told(await loaded({ port: gateway.port, bytes: http(commands), framed: httpAnswer, connections, ms: MS })),
          redis: async () => told(await loaded({ port: redis.port, bytes: resp(commands), framed: fixedAnswer(`$3\r\n${VALUE}\r\n`.length * commands), connections, ms: MS })),
        },
        sized(7, 5),
        1,
      );
      // Its own figures are of one run.
      const csv = execFileSync("redis-benchmark", ["-p", `${redis.port}`, "-c", `${connections}`, "-P", `${commands}`, "-n", `${sized(100_000, 20_000)}`, "-t", "get", "--csv"], { encoding: "utf8" });
      const [, rps, , , , , p99] = (csv.trim().split("\n").at(-1) ?? "").replaceAll('"', "").split(",");
      const of = (/** @type {"gateway" | "redis"} */ side, /** @type {"rate" | "p99"} */ what) => found[side].map((round) => round[what]);
      const name = `${commands} ${commands === 1 ? "command" : "commands"} a request, ${connections} ${connections === 1 ? "connection" : "connections"}`;
      rows.push([name, median(of("gateway", "rate")), shown(median(of("gateway", "p99"))), median(of("redis", "rate")), shown(median(of("redis", "p99"))), Number(rps), shown(Number(p99))]);
      report.compare(`commands a second of the gateway vs Redis, ${name}`, of("gateway", "rate"), of("redis", "rate"));
      for (const [who, rate] of /** @type {const} */ ([["gateway", median(of("gateway", "rate"))], ["Redis", median(of("redis", "rate"))], ["redis-benchmark", Number(rps)]])) {
        if (commands !== 10) points.push({ connections, "commands a second": rate, who: `${who}, ${commands} a request` });
      }
    }
  }
  report.table("Commands a second, and p99 in milliseconds a request", ["", "gateway", "p99", "Redis, same sockets", "p99", "redis-benchmark", "p99"], rows);
  report.plot({ title: "Commands a second by connections", mark: "line", x: "connections", y: "commands a second", by: "who", log: "xy", points });

  const memory = [];
  for (const connections of [1, 64, 256, 480]) {
    // New ones each time: what a process once had it keeps.
    const fresh = await startRedis();
    const before = await startGateway({ redisUrl: fresh.url, token });
    const held = { gateway: 0, redis: 0 };
    await loaded({ port: before.port, bytes: http(1), framed: httpAnswer, connections, ms: 300, during: () => (held.gateway = memoryOf(before.pid)) });
    await before.stop();
    await loaded({ port: fresh.port, bytes: resp(1), framed: fixedAnswer("$-1\r\n".length), connections, ms: 300, during: () => (held.redis = memoryOf(fresh.pid)) });
    await fresh.stop();
    memory.push({ connections, ...held });
  }
  report.table("Memory with so many connections open, KB", ["connections", "gateway", "Redis"], memory.map((one) => [`${one.connections}`, one.gateway / 1024, one.redis / 1024]));
  const [few, many] = [memory[0], memory.at(-1)];
  const each = (/** @type {"gateway" | "redis"} */ side) => ((many?.[side] ?? NaN) - (few?.[side] ?? NaN)) / ((many?.connections ?? NaN) - (few?.connections ?? NaN));
  report.count("bytes of memory a connection, gateway vs Redis", each("gateway"), each("redis"), { less: true });
  end();
});
