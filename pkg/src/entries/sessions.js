export * from "./client.js";
export { Sessions } from "../session.js";
