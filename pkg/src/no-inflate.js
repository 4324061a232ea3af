// The `#inflate` of the runtimes that have DecompressionStream: they carry no other.

/** @type {typeof import("./inflate.js").inflate | undefined} */
export const inflate = undefined;
