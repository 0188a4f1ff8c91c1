import { createHash } from 'node:crypto';
import { Damage } from '../../lib/errors.ts';

/*
 * UTF-8 JSON lines that end in a trailer with their number and hash, so that no part of them can be missing unnoticed.
 * Manifests and catalog copies are written this way.
 */

/** The given values as lines, then the trailer. */
export function encodeSealedLines(values: Iterable<unknown>): Buffer {
  const lines: Buffer[] = [];
  for (const value of values) lines.push(Buffer.from(`${JSON.stringify(value)}\n`));
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  const trailer = { kind: 'trailer', lines: lines.length, sha256: hash.digest('hex') };
  return Buffer.concat([...lines, Buffer.from(`${JSON.stringify(trailer)}\n`)]);
}

/** The values of all lines before the trailer, which is checked first. */
export function decodeSealedLines(payload: Buffer, subject: string): unknown[] {
  const damaged = (message: string): Damage => new Damage({ op: 'read lines', subject, message });
  if (payload.length === 0 || payload[payload.length - 1] !== 0x0a) throw damaged(`${subject} does not end in a line`);
  const trailerAt = payload.length < 2 ? 0 : payload.lastIndexOf(0x0a, payload.length - 2) + 1;
  const trailer = parseLine(payload.subarray(trailerAt, -1), subject);
  if (!isTrailer(trailer)) throw damaged(`${subject} has no trailer: it is cut off`);
  const sealed = payload.subarray(0, trailerAt);
  if (createHash('sha256').update(sealed).digest('hex') !== trailer.sha256) {
    throw damaged(`${subject} does not hash to what its trailer says`);
  }
  const values: unknown[] = [];
  for (let at = 0; at < sealed.length; ) {
    const end = sealed.indexOf(0x0a, at);
    values.push(parseLine(sealed.subarray(at, end), subject));
    at = end + 1;
  }
  if (values.length !== trailer.lines) throw damaged(`${subject} has ${values.length} lines, not ${trailer.lines}`);
  return values;
}

function parseLine(line: Buffer, subject: string): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown;
  } catch (cause) {
    throw new Damage({ op: 'read lines', subject, message: `${subject} holds a line that is not JSON`, cause });
  }
}

function isTrailer(value: unknown): value is { lines: number; sha256: string } {
  if (typeof value !== 'object' || value === null) return false;
  return 'kind' in value && value.kind === 'trailer' && 'lines' in value && 'sha256' in value;
}
