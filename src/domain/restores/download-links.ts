import { timingSafeEqual } from 'node:crypto';
import { timestampParts } from '../../bson/timestamp.ts';
import type { DownloadRow, RestoreJobRow } from '../../catalog/schema.ts';
import type { SecretBox } from '../../lib/secret-box.ts';
import type { Point } from '../continuous-backup/point-in-time.ts';
import type { DownloadLink } from './restore-jobs.ts';

/** After the link was made, and again after a download that had come further broke off. */
export const LINK_LIFE_MS = 3_600_000;

const TOKEN = /^([a-f0-9]{24})([A-Za-z0-9_-]{43})$/;

/** Id and signature: nobody guesses one, and the catalog by itself opens nothing. */
export function downloadToken(secretBox: SecretBox, downloadId: string): string {
  return downloadId + secretBox.sign(`download ${downloadId}`);
}

/** The id that the token is for; null where it was not made by us. */
export function readToken(secretBox: SecretBox, token: string): string | null {
  const [, downloadId, signature] = TOKEN.exec(token) ?? [];
  if (downloadId === undefined || signature === undefined) return null;
  const expected = Buffer.from(secretBox.sign(`download ${downloadId}`));
  return timingSafeEqual(Buffer.from(signature), expected) ? downloadId : null;
}

/**
 * `restore-<snapshotId>.archive.gz`; of a point with `-to-<seconds>`, or `-to-<seconds>-<increment>`; of a shard with
 * its name, as far as a file's name may hold it.
 */
export function downloadFileName(
  snapshotId: string,
  file: { isShard: boolean; replicaSetName: string },
  point?: Point,
): string {
  const { t, i } = timestampParts(point?.ts ?? 0n);
  const to = point === undefined ? '' : point.inclusive ? `-to-${t}-${i}` : `-to-${t}`;
  const shard = file.isShard ? `-${file.replicaSetName.replaceAll(/[^A-Za-z0-9._-]/g, '_')}` : '';
  return `restore-${snapshotId}${to}${shard}.archive.gz`;
}

/** Why a link is of no use any more; null while it lives. */
export function whyGone(job: RestoreJobRow, row: DownloadRow, nowMs: number): string | null {
  if (job.state === 'cancelled') return 'was cancelled';
  if (row.deliveredAtMs !== null) return 'was used';
  if (job.state === 'expired' || isOver(job, nowMs)) return 'has expired';
  return job.state === 'completed' ? null : 'is of no use';
}

/** Its time has run out, whether that was written down already or not. */
export function isOver({ expiresAtMs }: RestoreJobRow, nowMs: number): boolean {
  return expiresAtMs === null || expiresAtMs <= nowMs;
}

/** What the job shows of its files; the way to one only while it lives. */
export function linksOf(
  secretBox: SecretBox,
  job: RestoreJobRow,
  rows: readonly DownloadRow[],
  nowMs: number,
): DownloadLink[] {
  return rows.map((row) => {
    const { fileName, bytes, sha1, sha256, replicaSetName } = row;
    const alive = whyGone(job, row, nowMs) === null;
    const path = alive ? `/downloads/${downloadToken(secretBox, row.id)}/${fileName}` : null;
    return { path, fileName, bytes, sha1, sha256, replicaSetName, isShard: row.isShard === 1 };
  });
}
