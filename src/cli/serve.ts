import { Command, Option } from 'commander';
import {
  configDefaults,
  copyStoresOf,
  type JsonLoss,
  type LogLevel,
  logLevels,
  readConfig,
  verifiedWithinOf,
} from '../config.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import {
  dataDirOption,
  jsonLossOption,
  jsonOption,
  objectStoresOption,
  type PassphraseOptions,
  passphraseFileOption,
  placeOption,
  readPassphrase,
  requireDataDir,
  verifiedWithinOption,
  wholeNumber,
} from './options.ts';

interface ServeOptions extends PassphraseOptions {
  dataDir?: string;
  host?: string;
  port?: number;
  publicUrl?: string;
  tlsCert?: string;
  tlsKey?: string;
  trustedProxy?: string[];
  clusterAllow?: string[];
  clusterIdentities?: string;
  logLevel?: LogLevel;
  copyStore?: string[];
  repository?: string;
  objectStores?: string;
  jsonLoss?: JsonLoss;
  verifiedWithin?: string;
  json?: boolean;
}

export function serveCommand(tools: CommandTools): Command {
  return new Command('serve')
    .description('serve the API and run snapshots and restores until Ctrl-C or SIGTERM')
    .addOption(dataDirOption())
    .addOption(
      new Option('--port <port>', `port to listen on, 0 for a free one (${configDefaults.port} if left out)`).argParser(
        wholeNumber(0),
      ),
    )
    .option('--host <host>', `address to listen on (${configDefaults.host} if left out)`)
    .option('--public-url <url>', 'how clients reach it, for the links in answers')
    .option('--tls-cert <file>', 'certificate in PEM form; with it and its key it answers https')
    .option('--tls-key <file>', 'private key of the certificate, in PEM form')
    .addOption(
      new Option(
        '--trusted-proxy <address...>',
        'address or network of a proxy whose word about where requests come from is taken',
      ),
    )
    .option(
      '--cluster-allow <host...>',
      'hosts (db.example.com, *.db.example.com) and networks where clusters may be; anywhere if left out, but never at link-local or metadata addresses',
    )
    .option(
      '--cluster-identities <file>',
      'JSON file of identities as which clusters that are registered by the API may be signed in to, and where',
    )
    .addOption(
      new Option('--log-level <level>', `how much it logs to standard error (${configDefaults.logLevel})`).choices(
        logLevels,
      ),
    )
    .option(
      '--copy-store <region=place...>',
      'a second place for snapshots (directory or URL), under the region name that copy settings use',
    )
    .addOption(placeOption())
    .addOption(objectStoresOption())
    .addOption(jsonLossOption())
    .addOption(verifiedWithinOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: ServeOptions) =>
      runCommand(tools, options, async (run) => {
        const dataDir = requireDataDir(options);
        const passphrase = await readPassphrase(options, run.env);
        const copyStores = options.copyStore === undefined ? undefined : copyStoresOf(options.copyStore);
        const { host, port, publicUrl, logLevel, tlsCert, tlsKey, trustedProxy: trustedProxies } = options;
        const { repository, objectStores, clusterAllow, clusterIdentities, jsonLoss } = options;
        const tls = { tlsCert, tlsKey, trustedProxies };
        const given = {
          dataDir,
          host,
          port,
          publicUrl,
          logLevel,
          passphrase,
          copyStores,
          repository,
          objectStores,
          clusterAllow,
          clusterIdentities,
          jsonLoss,
          verifiedWithinMs: options.verifiedWithin === undefined ? undefined : verifiedWithinOf(options.verifiedWithin),
          ...tls,
        };
        const config = readConfig(run.env, given);
        const { serve } = await import('../main.ts');
        await serve(config, {
          signal: run.signal,
          print: (line) => run.answer({ url: line.split(' ').at(-1) }, [line]),
        });
      }),
    );
}
