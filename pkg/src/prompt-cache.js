// Answers of a language model, by exactly the same question.

import * as core from "#core";
import { canonical } from "./canonical.js";
import { isText } from "./commands.js";
import { milliseconds } from "./duration.js";
import { bad, wrong } from "./error.js";
import { jsonOf } from "./json.js";
import { ask } from "./redis.js";
import { told } from "./tape.js";

/** @typedef {import("./redis.js").Redis} Redis */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The question as canonical JSON, and how hot it is. @param {any} question @returns {[string, number]} */
function asked(question) {
  try {
    const { model, prompt, temperature = 0 } = question;
    const text = canonical(question);
    if (model && isText(model) && prompt !== undefined && temperature >= 0 && Number.isFinite(temperature)) return [text, temperature];
  } catch {
    // What is thrown may quote it.
  }
  throw bad("a question must be an object that JSON can hold, with a model, a prompt and, if it has one, a temperature of 0 or more");
}

export class PromptCache {
  #redis;
  #timeoutMs;
  #maxTemperature;
  #config;

  /** @param {Redis} redis @param {any} [options] */
  constructor(redis, options) {
    const { name = "prompts", ttl = "24h", maxTemperature = 0, timeout = "500ms" } = options ?? {};
    if (!isText(name)) throw wrong("name must be a well-formed string");
    if (typeof maxTemperature !== "number" || !(maxTemperature >= 0)) throw wrong("maxTemperature must be a number, 0 or more");
    this.#redis = redis;
    this.#timeoutMs = milliseconds("timeout", timeout);
    this.#maxTemperature = maxTemperature;
    this.#config = JSON.stringify([name, `${milliseconds("ttl", ttl)}`, `${this.#timeoutMs}`]);
    const problem = core.prompts_problem(this.#config);
    if (problem) throw told(problem);
  }

  /** @param {object} question @param {{bypass?: boolean}} [options] */
  async get(question, options) {
    const [text, temperature] = asked(question);
    if (options?.bypass || temperature > this.#maxTemperature) return undefined;
    try {
      const { numbers, answers } = await this.#ask((handle) => core.push_prompt_get(handle, this.#config, text, Date.now()));
      const [tokensUsed, cachedAt, hits, answer, start, end] = numbers;
      if (answer === undefined) return undefined;
      const data = JSON.parse(decoder.decode(answers[answer]?.subarray(start, end)));
      return { data, metadata: { tokensUsed, cachedAt: new Date(cachedAt).toISOString(), hits } };
    } catch (error) {
      // To who reads, what fails is not there; who gave up is told.
      if (/** @type {any} */ (error).code === "aborted") throw error;
      return undefined;
    }
  }

  /** @param {object} question @param {unknown} data @param {{tokensUsed: number}} metadata */
  async set(question, data, metadata) {
    const [text, temperature] = asked(question);
    const json = jsonOf(data);
    const tokens = metadata?.tokensUsed;
    if (!Number.isSafeInteger(tokens) || tokens < 0) throw bad("metadata.tokensUsed must be a whole number, 0 or more");
    if (temperature > this.#maxTemperature) return;
    await this.#ask((handle) => core.push_prompt_set(handle, this.#config, text, json, tokens, Date.now()));
  }

  async stats() {
    const [hits, misses, tokensSaved] = await this.#ask((handle) => core.push_prompt_stats(handle, this.#config, Date.now()));
    return { hits, misses, hitRate: hits / Math.max(1, hits + misses), tokensSaved };
  }

  /** @param {(handle: number) => string | undefined} op @returns {Promise<any>} */
  #ask(op) {
    return ask(this.#redis, op, this.#timeoutMs);
  }
}
