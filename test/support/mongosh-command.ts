import { inspect } from 'node:util';
import { runInShell } from './mongosh.ts';

/** `mongosh URI --eval CODE`, in a process of its own. */
const [uri = '', evaluate, code = ''] = process.argv.slice(2);
if (evaluate !== '--eval') throw new Error('no more of mongosh is here than `mongosh URI --eval CODE`');
console.log(inspect(await runInShell(uri, code)));
