import { KindGuard, type TSchema } from '@sinclair/typebox';
import { Value, type ValueError } from '@sinclair/typebox/value';

/** What is wrong with a value: the field in dotted form, and why. `missing` when it is required and absent. */
export interface FieldProblem {
  field: string;
  description: string;
  missing: boolean;
}

const problemsMax = 20;

/** Empty when the value has the schema's shape. At most 20 problems, one a field. */
export function problemsOf(schema: TSchema, value: unknown): FieldProblem[] {
  const found = new Map<string, FieldProblem>();
  for (const error of Value.Errors(schema, value)) {
    const field = error.path.replace(/^\//, '').replaceAll('/', '.');
    if (found.has(field)) continue;
    const missing = error.value === undefined;
    found.set(field, { field, missing, description: missing ? 'must be present' : describe(error) });
    if (found.size >= problemsMax) break;
  }
  return [...found.values()];
}

/** Where only certain values are taken the caller is told which: `union value` says nothing to anybody. */
function describe({ schema, message }: ValueError): string {
  const values = literalsOf(schema);
  if (values !== null) return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`;
  const text = message.replace(/^Expected /, 'must be ').replace(/union value$/, `one of ${kindsOf(schema)}`);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** All values that the schema allows; null where they cannot be told. */
function literalsOf(schema: TSchema): string[] | null {
  if (KindGuard.IsLiteral(schema)) return [String(schema.const)];
  if (!KindGuard.IsUnion(schema)) return null;
  const values = schema.anyOf.map(literalsOf);
  return values.every((each) => each !== null) ? values.flat() : null;
}

function kindsOf(schema: TSchema): string {
  const options: TSchema[] = KindGuard.IsUnion(schema) ? schema.anyOf : [schema];
  return options.map((option) => literalsOf(option)?.join(', ') ?? String(option.type ?? 'value')).join(', ');
}
