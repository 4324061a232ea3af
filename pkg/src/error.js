// The one error of this package.

/**
 * @typedef {"invalid_config" | "invalid_argument" | "unauthorized" | "forbidden" | "quota_exceeded" | "too_large" | "timeout"
 *   | "network" | "server_error" | "redis_error" | "unsupported" | "conflict" | "corrupt" | "aborted"} ErrorCode
 */

/** Every failure: match on `code`, never on the message, which holds no token, value or whole command. */
export class EdgeError extends Error {
  /** @param {ErrorCode} code @param {string} message @param {unknown} [cause] what was thrown underneath */
  constructor(code, message, cause) {
    super(message, cause === undefined ? cause : { cause });
    this.code = code;
    /** Whether the same call may succeed later. */
    this.retryable = /^(timeout|network|server_error|quota_exceeded|conflict)$/.test(code);
  }

  get name() {
    return "EdgeError";
  }
}

/** @param {string} message */
export const wrong = (message) => new EdgeError("invalid_config", message);

/** @param {string} message */
export const bad = (message) => new EdgeError("invalid_argument", message);
