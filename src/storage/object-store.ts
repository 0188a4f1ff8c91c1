/**
 * Where bytes rest. The port, and the promises that every store makes; `test/conformance/object-store.suite.ts` holds
 * each one to them.
 *
 * 1. `put` is atomic: no reader and no crash ever shows part of an object. When it has resolved, the object survives
 *   power loss.
 * 2. Read after write: what `put` acknowledged, `get`, `head` and `list` see, from every process.
 * 3. `put` with `ifAbsent` writes only if no object has that key, also against other processes; else it rejects with
 *   ObjectExists and changes nothing.
 * 4. `get` gives the whole object or rejects; it never gives a prefix of it.
 * 5. `list` gives every object below the prefix once, in byte order of the keys, whatever their number, in bounded
 *   memory. (Of `any` keys, those beyond ASCII come in the provider's own order.)
 * 6. `delete` of what is not there succeeds.
 * 7. The buffer that `get` gives is the caller's alone, and so is the one given to `put` once that has settled.
 * 8. Every call ends soon after its signal fires, rejecting, without leaving part of an object.
 */
export interface ObjectStore {
  /** For people and error messages: where this is, without secrets. */
  readonly description: string;
  put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void>;
  /** Rejects with ObjectMissing where there is none. */
  get(objectKey: string, options?: CallOptions): Promise<Buffer>;
  /** Size and time, or null where there is none. */
  head(objectKey: string, options?: CallOptions): Promise<ObjectInfo | null>;
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
  delete(objectKey: string, options?: CallOptions): Promise<void>;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  ifAbsent?: boolean;
}

export interface ObjectInfo {
  objectKey: string;
  sizeBytes: number;
  modifiedAtMs: number;
}

export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';
  readonly objectKey: string;
  constructor(objectKey: string, where: string) {
    super(`there is no object ${objectKey} in ${where}`);
    this.objectKey = objectKey;
  }
}

export class ObjectExists extends Error {
  override readonly name = 'ObjectExists';
  readonly objectKey: string;
  constructor(objectKey: string, where: string) {
    super(`an object ${objectKey} is already in ${where}`);
    this.objectKey = objectKey;
  }
}

/**
 * Which keys a store takes. `repository`: those of our own making, see `isValidObjectKey`. `any`: what exports need,
 * whose keys are made of the names of databases and collections: UTF-8 of at most 1024 bytes (what S3, Azure and Cloud
 * Storage take alike), no control characters, no segment empty, `.` or `..`.
 */
export type ObjectKeys = 'repository' | 'any';

export function isObjectKeyOf(objectKeys: ObjectKeys, objectKey: string): boolean {
  return objectKeys === 'any' ? isPortableObjectKey(objectKey) : isValidObjectKey(objectKey);
}

const OBJECT_KEY_BYTES_MAX = 1024;

function isPortableObjectKey(objectKey: string): boolean {
  if (!objectKey.isWellFormed() || Buffer.byteLength(objectKey) > OBJECT_KEY_BYTES_MAX) return false;
  if (/\p{Cc}/u.test(objectKey)) return false;
  return objectKey.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** By the bytes of their UTF-8, which is how every store lists; JavaScript's own order differs beyond U+FFFF. */
export function compareObjectKeys(left: string, right: string): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return left.length - right.length;
}

/** Surrogates stand for what sorts behind every other code unit. */
function rankOf(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit;
}

/**
 * Keys are `/`-separated segments of `[A-Za-z0-9._-]`, none of them `.` or `..` or empty, at most 512 bytes: they mean
 * the same to a file system that folds case as to S3. (Our own keys are lower-case hex and fixed words; only the
 * catalog copies' times have upper-case letters, `T` and `Z`.)
 */
export function isValidObjectKey(objectKey: string): boolean {
  if (objectKey.length === 0 || objectKey.length > 512) return false;
  return objectKey
    .split('/')
    .every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && segment !== '.' && segment !== '..');
}
