import { after } from "next/server";
import { route } from "upstash-edge/next";
import { edge } from "../../../lib/edge.js";

export const POST = route(edge, { after }, (request, { session, decision }) => {
  const visits = (session.get("visits") ?? 0) + 1;
  session.set("visits", visits);
  return Response.json({ visits, remaining: decision.remaining });
});
