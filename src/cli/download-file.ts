import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { Fault } from '../lib/errors.ts';
import { UsageError } from './usage-error.ts';

/**
 * The file that a download goes to: under `<path>.part` until it is whole, then under its name. What an earlier attempt
 * left is gone on with where that is wanted: it is compared with what comes, byte for byte, and only what lies behind
 * it is written.
 */
export class DownloadFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  /** How much of the beginning is there already. */
  readonly kept: number;
  #at = 0;

  private constructor(path: string, handle: FileHandle, kept: number) {
    this.#path = path;
    this.#handle = handle;
    this.kept = kept;
  }

  /** Refuses names that are taken. Writes nothing. */
  static async requireFree(path: string, options: { resume: boolean }): Promise<void> {
    if ((await stat(path).catch(() => null)) !== null)
      throw new UsageError(`${path} is there already: remove it or choose another name.`);
    const part = `${path}.part`;
    if ((await stat(part).catch(() => null)) !== null && !options.resume)
      throw new UsageError(`An earlier download left ${part}: go on with --resume, or remove it.`);
  }

  static async open(path: string, options: { resume: boolean }): Promise<DownloadFile> {
    await DownloadFile.requireFree(path, options);
    const part = `${path}.part`;
    const found = await stat(part).catch(() => null);
    const handle = await open(part, found === null ? 'wx+' : 'r+', 0o600);
    return new DownloadFile(path, handle, found?.size ?? 0);
  }

  async write(bytes: Buffer): Promise<void> {
    const known = Math.min(bytes.length, Math.max(0, this.kept - this.#at));
    if (known > 0) await this.#compare(bytes.subarray(0, known));
    if (known < bytes.length) await writeAll(this.#handle, bytes.subarray(known), this.#at + known);
    this.#at += bytes.length;
  }

  /** All of it was written: it gets its name. */
  async complete(): Promise<void> {
    if (this.kept > this.#at) throw this.#anotherFile();
    await this.#handle.sync();
    await this.#handle.close();
    await rename(`${this.#path}.part`, this.#path);
  }

  /** Leaves what there is, for another attempt. Nothing is no beginning: it would only be in the next one's way. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (this.#at === 0 && this.kept === 0) await rm(`${this.#path}.part`, { force: true });
  }

  async #compare(expected: Buffer): Promise<void> {
    const found = Buffer.alloc(expected.length);
    const { bytesRead } = await this.#handle.read(found, 0, found.length, this.#at);
    if (bytesRead !== found.length || !found.equals(expected)) throw this.#anotherFile();
  }

  #anotherFile(): Fault {
    return new Fault({
      op: 'download',
      subject: this.#path,
      message: `${this.#path}.part is not the beginning of this download`,
      hint: 'It was made of another snapshot, or by another version of Tidemark or Node: remove it and download again',
    });
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
