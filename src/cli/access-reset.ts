import { Command } from 'commander';
import type { CallersDomain } from '../compose/operator.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { withCallers } from './open-callers.ts';
import { dataDirOption, jsonOption, passphraseFileOption } from './options.ts';
import {
  chooseOrganization,
  everyCaller,
  type KnownCaller,
  logAccessChange,
  organizationOption,
} from './organization-lookup.ts';
import { NothingFound } from './usage-error.ts';

interface AccessResetOptions {
  org?: string;
  caller?: string[];
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

/**
 * For whoever runs the host and finds that nobody can call any more. What is taken away is printed, so that it can be
 * put back.
 */
export function accessResetCommand(tools: CommandTools): Command {
  return new Command('reset')
    .description("let the organization's owners call from anywhere again: empty their access lists and ask for none")
    .addOption(organizationOption())
    .option('--caller <caller...>', 'public keys or client ids whose lists are emptied, instead of those of all owners')
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: AccessResetOptions) =>
      runCommand(tools, options, (run) =>
        withCallers(options, async ({ domain }) => {
          const { id, name } = await chooseOrganization(domain, options.org);
          const wasRequired = (await domain.organizations.settings(id)).apiAccessListRequired ?? false;
          const chosen = chooseCallers(await everyCaller(domain, id), options.caller);
          if (wasRequired) await domain.organizations.updateSettings(id, { apiAccessListRequired: false });
          for (const caller of chosen) await emptyList(domain, caller);
          const emptied = chosen.filter(({ accessList }) => accessList.length > 0);
          const lists = emptied.map(({ name: caller, accessList }) => ({ caller, accessList }));
          logAccessChange('access reset', { organizationId: id, wasRequired, emptied: lists });
          run.answer({ orgId: id, wasRequired, emptied: lists }, [
            `Organization ${run.terminal.colors.bold(name)} ${wasRequired ? 'no longer refuses' : 'admits'} callers without an access list.`,
            ...lists.map(
              ({ caller, accessList }) => `${caller} may call from anywhere; its list was ${accessList.join(' ')}.`,
            ),
            ...(chosen.length === 0 ? ['It has no owner: `tidemark key create` makes an API key for one.'] : []),
          ]);
        }),
      ),
    );
}

function chooseCallers(known: readonly KnownCaller[], names: readonly string[] | undefined): KnownCaller[] {
  if (names === undefined) return known.filter(({ roles }) => roles.includes('ORG_OWNER'));
  return names.map((name) => {
    const caller = known.find((each) => each.name === name);
    if (caller === undefined)
      throw new NothingFound(`No caller is called ${name}: \`tidemark access show\` lists them.`);
    return caller;
  });
}

async function emptyList(domain: CallersDomain, { kind, id, accessList }: KnownCaller): Promise<void> {
  for (const entry of accessList) await domain.accessLists.remove({ owner: { kind, id }, entry });
}
