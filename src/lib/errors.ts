/**
 * The world failed: a store, a server, a disk. (The caller's fault is a Refusal, in `domain/refusals`; ours is a
 * Bug, in `assert.ts`.) `hint` says what to do next, in a sentence that an operator can act on.
 */
export class Fault extends Error {
  override readonly name: string = 'Fault';
  readonly op: string;
  readonly subject: string;
  /**
   * Weather or fact: whether the same, asked again later, may well go otherwise (an election, a network that breaks, a
   * store that stalls). Where it is not said, a Fault is what the Fault that caused it is, else a fact.
   */
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(options: {
    op: string;
    subject: string;
    message: string;
    retryable?: boolean;
    hint?: string;
    cause?: unknown;
  }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.op = options.op;
    this.subject = options.subject;
    this.retryable = options.retryable ?? isWeather(options.cause);
    this.hint = options.hint;
  }
}

/**
 * What Tidemark was told cannot be carried out: an option, the variable that stands in for it, or what the file that
 * they name holds. On the command line that is wrong usage, whenever it is found out. `option` is its name in the
 * configuration: who shows the error knows under which name it was given.
 */
export class Misconfigured extends Fault {
  override readonly name = 'Misconfigured';
  readonly option: string | undefined;

  constructor(options: {
    op?: string;
    subject: string;
    message: string;
    hint: string;
    option?: string;
    cause?: unknown;
  }) {
    super({ op: 'read the configuration', ...options });
    this.option = options.option;
  }
}

/**
 * Something in the repository is missing or is not what was written. Never retryable: a second read gives the same
 * bytes.
 */
export class Damage extends Fault {
  override readonly name = 'Damage';

  constructor(options: Omit<ConstructorParameters<typeof Fault>[0], 'retryable'>) {
    super({ ...options, retryable: false });
  }
}

/** Whether what failed may go well another time: see `Fault.retryable`. */
export function isWeather(error: unknown): boolean {
  return error instanceof Fault && error.retryable;
}

/** The work was told to stop. */
export class Cancelled extends Error {
  override readonly name: string = 'Cancelled';
  constructor(message = 'cancelled') {
    super(message);
  }
}

/** Why a task ended that was told to stop, where nothing else has to be said. */
export const CANCELLED_ON_REQUEST = 'cancelled on request';

/** As Cancelled, but something that has to be known was left behind: the message says what, and what to do. */
export class CancelledHalfway extends Cancelled {
  override readonly name = 'Cancelled';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The message with its causes, outermost first, and the hint: what a person is shown. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let at: unknown = error;
  let hint: string | undefined;
  for (let depth = 0; at !== undefined && at !== null && depth < 5; depth++) {
    const message = messageOf(at);
    if (message !== '' && !parts.some((part) => part.includes(message))) parts.push(message);
    if (hint === undefined && at instanceof Fault) hint = at.hint;
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ') + (hint === undefined ? '' : `. ${hint}`);
}
