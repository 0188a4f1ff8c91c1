import { loadavg } from 'node:os';
import { BSON } from 'mongodb';
import type { Column } from '../../src/cli/table.ts';
import { cutBlocks } from '../../src/engine/export/cut-blocks.ts';
import { ExtendedJsonWriter } from '../../src/engine/export/extended-json.ts';
import { TranscoderPool } from '../../src/engine/export/transcoder-pool.ts';
import { InlineTranscoder } from '../../src/engine/export/transcoding.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type SampleCollection, SampleDocuments, sampleCollections, shareOfBytes } from '../sample-documents.ts';

/**
 * How fast BSON becomes Extended JSON, against the `bson` package on the same documents in the same process, and with
 * gzip in one thread and in two. What runs in one thread is measured by the processor time that it took, so that other
 * programs on the machine do not count.
 */
export interface ExportFigures {
  bsonBytes: number;
  documents: number;
  loadBefore: number;
  speeds: Speed[];
  twoThreads: { megabytesPerSecond: number };
  /** Bytes of gzip for each byte of BSON. */
  gzipRatio: number;
}

export interface Speed {
  what: SampleCollection | 'all';
  /** Of BSON, in megabytes a second of one core. */
  bsonPackage: number;
  transcoder: number;
  transcoderWithGzip: number;
}

const BATCH_BYTES = 1 << 20;
const TRIES = 3;
/** Of the documents that the other package gets to do: it is slow, and its speed does not depend on their number. */
const PACKAGE_SHARE = 4;

type Sample = { documents: Buffer[]; batches: Buffer[]; bytes: number };

export async function measureExport(bytes: number, seed: number): Promise<ExportFigures> {
  const loadBefore = loadavg()[0] ?? 0;
  const samples = sampleCollections.map((collection) => ({
    collection,
    sample: sampleOf(collection, bytes * shareOfBytes[collection], seed),
  }));
  const all = joined(samples.map(({ sample }) => sample));
  const speeds: Speed[] = [];
  for (const { collection, sample } of samples) speeds.push(await speedOf(collection, sample));
  speeds.push(await speedOf('all', all));
  const { megabytesPerSecond, gzipBytes } = await inThreads(all, 2);
  return {
    ...{ bsonBytes: all.bytes, documents: all.documents.length, loadBefore, speeds },
    twoThreads: { megabytesPerSecond },
    gzipRatio: Math.round((gzipBytes / all.bytes) * 1000) / 1000,
  };
}

function sampleOf(collection: SampleCollection, bytes: number, seed: number): Sample {
  const source = new SampleDocuments(seed);
  const documents: Buffer[] = [];
  for (let made = 0; made < bytes; ) {
    const document = Buffer.from(BSON.serialize(source.next(collection)));
    documents.push(document);
    made += document.length;
  }
  return joined([{ documents, batches: [], bytes: 0 }]);
}

function joined(samples: readonly Sample[]): Sample {
  const documents = samples.flatMap((sample) => sample.documents);
  const batches: Buffer[] = [];
  for (let from = 0, size = 0, at = 0; at < documents.length; at++) {
    size += (documents[at] as Buffer).length;
    if (size < BATCH_BYTES && at < documents.length - 1) continue;
    batches.push(Buffer.concat(documents.slice(from, at + 1)));
    [from, size] = [at + 1, 0];
  }
  return { documents, batches, bytes: documents.reduce((sum, document) => sum + document.length, 0) };
}

const never = { signal: new AbortController().signal };

async function speedOf(what: Speed['what'], { documents, batches, bytes }: Sample): Promise<Speed> {
  const some = documents.filter((_, index) => index % PACKAGE_SHARE === 0);
  const someBytes = some.reduce((sum, document) => sum + document.length, 0);
  const writer = new ExtendedJsonWriter();
  const inline = new InlineTranscoder();
  return {
    what,
    bsonPackage: await best(someBytes, async () => some.forEach(withPackage)),
    transcoder: await best(bytes, async () => {
      for (const batch of batches) writer.lines(batch);
    }),
    transcoderWithGzip: await best(bytes, async () => {
      for (const batch of batches) await inline.transcode(batch as Buffer<ArrayBuffer>, { ...never, compress: true });
    }),
  };
}

/** To bytes, as a file needs them, without the loss of types. */
function withPackage(document: Buffer): void {
  const decoded = BSON.deserialize(document, { promoteValues: false, bsonRegExp: true, validation: { utf8: false } });
  Buffer.from(`${BSON.EJSON.stringify(decoded, { relaxed: false })}\n`);
}

async function best(bytes: number, work: () => Promise<void>): Promise<number> {
  let fastest = 0;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = process.cpuUsage();
    await work();
    const { user } = process.cpuUsage(before);
    fastest = Math.max(fastest, bytes / user);
  }
  return Math.round(fastest);
}

/** By the clock on the wall: reading, cutting and handing over are in it. */
async function inThreads(
  { batches, bytes }: Sample,
  threads: number,
): Promise<{ megabytesPerSecond: number; gzipBytes: number }> {
  const pool = new TranscoderPool({ threads });
  const round = async (): Promise<number> => {
    let gzipBytes = 0;
    const underWay = new Set<Promise<void>>();
    for await (const { documents } of cutBlocks(each(batches))) {
      const one = pool.transcode(documents, { ...never, compress: true }).then(({ member }) => {
        gzipBytes += member.length;
      });
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
      if (underWay.size >= pool.parallel) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    return gzipBytes;
  };
  try {
    const gzipBytes = await round();
    const startedMs = systemClock.monotonicMs();
    await round();
    return { megabytesPerSecond: Math.round(bytes / 1000 / (systemClock.monotonicMs() - startedMs)), gzipBytes };
  } finally {
    await pool.close();
  }
}

async function* each(batches: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* batches;
}

export const exportColumns: readonly Column[] = [
  { header: 'DOCUMENTS' },
  { header: 'BSON PACKAGE', align: 'right' },
  { header: 'TRANSCODER', align: 'right' },
  { header: 'TIMES', align: 'right' },
  { header: 'WITH GZIP', align: 'right' },
];

export function exportRows({ speeds, twoThreads, gzipRatio, loadBefore }: ExportFigures): string[][] {
  const speed = (megabytes: number): string => `${megabytes} MB/s`;
  return [
    ...speeds.map(({ what, bsonPackage, transcoder, transcoderWithGzip }) => [
      what,
      speed(bsonPackage),
      speed(transcoder),
      (transcoder / bsonPackage).toFixed(1),
      speed(transcoderWithGzip),
    ]),
    ['all, two threads, by the wall clock', '', '', '', speed(twoThreads.megabytesPerSecond)],
    [`gzip is ${gzipRatio} of the BSON; load of the machine before: ${loadBefore.toFixed(1)}`, '', '', '', ''],
  ];
}
