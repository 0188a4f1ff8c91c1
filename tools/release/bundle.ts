import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/**
 * What the driver of MongoDB tries to load and does well without. Whoever wants one installs it beside Tidemark, where
 * the package finds it.
 */
const OPTIONAL = ['kerberos', 'snappy', '@mongodb-js/zstd', 'mongodb-client-encryption'];

/** The file of the package that has AWS's own ways of signing in, for the driver, which asks for it by `require`. */
const AWS_CREDENTIALS = 'aws-credentials';

export async function readVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

async function shared(): Promise<BuildOptions> {
  return {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { TIDEMARK_VERSION: JSON.stringify(await readVersion()) },
    external: OPTIONAL,
  };
}

/**
 * A static `require` in the driver would have all of AWS's ways of signing in loaded with it; as a file of their own
 * they are loaded when a connection string asks for them.
 */
const loadAwsCredentialsLate: Plugin = {
  name: 'load-aws-credentials-late',
  setup({ onResolve }) {
    onResolve({ filter: /^@aws-sdk\/credential-providers$/ }, ({ kind }) =>
      kind === 'require-call' ? { path: `./${AWS_CREDENTIALS}.js`, external: true } : null,
    );
  },
};

/** The files of the npm package's `dist`, in parts that are loaded when they are needed, with their source maps. */
export async function bundlePackage(into: string): Promise<Metafile> {
  const options = await shared();
  const { metafile } = await build({
    ...options,
    entryPoints: {
      program: 'src/cli/program.ts',
      serve: 'src/main.ts',
      config: 'src/config.ts',
      'transcoder-thread': 'src/engine/export/transcoder-thread.ts',
      [AWS_CREDENTIALS]: 'tools/release/aws-credentials.ts',
    },
    outdir: into,
    format: 'esm',
    splitting: true,
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [loadAwsCredentialsLate],
    // What is CommonJS among the libraries asks for modules of Node by `require`.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';const require = makeRequire(import.meta.url);",
    },
  });
  return metafile;
}

/**
 * The program of the executable of one file, and its thread: one CommonJS script each, since that is what Node takes
 * there. Modules of Node are all that such a script can ask for.
 */
export async function bundleExecutable(into: string): Promise<Metafile> {
  const { metafile } = await build({
    ...(await shared()),
    entryPoints: {
      tidemark: 'tools/release/executable-program.ts',
      'transcoder-thread': 'src/engine/export/transcoder-thread.ts',
    },
    outdir: into,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    metafile: true,
    define: {
      TIDEMARK_VERSION: JSON.stringify(await readVersion()),
      'import.meta.url': 'ownUrl',
      'import.meta.dirname': 'ownDirectory',
      'import.meta.main': 'false',
    },
    banner: {
      js: "const ownUrl = require('node:url').pathToFileURL(process.execPath).href; const ownDirectory = require('node:path').dirname(process.execPath);",
    },
  });
  return metafile;
}

/** The packages of others that are loaded with these entries and before anything is asked for. */
export function loadedAtStart({ outputs }: Metafile, entries: readonly string[]): string[] {
  const reached = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    const output = outputs[path];
    if (output === undefined || reached.has(path)) return;
    reached.add(path);
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
      if (name !== undefined && bytesInOutput > 0) packages.add(name);
    }
    for (const found of output.imports)
      if (found.kind === 'import-statement' && found.external !== true) visit(found.path);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs))
    if (entryPoint !== undefined && entries.includes(entryPoint)) visit(path);
  return [...packages].sort();
}
