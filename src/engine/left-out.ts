import { assert } from '../lib/assert.ts';
/** One thing of a snapshot that what is made of it does not hold. */
export interface LeftOut {
  /** `db.collection`. */
  namespace: string;
  kind: 'collection' | 'timeseries' | 'view' | 'index' | 'option' | 'document' | 'user' | 'role';
  /**
   * Of the index or option; of a document its `_id` as Extended JSON; of a user or role `<database>.<name>`. The
   * collection's own name else.
   */
  name: string;
  problem: string;
}

/** So many are named; all are counted. */
export const LEFT_OUT_NAMED_MAX = 100;

/** Everything that was left out: how much, and the first of it by name. */
export interface LeftOutSummary {
  named: LeftOut[];
  count: number;
}

export class LeftOutList implements LeftOutSummary {
  readonly named: LeftOut[] = [];
  count = 0;

  add(items: readonly LeftOut[], count: number = items.length): void {
    assert(items.length <= count, 'no more is named than was left out');
    this.count += count;
    this.named.push(...items.slice(0, LEFT_OUT_NAMED_MAX - this.named.length));
    assert(this.named.length <= LEFT_OUT_NAMED_MAX, 'so many are named');
  }
}

/** `index by_state of shop.orders (why)`. */
export function describeLeftOut({ namespace, kind, name, problem }: LeftOut): string {
  const part = kind === 'index' || kind === 'option' || kind === 'document';
  const account = kind === 'user' || kind === 'role';
  const what = part ? `${kind} ${name} of ${namespace}` : `${kind} ${account ? name : namespace}`;
  return problem === '' ? what : `${what} (${problem})`;
}

/** A line for an answer that has room for one: the first few by name, and how many more there are. */
export function summarizeLeftOut({ named, count }: LeftOutSummary, namedMax = 5): string {
  assert(count >= named.length, 'what is named is counted');
  const shown = named.slice(0, namedMax).map(describeLeftOut);
  const more = count - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** What is done with what Extended JSON has no text for: left out and named, or the work fails. */
export type JsonLoss = 'omit' | 'fail';
