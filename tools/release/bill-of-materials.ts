import { hash } from 'node:crypto';
import type { Library } from './libraries.ts';

/** The part of a lockfile that is read here. */
export interface Lockfile {
  packages: Record<string, { version?: string; integrity?: string; license?: string }>;
}

/**
 * What is in a release, as a CycloneDX 1.6 document: each library with the hash that the lockfile has of its archive,
 * and Node for the executables. Throws where the lockfile has another version than was built in. `madeAt` is an ISO
 * 8601 time.
 */
export function billOfMaterials(options: {
  version: string;
  nodeVersion: string;
  libraries: readonly Library[];
  lockfile: Lockfile;
  madeAt: string;
}): object {
  const { version, nodeVersion, libraries, lockfile, madeAt } = options;
  const own = `pkg:npm/tidemark@${version}`;
  const node = {
    type: 'application',
    'bom-ref': `pkg:generic/node@${nodeVersion}`,
    name: 'node',
    version: nodeVersion,
    description: 'in the executables and what holds them, not in the npm package',
    licenses: [{ license: { id: 'MIT' } }],
    purl: `pkg:generic/node@${nodeVersion}`,
  };
  const components = [node, ...libraries.map((library) => componentOf(library, lockfile))];
  const refs = components.map((component) => component['bom-ref']);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([version, madeAt, refs]))}`,
    version: 1,
    metadata: {
      timestamp: madeAt,
      component: {
        type: 'application',
        'bom-ref': own,
        name: 'tidemark',
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl: own,
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: refs }],
  };
}

function componentOf({ name, version, license, place }: Library, { packages }: Lockfile) {
  const locked = packages[place];
  if (locked?.version !== version || locked.integrity === undefined)
    throw new Error(`${place} is ${version} here and ${locked?.version ?? 'nothing'} in package-lock.json: run npm ci`);
  const [group, bare] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm = '', sum = ''] = locked.integrity.split('-');
  return {
    type: 'library',
    'bom-ref': `${purl}#${place}`,
    ...(group === undefined ? {} : { group }),
    name: bare ?? name,
    version,
    licenses: [/ (?:OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } }],
    purl,
    hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(sum, 'base64').toString('hex') }],
  };
}

/** The same for the same content: a release that is built again has the same document. */
function uuidOf(content: string): string {
  const hex = hash('sha256', content);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
