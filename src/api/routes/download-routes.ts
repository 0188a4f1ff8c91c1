import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Domain } from '../../domain/domain.ts';
import { Refusal, refuse } from '../../domain/refusals/refusals.ts';
import type { OpenDownload } from '../../domain/restores/downloads.ts';
import type { Clock } from '../../lib/clock.ts';
import { Cancelled } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type ByteRange, parseRange } from './byte-range.ts';
import { receiptOf } from './receipt.ts';

/** A client that takes nothing for so long is gone: its connection is ended, and what it held of ours with it. */
const IDLE_MS = 5 * 60_000;
/** Small, so that a slow client shows that it lives. */
const PIECE_BYTES = 64 * 1024;
const RETRY_AFTER_SECONDS = 30;
const ALLOWED = 'GET, HEAD';
/** What an answer says of a file, and no other answer. */
const FILE_HEADERS = [
  ...['accept-ranges', 'content-disposition', 'content-length', 'content-range', 'content-type'],
  ...['etag', 'last-modified', 'repr-digest'],
];

interface DownloadRouteOptions {
  domain: Domain;
  clock: Clock;
  log: Logger;
}

/**
 * What the links of restore jobs lead to: beside the API, without its credentials (the link is one), with ranges so
 * that a download can be gone on with.
 */
export function registerDownloadRoutes(server: FastifyInstance, options: DownloadRouteOptions): void {
  const url = '/downloads/:token/:fileName';
  const config = { anonymous: true };
  server.route<{ Params: { token: string; fileName: string } }>({
    method: ['GET', 'HEAD'],
    url,
    config,
    handler: async (request, reply) => {
      const download = await options.domain.downloads.open(request.params);
      return await answer(download, request, reply, options);
    },
  });
  server.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url,
    config,
    handler: async (request, reply) => {
      reply.header('Allow', ALLOWED);
      throw refuse('METHOD_NOT_ALLOWED', [request.method]);
    },
  });
  // A download may take hours, and a server that closes waits for its answers.
  server.addHook('preClose', async () => options.domain.downloads.stopAll());
}

async function answer(
  download: OpenDownload,
  request: FastifyRequest,
  reply: FastifyReply,
  options: DownloadRouteOptions,
): Promise<FastifyReply> {
  const { bytes: size, fileName, sha256 } = download;
  const etag = `"${sha256}"`;
  const lastModified = new Date(Math.floor(download.readyAtMs / 1000) * 1000).toUTCString();
  reply.headers({
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    'content-disposition': `attachment; filename="${fileName}"`,
    'content-type': 'application/gzip',
    etag,
    'last-modified': lastModified,
    'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
  });
  const ifRange = request.headers['if-range'];
  const heeded = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const range = parseRange(heeded ? request.headers.range : undefined, size);
  if (range === 'unsatisfiable') {
    reply.removeHeader('content-disposition');
    return reply.code(416).header('content-range', `bytes */${size}`).send();
  }
  const part: ByteRange = range ?? { from: 0, to: size };
  reply.header('content-length', part.to - part.from);
  if (range !== null) reply.code(206).header('content-range', `bytes ${part.from}-${part.to - 1}/${size}`);
  if (request.method === 'HEAD') return reply.send();
  return await send(download, part, request, reply, options);
}

async function send(
  download: OpenDownload,
  range: ByteRange,
  request: FastifyRequest,
  reply: FastifyReply,
  { clock, log }: DownloadRouteOptions,
): Promise<FastifyReply> {
  const stop = new AbortController();
  const stream = await startStream(download, { ...range, stop }, reply);
  const body = Readable.from(whileTaken(stream.bytes, stop, clock), { objectMode: false, highWaterMark: 1 });
  stop.signal.addEventListener('abort', () => body.destroy(new Cancelled('the download was broken off')), {
    once: true,
  });
  const startedMs = clock.monotonicMs();
  const facts = { requestId: request.id, download: download.downloadId, remote: request.ip, ...range };
  log.info(facts, 'a download has begun');
  void receiptOf(reply.raw, clock)
    .then(async (whole) => {
      body.destroy();
      await stream.end(whole);
      const ms = Math.round(clock.monotonicMs() - startedMs);
      log.info({ ...facts, whole, ms }, whole ? 'a download has been served' : 'a download broke off');
    })
    .catch((error: unknown) => log.error({ ...facts, err: error }, 'the end of a download could not be recorded'));
  return reply.send(body);
}

/**
 * Only the time in which we wait for the client counts: making the first byte of a part that lies far behind in a file
 * may take long.
 */
async function* whileTaken(
  source: AsyncIterable<Buffer>,
  stop: AbortController,
  clock: Clock,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const taken = new AbortController();
      void clock.sleep(IDLE_MS, taken.signal).then(
        () => stop.abort(new Cancelled('the client takes nothing')),
        () => undefined,
      );
      try {
        yield bytes.subarray(at, at + PIECE_BYTES);
      } finally {
        taken.abort();
      }
    }
  }
}

async function startStream(
  download: OpenDownload,
  range: ByteRange & { stop: AbortController },
  reply: FastifyReply,
): ReturnType<OpenDownload['stream']> {
  try {
    return await download.stream(range);
  } catch (error) {
    // The answer will be a problem, not a file.
    for (const name of FILE_HEADERS) reply.removeHeader(name);
    if (error instanceof Refusal && error.code === 'TOO_MANY_DOWNLOADS_AT_ONCE')
      reply.header('retry-after', RETRY_AFTER_SECONDS);
    throw error;
  }
}
