// `make bench-limiter`: whom our limiter and the peer's let through and when they say to come back, for several shapes of
// traffic; what a check costs in commands, and how long its script runs inside Redis.

import { bench } from "./lib/report.mjs";
import { defects } from "./limiter/defects.mjs";
import { scripts } from "./limiter/script.mjs";
import { shapes } from "./limiter/shapes.mjs";
import { sides } from "./limiter/sides.mjs";

await bench("the rate limiters' accuracy, commands and script time", async (report) => {
  await scripts(report);
  const both = await sides();
  await defects(report, both);
  await shapes(report, both);
  for (const { end } of Object.values(both)) end();
});
