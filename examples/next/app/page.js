import { cookies } from "next/headers";
import { Suspense } from "react";
import { sessions } from "../lib/edge.js";
import { products } from "../lib/products.js";
import { login, logout } from "./actions.js";

async function Visitor() {
  // First of all: what stands behind it is not done when the page is built.
  const jar = await cookies();
  const session = await sessions().load(jar);
  return (
    <form action={session.userId ? logout : login}>
      <p id="visitor">
        {session.userId ?? "a stranger"} since {session.get("since")}
      </p>
      <button>{session.userId ? "Log out" : "Log in"}</button>
    </form>
  );
}

async function Products() {
  // At each request, not when the page is built.
  await cookies();
  const { made, names } = await products();
  return <ul id={`made-${made}`}>{names.map((name) => <li key={name}>{name}</li>)}</ul>;
}

export default function Page() {
  return (
    <Suspense>
      <Visitor />
      <Products />
    </Suspense>
  );
}
