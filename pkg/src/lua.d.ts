// What scripts/lua.mjs makes of src/lua: texts of scripts.

declare module "#lua/*" {
  const source: string;
  export default source;
}
