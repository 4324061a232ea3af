// The types of `upstash-edge/queue`.

export * from "../queue.js";
