export * from "./client.js";
export { Sessions } from "../sessions.js";
