import { open, readFile } from 'node:fs/promises';
import { Fault, Misconfigured } from '../lib/errors.ts';
import { keepPrivate, requireSecret } from '../lib/private-files.ts';
import type { Random } from '../lib/random.ts';
import { SecretBox } from '../lib/secret-box.ts';

/** Reads the key that opens the catalog's secrets. */
export async function readSecretBox(path: string, random: Random): Promise<SecretBox> {
  await requireSecret(path).catch((error: unknown) => {
    // It is no option: nobody named this file on a command line.
    if (!(error instanceof Misconfigured)) throw error;
    throw new Fault({ op: 'open the secret key', subject: path, message: error.message, hint: error.hint ?? '' });
  });
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw secretKeyFault(path, 'cannot be read', cause);
  });
  if (bytes.length !== 32) throw secretKeyFault(path, 'is not 32 bytes long');
  return new SecretBox(bytes, random);
}

/** Makes the key where there is none. Flushed before anything is sealed with it. */
export async function makeSecretBox(path: string, random: Random): Promise<SecretBox> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.write(random.bytes(32));
      await file.sync();
    } finally {
      await file.close();
    }
    keepPrivate(path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'))
      throw secretKeyFault(path, 'cannot be made', cause, 'Name a data directory in which this user may make files');
  }
  return await readSecretBox(path, random);
}

function isForbidden(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM');
}

function secretKeyFault(path: string, what: string, cause?: unknown, hint?: string): Fault {
  return new Fault({
    op: 'open the secret key',
    subject: path,
    message: `the secret key ${path} ${what}`,
    hint:
      hint ??
      (isForbidden(cause)
        ? 'Give the user that runs Tidemark the right to read it, or run the command as that user'
        : 'Put the file back from a copy; or move catalog and key away and run `tidemark repository rebuild`'),
    cause,
  });
}
