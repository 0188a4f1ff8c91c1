/** The command line cannot be carried out as written; the message says how it can. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** It was understood, and there is nothing of that name; the message says what there is. Exit code 3. */
export class NothingFound extends Error {
  override readonly name = 'NothingFound';
}
