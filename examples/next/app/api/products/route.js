import { revalidatePath, revalidateTag } from "next/cache";
import { connection } from "next/server";
import { products } from "../../../lib/products.js";

export async function GET() {
  await connection();
  return Response.json(await products());
}

// A product was changed: who asks next sees it, whichever process answers.
export async function POST(request) {
  const { searchParams } = new URL(request.url);
  if (searchParams.has("path")) revalidatePath(searchParams.get("path"));
  else revalidateTag("products", searchParams.has("stale") ? "max" : { expire: 0 });
  return new Response(null, { status: 204 });
}
