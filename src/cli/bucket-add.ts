import { Command, Option } from 'commander';
import type { AccessRole, AzureApplication } from '../domain/cloud-provider-access/cloud-provider-access.ts';
import type { Domain } from '../domain/domain.ts';
import { Refusal } from '../domain/refusals/refusals.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { chooseProject } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, parseId, passphraseFileOption, projectOption } from './options.ts';
import { UsageError } from './usage-error.ts';

const providers = ['AWS', 'AZURE', 'GCP'] as const;

interface BucketAddOptions {
  provider: (typeof providers)[number];
  role?: string;
  roleArn?: string;
  serviceUrl?: string;
  azureTenant?: string;
  azureApplication?: string;
  azureServicePrincipal?: string;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function bucketAddCommand(tools: CommandTools): Command {
  return new Command('add')
    .description(
      'add an export bucket: it is tried first. Credentials come from the file of object stores or the cloud',
    )
    .argument('<bucket>', 'name of the bucket; on Azure of the container')
    .addOption(
      new Option('--provider <provider>', 'AWS is S3 and whatever speaks it').choices(providers).default('AWS'),
    )
    .option('--role-arn <arn>', 'AWS: the role to assume; where the file of object stores has an endpoint, any ARN')
    .addOption(new Option('--role <id>', 'a cloud provider access role that is there already').argParser(parseId))
    .option('--service-url <url>', 'Azure: https://<account>.blob.core.windows.net')
    .option('--azure-tenant <id>', 'Azure: the tenant of the application')
    .option('--azure-application <id>', 'Azure: the application as which exports sign in')
    .option('--azure-service-principal <id>', 'Azure: its service principal')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: BucketAddOptions) =>
      runCommand(tools, options, (run) => addBucket(run, name, options)),
    );
}

async function addBucket(run: CommandRun, bucketName: string, options: BucketAddOptions): Promise<void> {
  await withService(run, options, async ({ domain }) => {
    const { id: projectId } = await chooseProject(domain, options.project);
    const { role, made } = await roleFor(domain, projectId, options);
    const { provider: cloudProvider, serviceUrl } = options;
    const request = {
      ...{ projectId, cloudProvider, bucketName },
      ...(cloudProvider === 'AWS' ? { iamRoleId: role.id } : { roleId: role.id }),
      ...(serviceUrl === undefined ? {} : { serviceUrl }),
    };
    const bucket = await domain.exportBuckets.create(request).catch(async (error: unknown) => {
      await afterRefusal(run, domain, { role, made, error });
      throw error;
    });
    const { id, region } = bucket;
    run.answer({ id, projectId, cloudProvider, bucketName, region, roleId: role.id }, [
      `${run.terminal.colors.green('Added')} ${bucketName} (${id}), which can be written.`,
      `Next: tidemark export <cluster> --bucket ${bucketName}`,
    ]);
  });
}

/** The role that is named, or one for the same identity that is there already, or a new one. */
async function roleFor(
  domain: Domain,
  projectId: string,
  options: BucketAddOptions,
): Promise<{ role: AccessRole; made: boolean }> {
  const { provider: cloudProvider, roleArn: assumedRoleArn } = options;
  if (options.role !== undefined)
    return { role: await domain.cloudProviderAccess.get({ projectId, roleId: options.role }), made: false };
  if (cloudProvider === 'AWS' && assumedRoleArn === undefined)
    throw new UsageError(
      'Say which role to assume: --role-arn arn:aws:iam::<account>:role/<name> (any of that form where the file of object stores has an endpoint), or --role <id>.',
    );
  const azure = cloudProvider === 'AZURE' ? azureOf(options) : undefined;
  const known = (await domain.cloudProviderAccess.list(projectId)).find(
    (role) =>
      role.cloudProvider === cloudProvider &&
      role.assumedRoleArn === (assumedRoleArn ?? null) &&
      role.azureServicePrincipalId === (azure?.servicePrincipalId ?? null),
  );
  if (known !== undefined) return { role: known, made: false };
  const created = await domain.cloudProviderAccess.create({
    ...{ projectId, cloudProvider },
    ...(azure === undefined ? {} : { azure }),
  });
  if (assumedRoleArn === undefined) return { role: created, made: true };
  const named = { projectId, roleId: created.id, cloudProvider };
  try {
    return { role: await domain.cloudProviderAccess.authorize({ ...named, assumedRoleArn }), made: true };
  } catch (error) {
    await domain.cloudProviderAccess.remove(named);
    throw error;
  }
}

function azureOf({ azureTenant, azureApplication, azureServicePrincipal }: BucketAddOptions): AzureApplication {
  if (azureTenant === undefined || azureApplication === undefined || azureServicePrincipal === undefined)
    throw new UsageError(
      'On Azure say as whom: --azure-tenant, --azure-application and --azure-service-principal, or --role <id>.',
    );
  return { tenantId: azureTenant, appId: azureApplication, servicePrincipalId: azureServicePrincipal };
}

/**
 * A role that cannot be assumed yet stays: its external ID is what the owner of the account has to put into its trust
 * policy before the command is repeated. Any other refusal leaves nothing behind.
 */
async function afterRefusal(
  { terminal }: CommandRun,
  domain: Domain,
  { role, made, error }: { role: AccessRole; made: boolean; error: unknown },
): Promise<void> {
  if (error instanceof Refusal && error.code === 'CANNOT_ASSUME_ROLE') {
    const whom = role.identity ?? 'the identity that Tidemark signs in as (TIDEMARK_AWS_PRINCIPAL_ARN says which)';
    const text = `let ${role.assumedRoleArn} trust ${whom} with the external ID ${role.externalId}, then repeat the command`;
    terminal.printError(`${terminal.errorColors.yellow('tidemark:')} ${text}\n`);
    return;
  }
  const { projectId, cloudProvider, id: roleId } = role;
  if (made) await domain.cloudProviderAccess.remove({ projectId, roleId, cloudProvider });
}
