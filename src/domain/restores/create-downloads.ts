import { downloadsOfJobs, findDownload, updateDownload } from '../../catalog/downloads.ts';
import { findRestoreJob, updateRestoreJob } from '../../catalog/restore-jobs.ts';
import type { DownloadRow, RestoreJobRow } from '../../catalog/schema.ts';
import { hurryTasks } from '../../catalog/tasks.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { Cancelled, Fault } from '../../lib/errors.ts';
import type { DomainContext } from '../context.ts';
import { refuse } from '../refusals/refusals.ts';
import { downloadBytes } from './download-bytes.ts';
import { LINK_LIFE_MS, readToken, whyGone } from './download-links.ts';
import type { DownloadEngine } from './download-task.ts';
import type { Downloads, OpenDownload } from './downloads.ts';

/** Each holds some blobs while it waits for its client. */
const STREAMS_AT_ONCE = 4;
/** How often a long download writes down that it is alive. */
const NOTE_EVERY_MS = 60_000;

/**
 * A reader that took nothing for so long gives way to another of the same file: it is most likely a connection that was
 * lost without a word.
 */
const IDLE_MS = 10_000;

interface Stream {
  downloadId: string;
  stop: AbortController;
  lastTakenMs: number;
  /** Its answer has begun, so that it can be broken off without being answered by an error. */
  begun: boolean;
}

/**
 * Serves the links' files. A link is used up once its file has been served to its last byte, in one go or in several;
 * until then it can be gone on with. Several may read one file at a time: each reads for itself, and each counts among
 * the few streams that there may be.
 */
export function createDownloads(context: DomainContext, engine: DownloadEngine): Downloads {
  const streams = new Set<Stream>();
  return {
    open: async ({ token, fileName }) => {
      const { row, job } = await requireLink(context, token, fileName);
      const opened: OpenDownload = {
        downloadId: row.id,
        fileName: row.fileName,
        bytes: row.bytes,
        sha256: row.sha256,
        readyAtMs: must(job.expiresAtMs, 'a link has an end') - LINK_LIFE_MS,
        stream: async (range) => await startStream(context, engine, streams, { row, job, ...range }),
      };
      return opened;
    },

    stopAll: () => {
      for (const { stop } of streams) stop.abort(new Cancelled('the service is stopping'));
    },
  };
}

async function requireLink(
  { catalog, clock, secretBox }: DomainContext,
  token: string,
  fileName: string,
): Promise<{ row: DownloadRow; job: RestoreJobRow }> {
  const downloadId = readToken(secretBox, token);
  const row = downloadId === null ? undefined : await findDownload(catalog.reader, downloadId);
  if (row === undefined || row.fileName !== fileName) throw refuse('DOWNLOAD_NOT_FOUND');
  const job = must(await findRestoreJob(catalog.reader, row.restoreJobId), 'a file belongs to a job');
  const gone = whyGone(job, row, clock.nowMs());
  if (gone !== null) throw refuse('DOWNLOAD_GONE', [gone]);
  return { row, job };
}

interface StreamRequest {
  row: DownloadRow;
  job: RestoreJobRow;
  /** First byte, and the one after the last. */
  from: number;
  to: number;
  stop: AbortController;
}

async function startStream(
  context: DomainContext,
  engine: DownloadEngine,
  streams: Set<Stream>,
  request: StreamRequest,
): ReturnType<OpenDownload['stream']> {
  const { row, job, from, to, stop } = request;
  assert(from >= 0 && from < to && to <= row.bytes, 'a range lies within its file');
  if (streams.size >= STREAMS_AT_ONCE) endIdleReader(context, streams, row.id);
  if (streams.size >= STREAMS_AT_ONCE) throw refuse('TOO_MANY_DOWNLOADS_AT_ONCE');
  const stream: Stream = { downloadId: row.id, stop, lastTakenMs: context.clock.monotonicMs(), begun: false };
  streams.add(stream);
  const note = async (servedTo: number): Promise<void> => await noteServed(context, row.id, from, servedTo);
  let sent = 0;
  const count = (bytes: number): number => {
    sent += bytes;
    stream.begun = true;
    stream.lastTakenMs = context.clock.monotonicMs();
    return from + sent;
  };
  return {
    bytes: readRange(context, downloadBytes(context, engine, { row, job, signal: stop.signal }), {
      ...request,
      count,
      note,
    }),
    end: async (whole) => {
      try {
        // What was handed over when a connection broke may not have arrived: the last byte counts only in an answer
        // that ended well.
        await note(whole ? to : Math.min(from + sent, row.bytes - 1));
      } finally {
        streams.delete(stream);
      }
    },
  };
}

/** A client that lost its connection comes back before we know that it is lost. */
function endIdleReader({ clock }: DomainContext, streams: Set<Stream>, downloadId: string): void {
  const idle = [...streams].find(
    (one) => one.downloadId === downloadId && one.begun && clock.monotonicMs() - one.lastTakenMs >= IDLE_MS,
  );
  if (idle === undefined) return;
  idle.stop.abort(new Cancelled('another request took the download over'));
  streams.delete(idle);
}

async function* readRange(
  { clock }: DomainContext,
  file: AsyncIterable<Buffer>,
  request: StreamRequest & { count: (bytes: number) => number; note: (servedTo: number) => Promise<void> },
): AsyncGenerator<Buffer, void, undefined> {
  const { row, from, to, stop, count, note } = request;
  let at = 0;
  let notedMs = clock.monotonicMs();
  for await (const piece of file) {
    throwIfAborted(stop.signal);
    const wanted = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += piece.length;
    if (wanted.length > 0) {
      const servedTo = count(wanted.length);
      yield wanted;
      if (clock.monotonicMs() - notedMs >= NOTE_EVERY_MS) {
        notedMs = clock.monotonicMs();
        await note(Math.min(servedTo, row.bytes - 1));
      }
    }
    if (at >= to && to < row.bytes) return;
  }
  if (at === row.bytes) return;
  const message = `${row.fileName} has ${at} bytes, but ${row.bytes} when it was prepared`;
  throw new Fault({ op: 'download', subject: row.fileName, message, hint: 'Ask for another download' });
}

/** Only what goes on from what was served already counts; and only that makes the link live on. */
async function noteServed(context: DomainContext, downloadId: string, from: number, servedTo: number): Promise<void> {
  const { catalog, clock } = context;
  await catalog.transact(async (writer) => {
    const row = must(await findDownload(writer, downloadId), 'files are kept');
    if (from > row.servedBytes || servedTo <= row.servedBytes) return;
    const nowMs = clock.nowMs();
    const whole = servedTo === row.bytes;
    await updateDownload(writer, row.id, { servedBytes: servedTo, ...(whole ? { deliveredAtMs: nowMs } : {}) });
    const job = must(await findRestoreJob(writer, row.restoreJobId), 'a file belongs to a job');
    if (job.state !== 'completed') return;
    const others = await downloadsOfJobs(writer, [job.id]);
    if (others.some(({ deliveredAtMs }) => deliveredAtMs === null)) {
      await updateRestoreJob(writer, job.id, { expiresAtMs: nowMs + LINK_LIFE_MS });
      return;
    }
    await updateRestoreJob(writer, job.id, { finishedAtMs: nowMs });
    // Its task waits for the end of the link: the snapshot need not be pinned any longer.
    await hurryTasks(writer, 'serveDownload', nowMs);
  });
}
