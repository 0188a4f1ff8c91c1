import { isAbort } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { Fault, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Progress, ReportProgress } from '../../lib/progress.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { readManifest } from '../../repository/manifests.ts';
import { readAhead } from '../../repository/reader.ts';
import type { Repository } from '../../repository/repository.ts';
import { ObjectExists, type ObjectStore } from '../../storage/object-store.ts';
import { type JsonLoss, type LeftOut, LeftOutList, type LeftOutSummary, summarizeLeftOut } from '../left-out.ts';
import { readRouting } from '../sharding/read-routing.ts';
import type { ShardRouting } from '../sharding/shard-routing.ts';
import { type BlockLimits, blockLimits } from './cut-blocks.ts';
import { type CompletedExport, completeJson, metadataJson } from './export-metadata.ts';
import { type DataBlock, dataBlocks, type ExportPart, exportParts } from './export-parts.ts';
import { completeKey, dataFileKey, metadataKey, PERMISSION_CHECK } from './object-layout.ts';
import type { BlockTranscoder } from './transcoding.ts';

export interface ExportSnapshotOptions {
  repository: Repository;
  clusterId: string;
  snapshotId: string;
  /** Takes any key that `object-layout.ts` makes. */
  store: ObjectStore;
  prefix: string;
  /**
   * An earlier attempt may have left objects under the prefix: they are looked for, and what is there is not made
   * again.
   */
  resumed: boolean;
  completed: Omit<CompletedExport, 'totalFiles'>;
  transcoder: BlockTranscoder;
  /** Of what a reader of Extended JSON would take for something else; left out and named where this is not said. */
  jsonLoss?: JsonLoss | undefined;
  limits?: BlockLimits;
  log: Logger;
  signal: AbortSignal;
  report: ReportProgress;
}

export interface ExportedSnapshot {
  collections: number;
  documents: number;
  /** Of BSON. */
  bytes: number;
  /** Data files and metadata files, those of earlier attempts too. */
  files: number;
  /** What of the snapshot the files do not hold: documents, indexes, options. */
  leftOut: LeftOutSummary;
}

interface OpenFile {
  part: ExportPart;
  number: number;
  /** Compressed blocks, in order. */
  blocks: Buffer[];
}

const MISREAD = 'it holds a document that Extended JSON takes for a value';

function unwritable(leftOut: LeftOutSummary): Fault {
  return new Fault({
    op: 'export',
    subject: leftOut.named[0]?.namespace ?? '',
    message: `an export cannot hold ${summarizeLeftOut(leftOut)}`,
    hint: 'Leave it out with --json-loss omit, or restore into a cluster, which has no such limit',
  });
}

/** The `op` of a Fault by which a bucket did not take an object. */
export const EXPORT_WRITE = 'write an export';
const PUTS_AT_ONCE = 2;
const METADATA_AT_ONCE = 4;

/**
 * Writes a snapshot into an object store in the layout of Atlas's exports: data files, then a `metadata.json` for each
 * collection, then `.complete`, which alone says that the export is whole.
 *
 * Which documents a file holds follows from the snapshot and `limits` alone. So every put is made only if absent:
 * whatever is under a key already is what would be put there, from an attempt that was cut off or from a worker that
 * lost its lease and goes on. Nothing in a bucket is ever deleted, and nothing replaced but the permission check.
 */
export async function exportSnapshot(options: ExportSnapshotOptions): Promise<ExportedSnapshot> {
  const { repository, clusterId, snapshotId, signal } = options;
  const manifest = await readManifest(repository, { clusterId, snapshotId }, { signal });
  const routing = await readRouting(repository, manifest, signal);
  return await new SnapshotExport(options, manifest, routing).run();
}

interface DataFile {
  part: ExportPart;
  objectKey: string;
  /** Null where it is in the store already. */
  body: Buffer | null;
}

class SnapshotExport {
  readonly #options: ExportSnapshotOptions;
  readonly #parts: ExportPart[];
  readonly #progress: Progress & { collectionsDone: number };
  /** For each part the files that were cut and are not in the store yet. */
  readonly #underWay: number[];
  /** Parts before this one are read to their end. */
  #reading = 0;
  #files = 0;
  readonly #leftOut = new LeftOutList();
  #present: ReadonlySet<string> = new Set();

  constructor(options: ExportSnapshotOptions, manifest: Manifest, routing: ShardRouting | null) {
    this.#options = options;
    this.#parts = exportParts(manifest, routing);
    assert(
      this.#parts.every(({ index }, place) => index === place),
      'a part is found by its index',
    );
    this.#underWay = this.#parts.map(() => 0);
    this.#progress = {
      phase: 'exporting',
      documentsDone: 0,
      bytesDone: 0,
      bytesTotal: this.#parts.reduce((sum, { data }) => sum + data.bytes, 0),
      collectionsDone: 0,
      collectionsTotal: this.#parts.length,
    };
  }

  async run(): Promise<ExportedSnapshot> {
    const { store, signal, prefix, completed, resumed } = this.#options;
    this.#report();
    await this.#writing(PERMISSION_CHECK, async () => await store.put(PERMISSION_CHECK, Buffer.alloc(0), { signal }));
    if (resumed) this.#present = await this.#listPresent();
    await forEachConcurrently(this.#dataFiles(), PUTS_AT_ONCE, async (file) => await this.#putData(file));
    assert(this.#progress.collectionsDone === this.#parts.length, 'every collection was exported');
    assert(
      this.#underWay.every((files) => files === 0),
      'every file was written',
    );
    await this.#putMetadata();
    const files = this.#files;
    const { named, count } = this.#leftOut;
    const leftOut = { named, count };
    await this.#put(completeKey(prefix), completeJson({ ...completed, totalFiles: files }, leftOut));
    const { documentsDone: documents, bytesDone: bytes } = this.#progress;
    return { collections: this.#parts.length, documents, bytes, files, leftOut };
  }

  /** A store may let us write and not list: then everything is put again, and meets what is there. */
  async #listPresent(): Promise<Set<string>> {
    const { store, prefix, signal, log } = this.#options;
    const present = new Set<string>();
    try {
      for await (const { objectKey } of store.list(`${prefix}/`, { signal })) present.add(objectKey);
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      log.info({ err: error, prefix }, 'what an earlier attempt exported cannot be listed; it is made again');
      return new Set();
    }
    return present;
  }

  /** Whole files, in order. Reading, transcoding and putting overlap, across collections too. */
  async *#dataFiles(): AsyncGenerator<DataFile> {
    const { repository, clusterId, transcoder, signal, limits = blockLimits } = this.#options;
    const blocks = dataBlocks(this.#parts, { repository, clusterId, limits, signal });
    const transcoded = readAhead(blocks, transcoder.parallel, async (block) => await this.#transcode(block));
    let file: OpenFile | undefined;
    for await (const { item, result } of transcoded) {
      if (file?.part !== item.part || file.number !== item.file) {
        const isNext = file?.part !== item.part || item.file === file.number + 1;
        assert(isNext, 'the files of a collection are cut one after another');
        if (file !== undefined) yield this.#closed(file);
        file = { part: item.part, number: item.file, blocks: [] };
      }
      file.blocks.push(...result);
      this.#read(item);
    }
    if (file !== undefined) yield this.#closed(file);
    this.#reading = this.#parts.length;
    this.#advance();
  }

  /**
   * The block's gzip member; none where its file is in the store already. What that file does not hold is counted anew:
   * no earlier attempt could write it down.
   */
  async #transcode({ part, file, documents }: DataBlock): Promise<Buffer[]> {
    const { transcoder, signal } = this.#options;
    const compress = !this.#present.has(this.#keyOf(part, file));
    const { member, leftOut, leftOutIds } = await transcoder.transcode(documents, { signal, compress });
    if (leftOut > 0) {
      const namespace = `${part.entry.db}.${part.entry.name}`;
      const named = leftOutIds.map((name) => ({ namespace, kind: 'document' as const, name, problem: MISREAD }));
      this.#leaveOut(named, leftOut);
    }
    assert(compress === member.length > 0, 'a block that is to be written has bytes');
    return compress ? [member] : [];
  }

  #leaveOut(named: readonly LeftOut[], count: number): void {
    const { jsonLoss, log } = this.#options;
    if (jsonLoss === 'fail') throw unwritable({ named: [...named], count });
    for (const one of named) log.warn({ ...one }, 'an export leaves out what Extended JSON has no text for');
    this.#leftOut.add(named, count);
  }

  #closed({ part, number, blocks }: OpenFile): DataFile {
    const objectKey = this.#keyOf(part, number);
    this.#underWay[part.index] = this.#filesOf(part) + 1;
    this.#files++;
    const isThere = this.#present.has(objectKey);
    assert(isThere || blocks.length > 0, 'a file that is to be written has blocks');
    return { part, objectKey, body: isThere ? null : Buffer.concat(blocks) };
  }

  #filesOf({ index }: ExportPart): number {
    return must(this.#underWay[index], 'a part has its place');
  }

  #keyOf({ entry, replicaSetName }: ExportPart, number: number): string {
    return dataFileKey(this.#options.prefix, entry, replicaSetName, number);
  }

  #read({ part, count, bytes }: DataBlock): void {
    assert(part.index >= this.#reading, 'collections are read one after another');
    this.#reading = part.index;
    this.#progress.subject = `${part.entry.db}.${part.entry.name}`;
    this.#progress.documentsDone += count;
    this.#progress.bytesDone += bytes;
    this.#advance();
  }

  async #putData({ part, objectKey, body }: DataFile): Promise<void> {
    if (body !== null) await this.#put(objectKey, body);
    assert(this.#filesOf(part) > 0, 'a file that was put was under way');
    this.#underWay[part.index] = this.#filesOf(part) - 1;
    this.#advance();
  }

  #advance(): void {
    const progress = this.#progress;
    while (progress.collectionsDone < this.#reading && this.#underWay[progress.collectionsDone] === 0)
      progress.collectionsDone++;
    this.#report();
  }

  async #putMetadata(): Promise<void> {
    const { prefix } = this.#options;
    // Of a collection that lies on several replica sets the first one's counts.
    const byKey = new Map(this.#parts.toReversed().map((part) => [metadataKey(prefix, part.entry), part]));
    this.#files += byKey.size;
    await forEachConcurrently(byKey, METADATA_AT_ONCE, async ([objectKey, { entry, data }]) => {
      const { json, leftOut } = metadataJson(entry, data);
      if (leftOut.length > 0) this.#leaveOut(leftOut, leftOut.length);
      assert(json !== null, 'what is exported has no options without which it is nothing');
      if (!this.#present.has(objectKey)) await this.#put(objectKey, json);
    });
  }

  async #put(objectKey: string, body: Buffer): Promise<void> {
    const { store, signal } = this.#options;
    await this.#writing(objectKey, async () => {
      try {
        await store.put(objectKey, body, { signal, ifAbsent: true });
      } catch (error) {
        if (!(error instanceof ObjectExists)) throw error;
      }
    });
  }

  async #writing(objectKey: string, put: () => Promise<void>): Promise<void> {
    const { store, signal } = this.#options;
    try {
      await put();
    } catch (cause) {
      if (isAbort(cause) || signal.aborted) throw cause;
      throw new Fault({
        op: EXPORT_WRITE,
        subject: objectKey,
        message: `${objectKey} could not be written to ${store.description}: ${messageOf(cause)}`,
        retryable: cause instanceof Fault && cause.retryable,
        cause,
      });
    }
  }

  #report(): void {
    this.#options.report({ ...this.#progress });
  }
}
