import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { chooseOrganization, logAccessChange, organizationOption } from './organization-lookup.ts';
import { renderFields } from './table.ts';
import { UsageError } from './usage-error.ts';

interface KeyCreateOptions {
  org?: string;
  project?: string;
  role?: string[];
  access?: string[];
  description: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function keyCreateCommand(tools: CommandTools): Command {
  return new Command('create')
    .description('make an API key, also where nobody can call any more')
    .addOption(organizationOption())
    .addOption(projectOption())
    .option('--role <role...>', 'its roles: ORG_OWNER if left out, with --project GROUP_OWNER')
    .option('--access <address...>', 'addresses or networks from which alone it may be used')
    .option('--description <text>', 'what it is for', 'made on the host')
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: KeyCreateOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const { project: projectId, description, access = [] } = options;
          const organizationId =
            projectId === undefined
              ? (await chooseOrganization(domain, options.org)).id
              : (await domain.projects.get(projectId)).organizationId;
          const { apiAccessListRequired } = await domain.organizations.settings(organizationId);
          if (apiAccessListRequired === true && access.length === 0) {
            throw new UsageError(
              'The organization refuses callers without an access list: give --access <address>, or run `tidemark access reset` first.',
            );
          }
          const place = projectId === undefined ? { organizationId } : { projectId };
          const roleNames = options.role ?? [projectId === undefined ? 'ORG_OWNER' : 'GROUP_OWNER'];
          const key = await domain.apiKeys.create({ place, description, roleNames });
          const entries = access.map((text) => (text.includes('/') ? { cidrBlock: text } : { ipAddress: text }));
          if (entries.length > 0) await domain.accessLists.add({ owner: { kind: 'apiKey', id: key.id }, entries });
          const { id, publicKey, privateKey } = key;
          logAccessChange('key create', { apiKeyId: id, publicKey, ...place, roleNames, accessList: access });
          const { colors } = run.terminal;
          run.answer({ id, publicKey, privateKey, roles: roleNames, accessList: access }, [
            ...renderFields(
              [
                ['API key', `${publicKey}  ${colors.bold(privateKey)}`],
                ['roles', roleNames.join(', ')],
                ['may call from', access.length === 0 ? 'anywhere' : access.join(', ')],
              ],
              colors,
            ),
            '',
            colors.yellow('The private key is shown this once and kept nowhere: write it down.'),
          ]);
        }),
      ),
    );
}
