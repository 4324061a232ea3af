import { NextResponse } from "next/server";
import { proxy as before } from "upstash-edge/next";
import { edge } from "./lib/edge.js";

// Every visitor gets a session here, and the page behind has it at the first visit already.
export const proxy = before(edge, { NextResponse }, (request, { session }) => {
  if (session.isNew) session.set("since", new Date().toISOString());
});

export const config = { matcher: ["/((?!api|_next|favicon.ico).*)"] };
