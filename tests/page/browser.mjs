// The system's Chromium, without a window.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** @param {...string} more what it is told besides */
export function launch(...more) {
  const args = [...ARGS, ...more];
  const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  return chromium.launch(executablePath ? { executablePath, args } : { channel: "chrome", args });
}
