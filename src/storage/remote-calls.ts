import { orAbort, throwIfAborted } from '../lib/abort.ts';
import { backoffOf } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { ObjectExists, ObjectMissing } from './object-store.ts';
import { StoreFault, type StoreProblem, storeProblems } from './store-fault.ts';

/** How patient we are with a store on the network. */
export interface CallPolicy {
  attemptsMax: number;
  /** The first wait before another attempt is a random part of this, every further one of twice the last. */
  backoffMs: number;
  backoffMaxMs: number;
  /** An attempt that makes no progress for so long is given up. */
  idleMs: number;
  /** What is sent need not go faster than this. */
  uploadBytesPerSecondMin: number;
}

export const defaultCallPolicy: CallPolicy = {
  attemptsMax: 7,
  backoffMs: 200,
  backoffMaxMs: 10_000,
  idleMs: 30_000,
  uploadBytesPerSecondMin: 128 * 1024,
};

export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Fires when the caller gives up, or this attempt is too slow. */
  readonly signal: AbortSignal;
  /** Called whenever something arrives. */
  readonly progress: () => void;
}

export interface Call {
  op: string;
  subject: string;
  /** How much is sent. */
  sentBytes?: number;
  signal?: AbortSignal | undefined;
}

/** One attempt made no progress for too long. */
export class SlowAnswer extends Error {
  override readonly name = 'SlowAnswer';
}

/** The answer ended before its announced length. */
export class TruncatedAnswer extends Error {
  override readonly name = 'TruncatedAnswer';
}

export interface CallTools {
  clock: Clock;
  random: Random;
  policy: CallPolicy;
}

/**
 * Runs calls to one store: each attempt within its time, again after what passes, never without bound. The clients' own
 * retries are off: this is the only place that repeats anything.
 */
export class RemoteCalls {
  readonly #where: string;
  readonly #problemOf: (error: unknown) => StoreProblem;
  readonly #tools: CallTools;

  constructor(where: string, problemOf: (error: unknown) => StoreProblem, tools: CallTools) {
    this.#where = where;
    this.#problemOf = problemOf;
    this.#tools = tools;
  }

  /**
   * ObjectExists and ObjectMissing pass as they are, and so does the caller's abort; everything else becomes a
   * StoreFault.
   */
  async run<T>(call: Call, work: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { policy, clock } = this.#tools;
    for (let number = 1; ; number++) {
      throwIfAborted(call.signal);
      try {
        return await this.#attempt(call, number, work);
      } catch (error) {
        throwIfAborted(call.signal);
        if (error instanceof ObjectExists || error instanceof ObjectMissing) throw error;
        const problem = networkProblem(error) ?? this.#problemOf(error);
        if (!storeProblems[problem].retryable || number >= policy.attemptsMax)
          throw this.#faultOf(call, problem, error);
      }
      await orAbort(clock.sleep(this.#waitMs(number), call.signal), call.signal);
    }
  }

  async #attempt<T>(call: Call, number: number, work: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { clock, policy } = this.#tools;
    const given = new AbortController();
    const ended = new AbortController();
    const onAbort = (): void => given.abort(call.signal?.reason);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    const sendingMs = ((call.sentBytes ?? 0) / policy.uploadBytesPerSecondMin) * 1000;
    let dueMs = clock.monotonicMs() + policy.idleMs + sendingMs;
    const watch = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        const leftMs = dueMs - clock.monotonicMs();
        if (leftMs <= 0) {
          given.abort(new SlowAnswer(`no answer within ${Math.round(policy.idleMs + sendingMs)} ms`));
          return;
        }
        await clock.sleep(leftMs, ended.signal).catch(() => undefined);
      }
    };
    const watching = watch();
    const progress = (): void => {
      dueMs = Math.max(dueMs, clock.monotonicMs() + policy.idleMs);
    };
    try {
      return await orAbort(work({ number, signal: given.signal, progress }), given.signal);
    } finally {
      ended.abort();
      call.signal?.removeEventListener('abort', onAbort);
      await watching;
    }
  }

  /** Full jitter, so that many who were turned away together do not come back together. */
  #waitMs(number: number): number {
    const { policy, random } = this.#tools;
    const most = backoffOf({ first: policy.backoffMs, most: policy.backoffMaxMs }, number);
    return Math.ceil((most * random.bytes(4).readUInt32LE(0)) / 2 ** 32);
  }

  #faultOf({ op, subject }: Call, problem: StoreProblem, cause: unknown): StoreFault {
    const message = `cannot ${op} ${subject === '' ? '' : `${subject} `}in ${this.#where}: ${reasonOf(cause)}`;
    return new StoreFault({ op, subject, message, problem, cause });
  }
}

/** Some clients' messages are empty or a name alone; the code, then, says more. */
function reasonOf(cause: unknown): string {
  const innermost = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const message = messageOf(innermost).trim().replace(/\s+/g, ' ');
  const code = codeOf(innermost) ?? codeOf(cause);
  const text = message === '' || message === 'UnknownError' ? (code ?? 'no reason given') : message;
  return code !== undefined && !text.includes(code) ? `${text} (${code})` : text;
}

const NETWORK_CODES = new Set(
  'ECONNRESET ECONNREFUSED ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ERR_STREAM_PREMATURE_CLOSE UND_ERR_SOCKET UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT REQUEST_SEND_ERROR'.split(
    ' ',
  ),
);

/** What every client meets alike: the connection, not an answer. */
function networkProblem(error: unknown): StoreProblem | null {
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 4; depth++) {
    if (at instanceof SlowAnswer || at instanceof TruncatedAnswer) return 'unreachable';
    // The caller's own abort was seen to before: what is left is a connection that ended.
    if (at.name === 'AbortError') return 'unreachable';
    const code = codeOf(at);
    if (code !== undefined && (NETWORK_CODES.has(code) || /^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO)/.test(code)))
      return 'unreachable';
    at = at.cause;
  }
  return null;
}

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What an HTTP status says where the error code says nothing. */
export function problemOfStatus(status: number | undefined): StoreProblem {
  if (status === undefined) return 'refused';
  if (status === 401) return 'credentials';
  if (status === 403) return 'denied';
  if (status === 301 || status === 307) return 'region';
  if (status === 507) return 'full';
  if (status >= 500 || status === 429 || status === 408) return 'busy';
  return 'refused';
}
