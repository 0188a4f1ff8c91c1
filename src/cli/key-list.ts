import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { everyItem } from './every-item.ts';
import { withCallers } from './open-callers.ts';
import { dataDirOption, jsonOption, passphraseFileOption } from './options.ts';
import { accessListOf, chooseOrganization, organizationOption } from './organization-lookup.ts';
import { renderTable } from './table.ts';

interface KeyListOptions {
  org?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function keyListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list the API keys, with their roles; `access show` has service accounts too')
    .addOption(organizationOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: KeyListOptions) =>
      runCommand(tools, options, (run) =>
        withCallers(options, async ({ domain }) => {
          const { id: organizationId } = await chooseOrganization(domain, options.org);
          const keys = await everyItem((page) => domain.apiKeys.list({ place: { organizationId }, page }));
          const shown = await Promise.all(
            keys.map(async ({ id, publicKey, description, roles }) => ({
              ...{ id, publicKey, description, roles },
              accessList: await accessListOf(domain, { kind: 'apiKey', id }),
            })),
          );
          const rows = shown.flatMap(({ publicKey, description, roles, accessList }) =>
            (roles.length === 0 ? [null] : roles).map((role, at) => [
              at === 0 ? publicKey : '',
              role === null ? '-' : role.roleName,
              role?.projectId ?? '',
              at === 0 ? [description, ...accessList].join(' ') : '',
            ]),
          );
          const layout = [
            { header: 'KEY' },
            { header: 'ROLE' },
            { header: 'IN PROJECT', leftOut: 1 },
            { header: 'DESCRIPTION', elastic: true },
          ];
          run.answer(
            shown,
            rows.length > 0
              ? renderTable(layout, rows, run.terminal)
              : ['There is no API key: `tidemark key create` makes one.'],
          );
        }),
      ),
    );
}
