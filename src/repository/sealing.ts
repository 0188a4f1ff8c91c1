import { promisify } from 'node:util';
import {
  constants,
  type ZstdOptions,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { assert } from '../lib/assert.ts';
import { Damage } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { blobIdOf, decrypt, ENCRYPTION_OVERHEAD_BYTES, encryptInto, type RepositoryKeys } from './encryption.ts';
import {
  AUTHENTICATED_HEADER_BYTES,
  type BlobKind,
  ENVELOPE_HEADER_BYTES,
  type EnvelopeHeader,
  type EnvelopeKind,
  parseEnvelope,
  writeEnvelopeChecksum,
  writeEnvelopeHeader,
} from './format/envelope.ts';

const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** Node's default of 16 KiB means a round trip to the pool for each; a megabyte makes zstd half again as fast. */
const COMPRESS_CHUNK_BYTES = 1 << 20;
const DECOMPRESS_CHUNK_BYTES_MAX = 32 << 20;
/** Keeps the hashes of names apart from those of blobs. */
const NAME_KIND = 0;
/**
 * Up to here a trip to the pool takes longer than the work (0.2 ms, and 0.1 ms for 64 KiB): compressed and decompressed
 * at once.
 */
const AT_ONCE_BYTES_MAX = 64 << 10;
/** Not worth compressing. */
const COMPRESS_BYTES_MIN = 64;

/**
 * Turns payloads into objects and back: compression, encryption, envelope, and on the way back every check that the
 * format asks for.
 */
export class Sealer {
  readonly #keys: RepositoryKeys | null;
  readonly #random: Random;
  readonly #compressionLevel: number;

  constructor(keys: RepositoryKeys | null, random: Random, compressionLevel: number) {
    this.#keys = keys;
    this.#random = random;
    this.#compressionLevel = compressionLevel;
  }

  /** 64 hex digits. */
  blobId(kind: BlobKind, payload: Uint8Array): string {
    return blobIdOf(kind, payload, this.#keys?.blobId ?? null);
  }

  /** 24 hex digits that stand for a user's name in an object's name. */
  nameId(name: string): string {
    return blobIdOf(NAME_KIND, Buffer.from(name, 'utf8'), this.#keys?.blobId ?? null).slice(0, 24);
  }

  /** The object. `boundTo` is what the format authenticates beside the header. */
  async seal(kind: EnvelopeKind, payload: Uint8Array, boundTo: Uint8Array): Promise<Buffer> {
    const compressed = await this.#compress(payload);
    const body = compressed ?? payload;
    const encrypted = this.#keys !== null;
    const overhead = ENVELOPE_HEADER_BYTES + (encrypted ? ENCRYPTION_OVERHEAD_BYTES : 0);
    const object = Buffer.allocUnsafeSlow(overhead + body.length);
    writeEnvelopeHeader(object, { kind, compressed: compressed !== null, encrypted, plainBytes: payload.length });
    const into = object.subarray(ENVELOPE_HEADER_BYTES);
    if (this.#keys === null) into.set(body);
    else encryptInto(into, this.#keys.encrypt, this.#random.bytes(12), body, authenticatedBy(object, boundTo));
    writeEnvelopeChecksum(object);
    return object;
  }

  /** The payload, or Damage that names `subject`. Nothing in the buffer returned is shared with anybody. */
  async unseal(kind: EnvelopeKind, object: Buffer, boundTo: Uint8Array, subject: string): Promise<Buffer> {
    const { header, body } = parseEnvelope(object, { kind, encrypted: this.#keys !== null }, subject);
    const opened = this.#keys === null ? body : decrypt(this.#keys.encrypt, body, authenticatedBy(object, boundTo));
    if (opened === null) {
      throw new Damage({ op: 'read object', subject, message: `${subject} does not decrypt: its tag is wrong` });
    }
    const payload = header.compressed ? await this.#decompress(opened, header, subject) : opened;
    if (payload.length !== header.plainBytes) {
      const message = `${subject} holds ${payload.length} bytes, not ${header.plainBytes}`;
      throw new Damage({ op: 'read object', subject, message });
    }
    return payload;
  }

  /** Null where compressing does not pay. */
  async #compress(payload: Uint8Array): Promise<Buffer | null> {
    if (payload.length < COMPRESS_BYTES_MIN) return null;
    const options: ZstdOptions = {
      chunkSize: Math.min(COMPRESS_CHUNK_BYTES, payload.length + 1024),
      params: { [constants.ZSTD_c_compressionLevel]: this.#compressionLevel },
      pledgedSrcSize: payload.length,
    };
    const atOnce = payload.length <= AT_ONCE_BYTES_MAX;
    const compressed = atOnce ? zstdCompressSync(payload, options) : await compressAsync(payload, options);
    assert(compressed.length > 0, 'a zstd frame is never empty');
    return compressed.length < payload.length ? compressed : null;
  }

  async #decompress(body: Buffer, header: EnvelopeHeader, subject: string): Promise<Buffer> {
    const { plainBytes } = header;
    try {
      // One byte more than is expected: zstd then ends within one call, and bytes too many are noticed.
      const chunkSize = Math.min(plainBytes + 1, DECOMPRESS_CHUNK_BYTES_MAX);
      const options: ZstdOptions = { chunkSize: Math.max(chunkSize, 64), maxOutputLength: plainBytes + 1 };
      const atOnce = plainBytes <= AT_ONCE_BYTES_MAX;
      return atOnce ? zstdDecompressSync(body, options) : await decompressAsync(body, options);
    } catch (cause) {
      throw new Damage({ op: 'read object', subject, message: `${subject} does not decompress`, cause });
    }
  }
}

function authenticatedBy(object: Buffer, boundTo: Uint8Array): Uint8Array[] {
  return [object.subarray(0, AUTHENTICATED_HEADER_BYTES), boundTo];
}
