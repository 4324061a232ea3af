// The types of `upstash-edge/sessions`: the client and sessions.

export type * from "../index.js";
export { EdgeError, health, Redis, Sessions } from "../index.js";
