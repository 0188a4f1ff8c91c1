import { Command } from 'commander';
import { everyBucket } from './bucket-lookup.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { chooseProject } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { renderTable } from './table.ts';

interface BucketListOptions {
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function bucketListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list the export buckets')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: BucketListOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const project = await chooseProject(domain, options.project);
          const buckets = await everyBucket(domain, project.id);
          const rows = buckets.map(({ id, cloudProvider, bucketName, region, serviceUrl }) => [
            id,
            cloudProvider,
            bucketName,
            region ?? serviceUrl ?? '-',
          ]);
          const layout = [
            { header: 'ID' },
            { header: 'PROVIDER' },
            { header: 'BUCKET', elastic: true },
            { header: 'WHERE' },
          ];
          run.answer(
            buckets,
            rows.length > 0
              ? renderTable(layout, rows, run.terminal)
              : ['There is no export bucket: `tidemark bucket add` adds one.'],
          );
        }),
      ),
    );
}
