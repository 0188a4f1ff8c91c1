import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { withCallers } from './open-callers.ts';
import { dataDirOption, jsonOption, passphraseFileOption } from './options.ts';
import { chooseOrganization, everyCaller, organizationOption } from './organization-lookup.ts';
import { renderTable } from './table.ts';

interface AccessShowOptions {
  org?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function accessShowCommand(tools: CommandTools): Command {
  return new Command('show')
    .description('show who may call, and from where')
    .addOption(organizationOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: AccessShowOptions) =>
      runCommand(tools, options, (run) =>
        withCallers(options, async ({ domain }) => {
          const { id, name } = await chooseOrganization(domain, options.org);
          const required = (await domain.organizations.settings(id)).apiAccessListRequired ?? false;
          const callers = await everyCaller(domain, id);
          const nowhere = required ? 'nowhere: it has no access list' : 'anywhere';
          const rows = callers.map(({ name: caller, description, roles, accessList }) => [
            caller,
            roles.join(' '),
            accessList.length === 0 ? nowhere : accessList.join(' '),
            description,
          ]);
          const layout = [
            { header: 'CALLER' },
            { header: 'ROLES' },
            { header: 'MAY CALL FROM' },
            { header: 'DESCRIPTION', elastic: true },
          ];
          run.answer({ orgId: id, apiAccessListRequired: required, callers }, [
            `Organization ${run.terminal.colors.bold(name)} ${required ? 'refuses' : 'admits'} callers without an access list.`,
            ...(rows.length === 0
              ? ['Nobody may call: `tidemark key create` makes an API key.']
              : renderTable(layout, rows, run.terminal)),
            ...(required || callers.some(({ accessList }) => accessList.length > 0)
              ? ['Where an owner is locked out, `tidemark access reset` lets owners call from anywhere again.']
              : []),
          ]);
        }),
      ),
    );
}
