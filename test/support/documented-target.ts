import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import type { Document } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import type { ReplicaSet } from './replica-set.ts';

const PASSWORD = 'documented';

/** Makes the user that docs/operations.md gives for the target of restores of collections, and gives its URI. */
export async function asDocumentedUser(target: ReplicaSet): Promise<string> {
  for (const command of documentedCommands()) await target.client.db('admin').command(command);
  return target.uri.replace(/\/\/[^@]*@/, `//tidemark:${PASSWORD}@`);
}

/** Its shell lines. */
function documentedCommands(): Document[] {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const scripts = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, script]) => script ?? '');
  const script = must(
    scripts.find((text) => text.includes("createRole: 'tidemarkCollections'")),
    'the page gives a role',
  );
  const commands: Document[] = [];
  const admin = {
    runCommand: (command: Document) => commands.push(command),
    createUser: ({ user, ...rest }: Document) => commands.push({ createUser: user, ...rest }),
  };
  runInNewContext(script, { db: { getSiblingDB: () => admin }, passwordPrompt: () => PASSWORD });
  return commands;
}
