/**
 * What a request says of a cluster beyond what its owner decides here: facts of servers that somebody else runs. They
 * may be repeated, as clients do that send back what they read; where they would change something, the request is to be
 * refused instead of ignored. Pure.
 */
const facts = [
  'name',
  'clusterType',
  'mongoDBMajorVersion',
  'replicationSpecs',
  'encryptionAtRestProvider',
  'biConnector',
  'globalClusterSelfManagedSharding',
  'labels',
  'tags',
  'connectionStrings',
];

/** Measured, not set: it has changed by the time that a client sends it back. */
const measured = 'diskSizeGB';

/** The first fact that is asked to be otherwise than it is shown, as a path; null where there is none. */
export function changedFact(shown: object, asked: object): string | null {
  for (const fact of facts) {
    const path = difference(fieldOf(shown, fact), fieldOf(asked, fact), fact);
    if (path !== null) return path;
  }
  return null;
}

function fieldOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
}

/** What is not shown is off, none or empty; to say so changes nothing. */
function isOff(value: unknown): boolean {
  return value === false || value === 0 || value === '' || value === 'NONE';
}

function difference(shown: unknown, asked: unknown, path: string): string | null {
  if (asked === undefined || asked === null) return null;
  if (Array.isArray(asked)) {
    const there: unknown[] = Array.isArray(shown) ? shown : [];
    if (there.length !== asked.length) return path;
    return firstOf(asked.map((item, index) => difference(there[index], item, `${path}.${index}`)));
  }
  if (typeof asked === 'object')
    return firstOf(
      Object.entries(asked)
        .filter(([name]) => name !== measured)
        .map(([name, value]) => difference(fieldOf(shown, name), value, `${path}.${name}`)),
    );
  return asked === shown || (shown === undefined && isOff(asked)) ? null : path;
}

function firstOf(paths: readonly (string | null)[]): string | null {
  return paths.find((path) => path !== null) ?? null;
}
