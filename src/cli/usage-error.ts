/** The command line cannot be carried out as written; the message says how it can. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
