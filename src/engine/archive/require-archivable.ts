import { Fault } from '../../lib/errors.ts';
import { type JsonLoss, type LeftOut, summarizeLeftOut } from '../left-out.ts';
import { takesDiffs } from '../restore-plan.ts';
import { archiveOplog } from './archive-oplog.ts';
import { type Planned, planOf, preludeOf, type WriteArchiveOptions } from './write-archive.ts';

/**
 * Throws a Fault for what no archive can hold: options and indexes of a collection, or a single write, that are larger
 * than readers take. What Extended JSON has no text for is one with `jsonLoss: 'fail'`; else it is left out, and
 * returned. Reads the oplog of a point once more, and keeps nothing of it; so this is known before there is a file, or
 * a link.
 */
export async function requireArchivable(
  options: Planned & Pick<WriteArchiveOptions, 'signal'> & { jsonLoss?: JsonLoss | undefined },
): Promise<LeftOut[]> {
  const { manifest, point, signal, jsonLoss } = options;
  const planned = { ...options, plan: planOf(options) };
  const losses = requireText(planned, jsonLoss);
  for (const _ of preludeOf(planned));
  if (point === undefined) return losses;
  const { mongodVersion, featureCompatibilityVersion } = manifest.header;
  const diffs = takesDiffs(featureCompatibilityVersion);
  for await (const _ of archiveOplog({ ...point, diffs, mongodVersion, signal }));
  return losses;
}

/**
 * The same of what Extended JSON has no text for alone, which is known from the listing. Returned with what is left out
 * of the point because its change is not known.
 */
export function requireText(planned: Planned, jsonLoss: JsonLoss | undefined): LeftOut[] {
  const { jsonLosses } = planOf(planned);
  if (jsonLosses.length > 0 && jsonLoss === 'fail') throw unwritable(jsonLosses);
  return [...jsonLosses, ...(planned.point?.plan.leftOut ?? [])];
}

function unwritable(losses: readonly LeftOut[]): Fault {
  return new Fault({
    op: 'write archive',
    subject: losses[0]?.namespace ?? '',
    message: `an archive cannot hold ${summarizeLeftOut({ named: [...losses], count: losses.length })}`,
    hint: 'Restore into a cluster instead, which has no such limit, or leave it out with --json-loss omit',
  });
}
