// For runtimes that no other entry fits: the caller has the module.

export { start as default } from "#core";
export * from "#entry";
