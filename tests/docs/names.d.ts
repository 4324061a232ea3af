// What the pages take for granted: the parts they have made before, and the reader's own.

import type * as Edge from "upstash-edge";

declare global {
  const env: Record<string, string> & { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string; SESSION_SECRETS: string; DB: any };
  const context: { waitUntil(work: Promise<unknown>): void };
  const waitUntil: (work: Promise<unknown>) => void;
  const request: Request;
  const response: Response;
  const redis: Edge.Redis;
  const limiter: Edge.RateLimiter;
  const cache: Edge.Cache;
  const sessions: Edge.Sessions;
  const session: Edge.Session;
  const edge: Edge.Edge;
  const edgeOf: (env: any) => Edge.Edge;
  const secrets: string;
  const user: { id: string };
  const form: { get(name: string): string };
  const url: string;
  const ip: string;
  const address: string;
  const author: string;
  const build: string;
  const path: string;
  const currency: string;
  const model: string;
  const prompt: string;
  const password: string;
  const redisCacheAdapter: any;
  const load: (id: any, options?: { signal: AbortSignal }) => Promise<unknown>;
  const log: (...words: unknown[]) => void;
  const metrics: { write(fields: object): void };
  const page: (request: Request, session?: Edge.Session) => Response;
  const render: (what: Request | string) => any;
  const send: (what: any, options?: { signal: AbortSignal }) => Promise<unknown>;
  const complete: (question: object) => Promise<any>;
  const visit: (session: Edge.Session | undefined, params: unknown) => Promise<object>;
  /** An object as the peers' users have it. */
  type User = { name: string };
  type Data = { userId?: string };
  type Env = Record<string, string>;
  type Bindings = Record<string, string>;
}
