import { Command } from 'commander';
import { organizationRoles, projectRoles, readingRoles } from '../auth/roles.ts';
import { canonicalCidr } from '../lib/cidr.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { withCallers } from './open-callers.ts';
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
    .option(
      '--role <role...>',
      `its roles: ORG_OWNER if left out, else of ${organizationRoles.join(', ')}; with --project GROUP_OWNER, else of ${backupRoles.join(', ')}`,
    )
    .option('--access <address...>', 'addresses or networks from which alone it may be used')
    .option('--description <text>', 'what it is for', 'made on the host')
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: KeyCreateOptions) =>
      runCommand(tools, options, (run) =>
        withCallers(options, async ({ domain }) => {
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
          requireUsable(options);
          const place = projectId === undefined ? { organizationId } : { projectId };
          const roleNames = options.role ?? [projectId === undefined ? 'ORG_OWNER' : 'GROUP_OWNER'];
          const key = await domain.apiKeys.create({ place, description, roleNames });
          const entries = access.map((text) => (text.includes('/') ? { cidrBlock: text } : { ipAddress: text }));
          if (entries.length > 0) {
            const owner = { kind: 'apiKey' as const, id: key.id };
            await domain.accessLists.add({ owner, entries }).catch(async (error: unknown) => {
              // A key that nobody was shown is an owner that nobody is.
              await domain.apiKeys.remove({ place, apiKeyId: key.id });
              throw error;
            });
          }
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

/** Those that do more here than to let one read the project. */
const backupRoles = projectRoles.filter((role) => !(readingRoles as readonly string[]).includes(role));

const DESCRIPTION_LENGTH_MAX = 250;

/** Before anything is made: what is wrong is said in the words of the command. */
function requireUsable({ role = [], access = [], project, description }: KeyCreateOptions): void {
  const odd = access.find((text) => canonicalCidr(text) === null);
  if (odd !== undefined) throw new UsageError(`--access: ${odd} is neither an address nor a network.`);
  const known: readonly string[] = project === undefined ? organizationRoles : projectRoles;
  const unknown = role.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const where = project === undefined ? 'of an organization (a role of a project takes --project)' : 'of a project';
    throw new UsageError(`--role: ${unknown} is no role ${where}. They are ${known.join(', ')}.`);
  }
  if (description.length === 0 || description.length > DESCRIPTION_LENGTH_MAX)
    throw new UsageError(`--description: it takes 1 to ${DESCRIPTION_LENGTH_MAX} characters.`);
}
