import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/**
 * No command of a test takes so long: two that wait for each other would otherwise keep the run for ever, without a
 * word.
 */
const ANSWER_LIMIT_MS = 180_000;

/** What the server answered instead of doing the command, or wrote beside its first failed write. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: number;
  readonly codeName: string;
  constructor(reply: Document) {
    super(`${reply.codeName ?? reply.code}: ${reply.errmsg}`);
    this.code = reply.code ?? 0;
    this.codeName = reply.codeName ?? '';
  }
}

/** Raw documents beside a command's body, under the name of the field that they stand for. */
export interface DocumentSequence {
  field: string;
  documents: readonly Buffer[];
}

interface Waiting {
  resolve: (reply: Document) => void;
  reject: (error: Error) => void;
}

/**
 * A bare OP_MSG connection: what we write with it reaches the server byte for byte (duplicate names, odd numbers, text
 * that is no UTF-8), which no driver promises. One command at a time each; several may wait in line.
 */
export class WireConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #requestId = 0;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#onData(data));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    socket.setTimeout(ANSWER_LIMIT_MS, () => {
      if (this.#waiting.length > 0)
        socket.destroy(new Error(`no answer of the server for ${ANSWER_LIMIT_MS / 1000} s`));
    });
  }

  static async open(port: number): Promise<WireConnection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new WireConnection(socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * Runs a command, given as an object or as raw BSON without `$db` checks; throws WireError unless the reply says ok
   * and has no write errors.
   */
  async command(body: Document | Buffer, sequences: readonly DocumentSequence[] = []): Promise<Document> {
    const reply = await this.#exchange(
      Buffer.isBuffer(body) ? body : BSON.serialize(body, { ignoreUndefined: false }),
      sequences,
    );
    if (reply.ok !== 1) throw new WireError(reply);
    if (reply.writeErrors?.length > 0) throw new WireError(reply.writeErrors[0]);
    if (reply.writeConcernError !== undefined) throw new WireError(reply.writeConcernError);
    return reply;
  }

  #exchange(body: Uint8Array, sequences: readonly DocumentSequence[]): Promise<Document> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const parts: Uint8Array[] = [Buffer.alloc(HEADER_BYTES + 5), body];
    for (const { field, documents } of sequences) {
      const name = Buffer.from(`${field}\0`);
      const size = documents.reduce((sum, document) => sum + document.length, 4 + name.length);
      const head = Buffer.alloc(5);
      head[0] = 1;
      head.writeInt32LE(size, 1);
      parts.push(head, name, ...documents);
    }
    const header = parts[0] as Buffer;
    header.writeInt32LE(
      parts.reduce((sum, part) => sum + part.length, 0),
      0,
    );
    header.writeInt32LE(++this.#requestId, 4);
    header.writeInt32LE(OP_MSG, 12);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  #onData(data: Buffer): void {
    this.#received.push(data);
    this.#receivedBytes += data.length;
    while (this.#receivedBytes >= HEADER_BYTES) {
      if ((this.#received[0] as Buffer).length < HEADER_BYTES) this.#received = [Buffer.concat(this.#received)];
      const length = (this.#received[0] as Buffer).readInt32LE(0);
      if (this.#receivedBytes < length) return;
      const all = Buffer.concat(this.#received);
      this.#received = all.length > length ? [all.subarray(length)] : [];
      this.#receivedBytes -= length;
      // Flags, then one body section: the server sends nothing else to us.
      const body = all.subarray(HEADER_BYTES + 5, length);
      this.#waiting.shift()?.resolve(BSON.deserialize(body, { validation: { utf8: false } }));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
