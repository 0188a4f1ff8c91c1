import { BSON, type Document, Int32, Long } from 'mongodb';

/**
 * A strict reader of mongodump archives, after their public specification. Shares no code with the writer. Whatever is
 * not as the specification, or what the tools demand of it, says is thrown with the byte at which it was met.
 */
export interface ParsedArchive {
  header: { concurrentCollections: number; serverVersion: string; toolVersion: string };
  /** By `db.collection`, in the order of the archive. */
  collections: Map<string, ParsedCollection>;
  /** Whole entries; null where the archive has no oplog. */
  oplog: Buffer[] | null;
}

export interface ParsedCollection {
  db: string;
  name: string;
  type: string;
  metadata: string;
  size: number;
  /** Whole documents in order; of a time series those of its buckets. */
  documents: Buffer[];
}

const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;
const BUCKETS = 'system.buckets.';
/** As readers know it: a database without a name. */
const OPLOG = '.oplog';

export function parseArchive(bytes: Buffer): ParsedArchive {
  const reader = new ArchiveReader(bytes);
  reader.expectMagic();
  const header = readHeader(reader);
  const collections = new Map<string, ParsedCollection>();
  for (let document = reader.next(); document !== null; document = reader.next()) {
    const collection = readMetadata(reader, document);
    const namespace = `${collection.db}.${collection.name}`;
    if (collections.has(namespace)) throw reader.wrong(`${namespace} is listed twice`);
    collections.set(namespace, collection);
  }
  readBlocks(reader, collections);
  const oplog = collections.get(OPLOG)?.documents ?? null;
  collections.delete(OPLOG);
  return { header, collections, oplog };
}

class ArchiveReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  expectMagic(): void {
    if (this.#bytes.length < 4 || this.#bytes.readUInt32LE(0) !== 0x8199e26d) throw this.wrong('no magic number');
    this.#at = 4;
  }

  /** The next document, or null for a terminator. */
  next(): Buffer | null {
    if (this.#at + 4 > this.#bytes.length) throw this.wrong('the archive is cut off');
    const length = this.#bytes.readInt32LE(this.#at);
    if (length === -1) {
      this.#at += 4;
      return null;
    }
    if (length < 5 || length > DOCUMENT_BYTES_MAX) throw this.wrong(`${length} is no length and no terminator`);
    const document = this.#bytes.subarray(this.#at, this.#at + length);
    if (document.length < length) throw this.wrong('a document is cut off');
    if (document[length - 1] !== 0) throw this.wrong('a document does not end with NUL');
    this.#at += length;
    return document;
  }

  /** A document with exactly these fields, in this order. */
  fields(document: Buffer | null, names: readonly string[]): Document {
    if (document === null) throw this.wrong('a terminator instead of a document');
    const found = BSON.deserialize(document, { promoteValues: false });
    if (Object.keys(found).join() !== names.join())
      throw this.wrong(`fields ${Object.keys(found)} instead of ${names}`);
    return found;
  }

  wrong(what: string): Error {
    return new Error(`not an archive at byte ${this.#at}: ${what}`);
  }
}

function readHeader(reader: ArchiveReader): ParsedArchive['header'] {
  const names = ['concurrent_collections', 'version', 'server_version', 'tool_version'];
  const fields = reader.fields(reader.next(), names);
  if (!(fields.concurrent_collections instanceof Int32)) throw reader.wrong('concurrent_collections is no int32');
  if (fields.version !== '0.1') throw reader.wrong(`version ${fields.version}`);
  if (!/^\d+\.\d+\.\d+/.test(fields.server_version)) throw reader.wrong(`server_version ${fields.server_version}`);
  const concurrentCollections = fields.concurrent_collections.value;
  return { concurrentCollections, serverVersion: fields.server_version, toolVersion: fields.tool_version };
}

function readMetadata(reader: ArchiveReader, document: Buffer): ParsedCollection {
  const fields = reader.fields(document, ['db', 'collection', 'metadata', 'size', 'type']);
  const { db, collection: name, metadata, size, type } = fields;
  for (const text of [db, name, metadata, type])
    if (typeof text !== 'string') throw reader.wrong('metadata that is no text');
  if (name === '') throw reader.wrong('a collection without a name');
  if (db === '' && (name !== 'oplog' || metadata !== '' || type !== ''))
    throw reader.wrong(`${name} without a database`);
  if (!(size instanceof Int32 || size instanceof Long)) throw reader.wrong('a size that is no integer');
  if (metadata !== '') JSON.parse(metadata);
  return { db, name, type, metadata, size: Number(size), documents: [] };
}

function readBlocks(reader: ArchiveReader, collections: ReadonlyMap<string, ParsedCollection>): void {
  const waiting = new Map(
    [...collections.values()].map((entry) => {
      const name = entry.type === 'timeseries' ? BUCKETS + entry.name : entry.name;
      return [`${entry.db}.${name}`, entry];
    }),
  );
  const sums = new Map<string, Sum>();
  let othersBegan = false;
  while (!reader.ended) {
    const fields = reader.fields(reader.next(), ['db', 'collection', 'EOF', 'CRC']);
    if (typeof fields.EOF !== 'boolean' || !(fields.CRC instanceof Long))
      throw reader.wrong('EOF or CRC of a wrong type');
    const namespace = `${fields.db}.${fields.collection}`;
    const collection = waiting.get(namespace);
    if (collection === undefined) throw reader.wrong(`${namespace} is not listed or has ended`);
    // The tools want these before they begin with anything else.
    if (!/^admin\.system\.(users|roles|version)$/.test(namespace)) othersBegan = true;
    else if (othersBegan) throw reader.wrong(`${namespace} comes after others`);
    // The tools end their restore of collections with it, and cannot take one without entries.
    if (namespace === OPLOG && waiting.size > 1) throw reader.wrong('the oplog is not the last');
    if (namespace === OPLOG && fields.EOF && !sums.has(OPLOG)) throw reader.wrong('an oplog without entries');
    const documents: Buffer[] = [];
    for (let document = reader.next(); document !== null; document = reader.next()) documents.push(document);
    if (!fields.EOF) {
      if (!fields.CRC.isZero()) throw reader.wrong('a checksum that is not at the end');
      if (documents.length === 0) throw reader.wrong(`a segment of ${namespace} without documents`);
      sums.set(namespace, documents.reduce(addToCrc, sums.get(namespace) ?? ALL_ONES));
      for (const document of documents) collection.documents.push(document);
      continue;
    }
    if (documents.length > 0) throw reader.wrong('documents after the end');
    const sum = finalCrc(sums.get(namespace) ?? ALL_ONES);
    if (fields.CRC.toBigInt() !== sum) throw reader.wrong(`the checksum of ${namespace} is ${fields.CRC}, not ${sum}`);
    waiting.delete(namespace);
  }
  if (waiting.size > 0) throw reader.wrong(`no end of ${[...waiting.keys()]}`);
}

/** The register of the checksum, in two halves. */
type Sum = readonly [high: number, low: number];

const ALL_ONES: Sum = [0xffffffff, 0xffffffff];
const TABLE: readonly Sum[] = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ 0xc96c5795d7870f42n : value >> 1n;
  return [Number(value >> 32n), Number(value & 0xffffffffn)];
});
const TABLE_HIGH = Uint32Array.from(TABLE, ([high]) => high);
const TABLE_LOW = Uint32Array.from(TABLE, ([, low]) => low);

/** Goes on from `sum`, byte by byte. */
function addToCrc(sum: Sum, bytes: Buffer): Sum {
  let [high, low] = sum;
  for (let at = 0; at < bytes.length; at++) {
    const index = (low ^ (bytes[at] as number)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (TABLE_LOW[index] as number);
    high = (high >>> 8) ^ (TABLE_HIGH[index] as number);
  }
  return [high >>> 0, low >>> 0];
}

function finalCrc([high, low]: Sum): bigint {
  return BigInt.asIntN(64, (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0));
}
