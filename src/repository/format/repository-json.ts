import { createHash } from 'node:crypto';
import { Damage, Fault } from '../../lib/errors.ts';
import type { Chunker } from '../layers/boundaries.ts';
import { JsonFields } from './json-fields.ts';

export const REPOSITORY_JSON = 'repository.json';
/** The same bytes again: what one of the two has lost is taken from the other. */
export const REPOSITORY_JSON_COPY = 'repository.copy.json';
const FORMAT = 'tidemark-repository';
/** Newest first. What a repository of version 1 becomes, and when: `docs/repository-format.md`, Versions. */
const VERSIONS = [2, 1] as const;
export const NEWEST_VERSION = VERSIONS[0];
export type FormatVersion = (typeof VERSIONS)[number];

export interface ScryptParameters {
  n: number;
  r: number;
  p: number;
  salt: Buffer;
}

export interface RepositoryEncryption {
  scrypt: ScryptParameters;
  /** There is one data key. `wrapped` is nonce, ciphertext, tag. */
  dataKey: { id: string; wrapped: Buffer };
}

/**
 * What `repository.json` says. `seed` is null where the repository is encrypted: it is then derived from the data key.
 */
export interface RepositoryJson {
  version: FormatVersion;
  repositoryId: string;
  createdAt: string;
  chunker: Omit<Chunker, 'seed'> & { seed: number | null };
  compressionLevel: number;
  encryption: RepositoryEncryption | null;
}

export function encodeRepositoryJson(description: RepositoryJson): Buffer {
  const { repositoryId, createdAt, chunker, encryption } = description;
  const { minBytes, targetBytes, maxBytes, seed } = chunker;
  const json = {
    format: FORMAT,
    version: description.version,
    repositoryId,
    createdAt,
    chunker: { minBytes, targetBytes, maxBytes, ...(seed === null ? {} : { seed }) },
    compression: { algorithm: 'zstd', level: description.compressionLevel },
    encryption:
      encryption === null
        ? null
        : {
            cipher: 'aes-256-gcm',
            kdf: { algorithm: 'scrypt', ...encryption.scrypt, salt: encryption.scrypt.salt.toString('base64') },
            dataKeys: [{ id: encryption.dataKey.id, wrapped: encryption.dataKey.wrapped.toString('base64') }],
          },
  };
  return Buffer.from(`${JSON.stringify({ ...json, checksum: checksumOf(json) }, null, 2)}\n`);
}

/** Over the fields in their order, whatever the white space. */
function checksumOf(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** Whether a checksum is there to be held against; descriptions of before there were any have none. */
export function hasChecksum(bytes: Buffer): boolean {
  const json = parse(bytes, REPOSITORY_JSON);
  return typeof json === 'object' && json !== null && 'checksum' in json;
}

/** Damage where it is not what a Tidemark wrote; a Fault where a newer Tidemark wrote it. */
export function decodeRepositoryJson(bytes: Buffer, subject: string): RepositoryJson {
  const json = parse(bytes, subject);
  const fields = new JsonFields(json, subject);
  if (fields.text('format') !== FORMAT) throw fields.damaged('it is not a description of a Tidemark repository');
  const version = fields.count('version');
  const known = VERSIONS.find((each) => each === version);
  if (known === undefined) {
    throw new Fault({
      op: 'open repository',
      subject,
      message: `the repository has format version ${version}; this Tidemark reads versions ${VERSIONS.toSorted().join(' and ')}`,
      hint: 'Use the Tidemark version that created it, or a newer one',
    });
  }
  if (fields.has('checksum')) {
    const { checksum, ...covered } = json as Record<string, unknown>;
    if (checksum !== checksumOf(covered)) throw fields.damaged('it was changed: its checksum does not hold');
  }
  const compression = fields.object('compression');
  compression.oneOf('algorithm', ['zstd']);
  const encryption = fields.objectOrNull('encryption');
  return {
    version: known,
    repositoryId: fields.id('repositoryId'),
    createdAt: fields.time('createdAt'),
    chunker: decodeChunker(fields.object('chunker'), encryption !== null),
    compressionLevel: compression.count('level', 22),
    encryption: encryption === null ? null : decodeEncryption(encryption),
  };
}

function parse(bytes: Buffer, subject: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw new Damage({ op: 'open repository', subject, message: `${subject} is not JSON`, cause });
  }
}

function decodeChunker(fields: JsonFields, encrypted: boolean): RepositoryJson['chunker'] {
  const chunker = {
    minBytes: fields.count('minBytes', 0xffff_ffff),
    targetBytes: fields.count('targetBytes', 0xffff_ffff),
    maxBytes: fields.count('maxBytes', 0xffff_ffff),
    seed: encrypted ? null : fields.count('seed', 0xffff_ffff),
  };
  const { minBytes, targetBytes, maxBytes } = chunker;
  if (minBytes < 1 || targetBytes < minBytes || maxBytes < targetBytes) throw fields.damaged('its sizes do not rise');
  return chunker;
}

function decodeEncryption(fields: JsonFields): RepositoryEncryption {
  fields.oneOf('cipher', ['aes-256-gcm']);
  const kdf = fields.object('kdf');
  kdf.oneOf('algorithm', ['scrypt']);
  const [dataKey, ...others] = fields.objects('dataKeys');
  if (dataKey === undefined || others.length > 0) throw fields.damaged('there is not exactly one data key');
  return {
    // The bounds keep a forged file from asking for gigabytes of memory.
    scrypt: { n: kdf.count('n', 1 << 20), r: kdf.count('r', 32), p: kdf.count('p', 16), salt: kdf.base64('salt') },
    dataKey: { id: dataKey.id('id'), wrapped: dataKey.base64('wrapped') },
  };
}
