import { execFileSync } from 'node:child_process';
import type { Document } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import { findMongod } from '../../tools/fetch-mongod.ts';

/** Of the mongod that the tests start: `6.0.5`. */
export const serverVersion: string = versionOf(execFileSync(await findMongod(), ['--version'], { encoding: 'utf8' }));

function versionOf(text: string): string {
  return must(/v(\d+\.\d+\.\d+)/.exec(text)?.[1], 'a mongod says its version');
}

/** `6.0` or newer, say. */
export function serverIs(version: string): boolean {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Why a test is skipped on a server that has no such thing; false where it has. */
export function needsServer(version: string): string | false {
  return serverIs(version) ? false : `needs a server of ${version}, this is ${serverVersion}`;
}

/** Options of collections by the release that brought them. */
const SINCE: Record<string, string> = { clusteredIndex: '6.0', changeStreamPreAndPostImages: '6.0', cappedMax: '6.0' };

/** What of a `create` or `collMod` the server knows. */
export function knownOptions(command: Document): Document {
  return Object.fromEntries(Object.entries(command).filter(([name]) => serverIs(SINCE[name] ?? '5.0')));
}
