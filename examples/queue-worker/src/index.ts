import { Redis } from "upstash-edge";
import { Queue } from "upstash-edge/queue";

interface Env extends Record<string, string> {
  UPSTASH_REDIS_REST_URL: string;
}

interface Mail {
  to: string;
}

const redisOf = (env: Env) => Redis.fromEnv(env);
const mailOf = (env: Env) => new Queue<Mail>(redisOf(env), "mail", { lease: "1m", attempts: 5 });

/** Where a mail would leave. A job may come twice: what must not happen twice is kept by its id. */
async function send(env: Env, id: string, mail: Mail, signal: AbortSignal) {
  if (!mail.to.includes("@")) throw new Error("no such address");
  await redisOf(env).with({ signal }).hsetnx("sent", id, mail.to);
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const queue = mailOf(env);
    if (request.method !== "POST") return Response.json(await queue.counts());
    const mail = (await request.json()) as Mail;
    // One mail a day to each.
    return Response.json(await queue.enqueue(mail, { key: mail.to }), { status: 202 });
  },
  async scheduled(_: unknown, env: Env): Promise<void> {
    await mailOf(env).drain((job, { signal }) => send(env, job.id, job.payload, signal), { limit: 1000, until: Date.now() + 45_000 });
  },
};
