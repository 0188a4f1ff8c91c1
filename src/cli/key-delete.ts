import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { everyItem } from './every-item.ts';
import { withCallers } from './open-callers.ts';
import { dataDirOption, jsonOption, passphraseFileOption, yesOption } from './options.ts';
import { chooseOrganization, logAccessChange, organizationOption } from './organization-lookup.ts';
import { NothingFound } from './usage-error.ts';

interface KeyDeleteOptions {
  org?: string;
  dataDir?: string;
  passphraseFile?: string;
  yes?: boolean;
  json?: boolean;
}

export function keyDeleteCommand(tools: CommandTools): Command {
  return new Command('delete')
    .description('delete an API key: whoever calls with it is refused from then on')
    .argument('<key>', 'its public key or its id')
    .addOption(organizationOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((meant: string, options: KeyDeleteOptions) =>
      runCommand(tools, options, (run) =>
        withCallers(options, async ({ domain }) => {
          const { id: organizationId } = await chooseOrganization(domain, options.org);
          const place = { organizationId };
          const keys = await everyItem((page) => domain.apiKeys.list({ place, page }));
          const key = keys.find(({ id, publicKey }) => id === meant || publicKey === meant);
          if (key === undefined)
            throw new NothingFound(`There is no API key ${meant}: \`tidemark key list\` shows those there are.`);
          const { id, publicKey, description } = key;
          const warning = `API key ${publicKey} (${description}) is deleted: whoever calls with it is refused.`;
          await confirm(run, { yes: options.yes, warning, expected: publicKey });
          await domain.apiKeys.remove({ place, apiKeyId: id });
          logAccessChange('key delete', { apiKeyId: id, publicKey, organizationId });
          run.answer({ id, publicKey, deleted: true }, [`Deleted API key ${publicKey} (${description}).`]);
        }),
      ),
    );
}
