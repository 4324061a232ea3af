"use server";

import { cookies } from "next/headers";
import { sessions } from "../lib/edge.js";

export async function login() {
  const session = await sessions().load(await cookies());
  session.login("ada");
  await session.save();
}

export async function logout() {
  const session = await sessions().load(await cookies());
  session.destroy();
  await session.save();
}
