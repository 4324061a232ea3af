// For runtimes that inflate by themselves.

/** @type {((deflated: Uint8Array, most: number) => Uint8Array | undefined) | undefined} */
export const inflate = undefined;
