import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Build, thisBuild } from './other-build.ts';

/** What is measured runs in a process of its own, so that its memory is its own and no other work shares its thread. */

const CHILD = join('tools', 'bench', 'work-child.ts');

export type Work =
  | { kind: 'scan'; uri: string; db: string }
  /** What the processors have to do for a first snapshot at the least. */
  | { kind: 'bound'; uri: string; db: string }
  | { kind: 'load'; uri: string; db: string; files: { collection: string; path: string }[]; indexes: boolean }
  /** Made by a bare client: the floor of their restore. */
  | { kind: 'smallCollections'; uri: string; count: number }
  | {
      kind: 'snapshot';
      uri: string;
      repository: string;
      clusterId: string;
      snapshotId: string;
      parentSnapshotId: string | null;
    }
  /** Every byte of the archive is made and dropped. */
  | { kind: 'download'; repository: string; clusterId: string; snapshotId: string; compressed: boolean }
  | { kind: 'restore'; uri: string; repository: string; clusterId: string; snapshotId: string; skipVerify: boolean };

export interface Measured {
  ms: number;
  peakRssBytes: number;
  documents: number;
  bytes: number;
  /** Of downloads: of the file. */
  fileBytes?: number;
  /** Of snapshots. */
  documentsRead?: number;
  bytesRead?: number;
  storedBytes?: number;
  rounds?: number;
  /** Of the bound of a snapshot. */
  boundMs?: number;
}

/** By the code of that build: another one knows the kinds of work that it had. */
export async function measure(work: Work, build: Build = thisBuild): Promise<Measured> {
  const script = join(build.root, CHILD);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let output = '';
  for await (const piece of child.stdout) output += String(piece);
  const [exitCode] = (await exited) as [number | null];
  if (exitCode !== 0) throw new Error(`${work.kind} of ${build.name} failed; what it said is above`);
  return JSON.parse(output) as Measured;
}
