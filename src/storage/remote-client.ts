import type { Attempt } from './remote-calls.ts';
import type { StoreProblem } from './store-fault.ts';

/**
 * What one provider's client does: single requests, none repeated. `RemoteStore` makes an object store of it. Names are
 * whole, with the prefix.
 */
export interface RemoteClient {
  /** Rejects with ConditionFailed where `ifAbsent` is asked for and there is one. `writeId` is kept with the object. */
  write(name: string, body: Uint8Array, options: WriteOptions, attempt: Attempt): Promise<void>;
  /** The whole object, or null where there is none. */
  read(name: string, attempt: Attempt): Promise<Buffer | null>;
  look(name: string, attempt: Attempt): Promise<RemoteInfo | null>;
  /** A part of the listing in byte order of the names, after the one that `token` ended. */
  page(prefix: string, from: { token: string | undefined; namesMax: number }, attempt: Attempt): Promise<RemotePage>;
  /** Succeeds where there is none. */
  remove(name: string, attempt: Attempt): Promise<void>;
  /** Where the bucket is, as its provider calls it; null where it does not say. */
  location(attempt: Attempt): Promise<string | null>;
  problemOf(error: unknown): StoreProblem;
  /** Why the provider keeps no object of that name, or null where it does. */
  whyNoName(name: string): string | null;
}

export interface WriteOptions {
  ifAbsent: boolean;
  writeId: string;
}

export interface RemoteInfo {
  name: string;
  sizeBytes: number;
  modifiedAtMs: number;
  /** Null in listings. */
  writeId: string | null;
}

export interface RemotePage {
  infos: RemoteInfo[];
  /** Undefined at the end. */
  next: string | undefined;
}

/** There is an object of that name already. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';
}

/** The metadata entry that says which put wrote an object. */
export const WRITE_ID = 'tidemarkwrite';
