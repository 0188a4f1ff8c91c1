import { Command } from 'commander';
import { findBucket } from './bucket-lookup.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { chooseProject } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';

interface BucketRemoveOptions {
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function bucketRemoveCommand(tools: CommandTools): Command {
  return new Command('remove')
    .description('export into a bucket no longer; what was exported stays in it')
    .argument('<bucket>', 'its id or name')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((meant: string, options: BucketRemoveOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const project = await chooseProject(domain, options.project);
          const { id, projectId, bucketName } = await findBucket(domain, project.id, meant);
          await domain.exportBuckets.delete({ projectId, exportBucketId: id });
          run.answer({ id, projectId, bucketName, removed: true }, [
            `Removed ${bucketName} (${id}). What was exported is still in it.`,
          ]);
        }),
      ),
    );
}
