import { readFile } from 'node:fs/promises';
import { messageOf } from './errors.ts';
import { requireSecret } from './private-files.ts';

/**
 * The list of that name in a JSON file that an operator keeps, which may hold secrets. `unusable` makes the error of
 * whoever asks from a path and a reason; none of what the file says is in it.
 */
export async function readSecretList(
  path: string,
  name: string,
  unusable: (path: string, why: string) => Error,
): Promise<unknown[]> {
  await requireSecret(path);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unusable(path, `it cannot be read: ${messageOf(cause)}`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The parser's message would show a part of the file.
    throw unusable(path, 'it is not JSON');
  }
  const list = content !== null && typeof content === 'object' && name in content ? Reflect.get(content, name) : null;
  if (!Array.isArray(list)) throw unusable(path, `it has no list "${name}"`);
  return list;
}
