import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

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
    found.set(field, { field, missing, description: missing ? 'must be present' : describe(error.message) });
    if (found.size >= problemsMax) break;
  }
  return [...found.values()];
}

function describe(message: string): string {
  const text = message.replace(/^Expected /, 'must be ');
  return text.charAt(0).toLowerCase() + text.slice(1);
}
