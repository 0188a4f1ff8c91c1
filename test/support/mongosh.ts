import { runInNewContext } from 'node:vm';
import { type Db, MongoClient } from 'mongodb';

/**
 * Stands in for mongosh, as far as our pages use it. Each statement is awaited, as there; passwords are not asked for.
 */

export const PASSWORD = 'secret';

const helpers: Record<string, (db: Db) => unknown> = {
  runCommand: (db) => (command: object) => db.command(command),
  createUser: (db) => (user: { user: string }) => db.command({ createUser: user.user, ...rest(user) }),
};

function rest({ user: _, ...others }: { user: string }): object {
  return others;
}

function shellDb(db: Db): object {
  return new Proxy(db, {
    get: (_, name) => {
      const helper = helpers[String(name)];
      return helper === undefined ? db.collection(String(name)) : helper(db);
    },
  });
}

export async function runInShell(uri: string, script: string): Promise<unknown> {
  const client = await new MongoClient(uri).connect();
  try {
    const db = { getSiblingDB: (name: string) => shellDb(client.db(name)) };
    let answer: unknown;
    for (const statement of script.split(/;\n(?=\S)/))
      answer = await runInNewContext(statement, { db, passwordPrompt: () => PASSWORD });
    return answer;
  } finally {
    await client.close();
  }
}
