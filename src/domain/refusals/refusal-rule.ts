/** What is answered under one refusal's code. */
export interface RefusalRule {
  status: 400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 429 | 500 | 503;
  /** `{0}`, `{1}`, ... are the parameters, which also travel in the error body. */
  detail: string;
  /** Cause and remedy, for `docs/errors.md`. */
  remedy: string;
}
