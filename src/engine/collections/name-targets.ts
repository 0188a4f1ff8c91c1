import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ChosenCollection } from './backup/select-collections.ts';

/** `createNew` leaves everything on the target as it is; `overwriteExisting` replaces what has the wanted name. */
export type WriteStrategy = 'createNew' | 'overwriteExisting';

/** The names on the target, by database. */
export type TargetNames = ReadonlyMap<string, ReadonlySet<string>>;

/** MongoDB's own limits, in bytes. */
const DATABASE_BYTES_MAX = 63;
const NAMESPACE_BYTES_MAX = 255;
const BUCKETS = 'system.buckets.';

/**
 * The names that the chosen collections get, in the same order. With `createNew` a name that is taken gets `_restored`
 * behind it, then `_restored_2` and so on: of a selected database its own name, so that it stays together, of a
 * selected collection the collection's. Throws a Fault for names that cannot be. Pure.
 */
export function nameTargets(
  chosen: readonly Pick<ChosenCollection, 'source' | 'target' | 'ofDatabase'>[],
  existing: TargetNames,
  strategy: WriteStrategy,
): Namespace[] {
  refuseSameTarget(chosen);
  const databases = new Databases(existing);
  const isNew = strategy === 'createNew';
  const wanted = chosen.map(({ target, ofDatabase }) => ({
    db: ofDatabase && isNew ? databases.free(target.db) : databases.same(target.db),
    name: target.name,
  }));
  const given = new Set(wanted.map(formatNamespace));
  const names = wanted.map(({ db, name }) => {
    const isTaken = (other: string) => isNew && isThere(existing.get(db), other);
    const free = isTaken(name) ? another(name, (other) => isTaken(other) || given.has(`${db}.${other}`)) : name;
    const named = { db, name: free };
    refuseTooLong(named);
    given.add(formatNamespace(named));
    return named;
  });
  assert(new Set(names.map(formatNamespace)).size === chosen.length, 'no two collections get one name');
  return names;
}

/** Buckets without their time series, too, stand in the way of a collection of that name. */
function isThere(names: ReadonlySet<string> | undefined, name: string): boolean {
  return names !== undefined && (names.has(name) || names.has(BUCKETS + name));
}

function another(wanted: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${wanted}_restored` : `${wanted}_restored_${number}`;
    if (!isTaken(name)) return name;
  }
}

/** Databases of one server may not differ in case alone. */
class Databases {
  readonly #existing: ReadonlyMap<string, string>;
  readonly #given = new Map<string, string>();

  constructor(existing: TargetNames) {
    this.#existing = new Map([...existing.keys()].map((name) => [name.toLowerCase(), name]));
  }

  same(wanted: string): string {
    const other = this.#existing.get(wanted.toLowerCase());
    if (other === undefined || other === wanted) return wanted;
    throw impossible(wanted, `the target has a database ${other}, and two may not differ in case alone`);
  }

  /** One that the target has not; the same for all collections that want the same. */
  free(wanted: string): string {
    const known = this.#given.get(wanted);
    if (known !== undefined) return known;
    const others = [...this.#given.values()].map((name) => name.toLowerCase());
    const isTaken = (name: string) => this.#existing.has(name.toLowerCase()) || others.includes(name.toLowerCase());
    const name = isTaken(wanted) ? another(wanted, isTaken) : wanted;
    this.#given.set(wanted, name);
    return name;
  }
}

function refuseSameTarget(chosen: readonly Pick<ChosenCollection, 'source' | 'target'>[]): void {
  const sources = new Map<string, Namespace>();
  for (const { source, target } of chosen) {
    const wanted = formatNamespace(target);
    const other = sources.get(wanted);
    if (other !== undefined)
      throw impossible(wanted, `${formatNamespace(other)} and ${formatNamespace(source)} would both get it`);
    sources.set(wanted, source);
  }
}

function refuseTooLong(named: Namespace): void {
  const namespace = formatNamespace(named);
  if (Buffer.byteLength(named.db) > DATABASE_BYTES_MAX)
    throw impossible(named.db, `it has more than ${DATABASE_BYTES_MAX} bytes`);
  if (Buffer.byteLength(namespace) > NAMESPACE_BYTES_MAX)
    throw impossible(namespace, `it has more than ${NAMESPACE_BYTES_MAX} bytes`);
}

function impossible(name: string, why: string): Fault {
  return new Fault({
    op: 'restore collections',
    subject: name,
    message: `the name ${name} cannot be given: ${why}; the target was not touched`,
    hint: 'Give other names or another suffix',
  });
}
