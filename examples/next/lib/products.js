import { cacheLife, cacheTag } from "next/cache";

// Made once for all processes, until somebody changes a product.
export async function products() {
  "use cache";
  cacheTag("products");
  cacheLife("days");
  return { made: crypto.randomUUID(), names: ["a teapot", "a kettle"] };
}
