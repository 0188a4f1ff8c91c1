import { Command } from 'commander';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import type { IndexEvidence } from '../engine/missing-indexes.ts';
import { isAbort } from '../lib/abort.ts';
import { describeError } from '../lib/errors.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { findSnapshotMeant } from './lookup.ts';
import { openRepositoryOf } from './open-repository.ts';
import { withService } from './open-service.ts';
import { dataDirOption, fromOption, jsonOption, passphraseFileOption, snapshotArgument } from './options.ts';
import { snapshotJson, snapshotPage } from './snapshot-view.ts';

interface SnapshotShowOptions {
  from?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function snapshotShowCommand(tools: CommandTools): Command {
  return new Command('show')
    .description('show all about one snapshot')
    .addArgument(snapshotArgument())
    .addOption(fromOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((meant: string, options: SnapshotShowOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async (workspace) => {
          const snapshot = await findSnapshotMeant(workspace, { snapshot: meant, from: options.from });
          const { evidence, note } = await evidenceOf(run, options, snapshot);
          const page = snapshotPage(snapshot, run.terminal.colors);
          const facts = { ...snapshotJson(snapshot), secondaryIndexes: evidence };
          run.answer(facts, note === null ? page : [...page, '', note]);
        }),
      ),
    );
}

const NOTES: Partial<Record<IndexEvidence, string>> = {
  lost: 'Its secondary indexes are missing: it was read from a member that builds none (buildIndexes: false). Its documents are whole. Take another snapshot, and make the indexes again after a restore of this one.',
  unknown:
    'It has no secondary index. Where the source has some, it was read from a member that builds none (buildIndexes: false), as earlier versions did: take another snapshot.',
};

/**
 * What the stored snapshot tells of its indexes, and what there is to say of it. Null where it is not completed, or
 * cannot be read.
 */
async function evidenceOf(
  run: CommandRun,
  options: SnapshotShowOptions,
  { status, clusterId, id: snapshotId }: Snapshot,
): Promise<{ evidence: IndexEvidence | null; note: string | null }> {
  if (status !== 'completed') return { evidence: null, note: null };
  const { indexEvidence } = await import('../engine/missing-indexes.ts');
  const { readManifest } = await import('../repository/manifests.ts');
  try {
    const repository = await openRepositoryOf(run, options);
    const manifest = await readManifest(repository, { clusterId, snapshotId }, { signal: run.signal });
    const evidence = indexEvidence(manifest);
    return { evidence, note: NOTES[evidence] ?? null };
  } catch (error) {
    if (isAbort(error)) throw error;
    // What the catalog knows is worth showing all the same.
    return { evidence: null, note: `It cannot be read from the repository: ${describeError(error)}` };
  }
}
