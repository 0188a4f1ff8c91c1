import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';
import { orAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Semaphore } from '../../lib/bounded.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { ThreadAnswer, ThreadRequest } from './transcoder-thread.ts';
import type { BlockTranscoder, Transcoded, TranscodeOptions } from './transcoding.ts';

/**
 * Transcodes in threads, one block in each at a time; more wait for a thread that is free. A thread is started when
 * there is a block and none is free, and kept until `close`. One whose block is given up (its signal fired) or that
 * ended by itself is never used again.
 */
export class TranscoderPool implements BlockTranscoder {
  readonly parallel: number;
  readonly #slots: Semaphore;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #closed = false;

  constructor({ threads }: { threads: number }) {
    assert(threads >= 1, 'a pool has a thread');
    // One block for each thread, and one more that is ready when a thread is.
    this.parallel = threads + 1;
    this.#slots = new Semaphore(threads);
  }

  async transcode(documents: Buffer<ArrayBuffer>, how: TranscodeOptions): Promise<Transcoded> {
    assert(!this.#closed, 'a closed pool is given nothing');
    const { signal } = how;
    const release = await this.#slots.acquire(1, signal);
    try {
      throwIfAborted(signal);
      return await this.#inThread(documents, how);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#idle.length = 0;
    await Promise.all([...this.#all].map(async (thread) => await this.#end(thread)));
  }

  async #inThread(documents: Buffer<ArrayBuffer>, { signal, compress }: TranscodeOptions): Promise<Transcoded> {
    const thread = this.#idle.pop() ?? this.#start();
    assert(this.#all.has(thread), 'a thread that has ended is not idle');
    const whole = documents.byteLength === documents.buffer.byteLength;
    const sent = whole ? new Uint8Array(documents.buffer) : new Uint8Array(documents);
    const answered = answerOf(thread);
    thread.postMessage({ documents: sent, compress } satisfies ThreadRequest, [sent.buffer]);
    let answer: ThreadAnswer;
    try {
      answer = await orAbort(answered, signal);
    } catch (error) {
      await this.#end(thread);
      throw error;
    }
    if (!this.#closed) this.#idle.push(thread);
    if ('member' in answer) return { ...answer, member: Buffer.from(answer.member.buffer) };
    throw new Damage({ op: 'transcode', subject: 'documents', message: `documents are no BSON: ${answer.problem}` });
  }

  #start(): Worker {
    const thread = startThread();
    // Without a listener an error of an idle thread would end the process; the block that meets its absence says so.
    thread.on('error', () => this.#forget(thread));
    thread.on('exit', () => this.#forget(thread));
    this.#all.add(thread);
    return thread;
  }

  #forget(thread: Worker): void {
    this.#all.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  async #end(thread: Worker): Promise<void> {
    this.#forget(thread);
    await thread.terminate();
  }
}

/** In the executable of one file the thread's program is an asset of it; elsewhere it is the file beside us. */
function startThread(): Worker {
  if (isSea()) return new Worker(getAsset('transcoder-thread', 'utf8'), { name: 'transcoder', eval: true });
  const file = import.meta.url.endsWith('.ts') ? './transcoder-thread.ts' : './transcoder-thread.js';
  return new Worker(new URL(file, import.meta.url), { name: 'transcoder' });
}

/** What the thread says next; a retryable Fault when it ends instead. */
async function answerOf(thread: Worker): Promise<ThreadAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>();
  const ended = (cause: unknown): void => {
    const message = 'a thread ended while it transcoded documents';
    reject(new Fault({ op: 'transcode', subject: 'documents', message, retryable: true, cause }));
  };
  const onExit = (): void => ended(undefined);
  thread.once('message', resolve);
  thread.once('error', ended);
  thread.once('exit', onExit);
  try {
    return await promise;
  } finally {
    thread.off('message', resolve);
    thread.off('error', ended);
    thread.off('exit', onExit);
  }
}
