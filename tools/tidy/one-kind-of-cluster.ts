import { isCode, isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

/** These ask for work on a cluster, whatever it is: replica set or sharded cluster is decided once, below them. */
const BLIND = /^src\/(compose|cli)\//;

/** What one has to name to decide by it. Words for people are in comments and strings and are not looked at. */
const DECIDING = [
  /\b\w*[sS]harded\w*\b|\bisShard\b|\bconfigServer\b|\bfindReplicaSets\b/g,
  /\b(?:replicaSets?|replicaSetName|shards?)\s*[=!]==?\s*(?:null|undefined)\b/g,
  /\b(?:replicaSets?|shards?)(?:\?\.|\s*\?\?)/g,
];

/** A value of the cluster's type, as a string by itself. */
const TYPE = /(['"])(?:sharded|replicaSet)\1/g;

export function checkOneKindOfCluster(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => BLIND.test(path) && isCode(path) && !isTest(path))
    .flatMap((file) => {
      const named = DECIDING.flatMap((pattern) => [...file.code.matchAll(pattern)]);
      const typed = [...file.text.matchAll(TYPE)].filter(({ index }) => file.code[index] !== ' ');
      return [...named, ...typed].map((match) =>
        problemAt(file, match.index, `${match[0]}: decides by the kind of cluster; ask domain or engine to`),
      );
    });
}
