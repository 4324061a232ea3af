// What src/js/ exports, as the pump uses it.

declare module "#core" {
  export type Numbers = Uint32Array | number[];
  export function start(module: BufferSource | WebAssembly.Module): void;
  export function begin(url: string, now: number, deadline: number, atomic: boolean, attempts: number, baseMs: number, maxMs: number): number;
  export function push(batch: number, json: string, vouched: boolean): string | undefined;
  export function push_bytes(batch: number, json: string, vouched: boolean, places: Uint32Array): string | undefined;
  export function push_script(batch: number, source: string, bytes: boolean, json: string, vouched: boolean): string | undefined;
  export function way(batch: number): number;
  export function path(batch: number): string | undefined;
  export function names(batch: number): string | undefined;
  export function write(batch: number): Uint8Array<ArrayBuffer> | undefined;
  export function sync_token(batch: number): string | undefined;
  export function read(batch: number, status: number, contentType: string, syncToken: string, retryAfter: string, body: Uint8Array, leftMs: number, drawn: number): Numbers;
  export function lost(batch: number, preflights: boolean, leftMs: number, drawn: number): Numbers;
  export function oversize(batch: number, leftMs: number, drawn: number): Numbers;
  export function leave(batch: number, index: number): void;
  export function push_health(batch: number, now: number, timeoutMs: number): string | undefined;
  export function limiter_problem(limiter: string, limits: string): string | undefined;
  export function limit_recalls(url: string, limiter: string, id: string, now: number): boolean;
  export function push_limit(batch: number, limiter: string, id: string, limits: string, cost: number, now: number): string | undefined;
  export function check_problem(limiter: string, id: string, limits: string, cost: number): string | undefined;
  export function push_limit_stats(batch: number, limiter: string, hoursAgo: number, now: number): string | undefined;
  export function partition_key(secret: string, id: string): string;
  export function cache_problem(cache: string): string | undefined;
  export function push_cache_read(batch: number, cache: string, keys: string, wanted: number, now: number): string | undefined;
  export function push_cache_write(batch: number, cache: string, keys: string, payloads: Uint8Array | undefined, layout: Uint32Array, ttlMs: number, tags: string, now: number): string | undefined;
  export function push_cache_tags(batch: number, cache: string, tags: string, gone: boolean, now: number): string | undefined;
  export function push_cache_stats(batch: number, cache: string, now: number): string | undefined;
  export function cache_pattern(cache: string): string | undefined;
  export function flow_begin(cache: string, key: string, ttlMs: number, tags: string, early: number, background: boolean, refresh: boolean, now: number, deadline: number): number;
  export function flow_step(flow: number, event: number, now: number): string;
  export function flow_fetched(flow: number, codec: number, payload: Uint8Array, ttlMs: number, tags: string, now: number): string;
  export function push_flow(batch: number, flow: number, now: number): string | undefined;
  export function flow_end(flow: number): void;
  export function respond_begin(cache: string, method: string, url: string, key: string | undefined, fields: string, ttlMs: number, tags: string, early: number, background: boolean, now: number, deadline: number): number;
  export function respond_found(flow: number, now: number, failed: number): string;
  export function respond_refused(flow: number): string | undefined;
  export function respond_conditions(flow: number): string;
  export function respond_keep(flow: number, status: number, fields: string, mayStore: boolean, now: number): string;
  export function respond_body(flow: number, body: Uint8Array, decoded: boolean, now: number): string;
  export function respond_invalidates(flow: number, status: number, fields: string): string | undefined;
  export function prompts_problem(prompts: string): string | undefined;
  export function push_prompt_get(batch: number, prompts: string, question: string, now: number): string | undefined;
  export function push_prompt_set(batch: number, prompts: string, question: string, data: string, tokens: number, now: number): string | undefined;
  export function push_prompt_stats(batch: number, prompts: string, now: number): string | undefined;
  export function sessions_problem(config: string): string | undefined;
  export function push_session_load(batch: number, config: string, cookies: string, now: number): string | undefined;
  export function push_session_enter(batch: number, config: string, id: string, before: string, absoluteMs: number, now: number): string | undefined;
  export function push_session_save(batch: number, config: string, save: string, now: number): string | undefined;
  export function push_session_end(batch: number, config: string, id: string, user: string, handle: string, now: number): string | undefined;
  export function push_session_handles(batch: number, config: string, user: string, now: number): string | undefined;
  export function push_session_infos(batch: number, config: string, user: string, handles: string, now: number): string | undefined;
  export function push_session_end_all(batch: number, config: string, user: string, id: string, generation: string, now: number): string | undefined;
  export function session_refusal(config: string, save: string): string | undefined;
  export function session_id(config: string, id: string, user: string): string;
  export function session_csrf(config: string, id: string): string;
  export function session_csrf_holds(config: string, id: string, token: string): boolean;
  export function session_cookie_removal(config: string): string;
  export function outcome(batch: number, index: number, now: number): string;
  export function settled(batch: number): Numbers;
  export function answer(batch: number): Uint8Array | undefined;
  export function failure(batch: number, index: number): string;
  export function no_stream(status: number, contentType: string, body: Uint8Array): string;
  export function describe(text: Uint8Array): string;
  export function refusal(json: string, places: Uint32Array): string | undefined;
  export function end(batch: number): void;
}

// In the place of inflate.js, where there is none to pay for.
declare module "#inflate" {
  export const inflate: ((deflated: Uint8Array, most: number) => Uint8Array | undefined) | undefined;
}

// What the build puts in their place: the names of an entry, and its module as base64.
declare module "#entry" {}
declare module "#wasm" {
  const base64: string;
  export default base64;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
