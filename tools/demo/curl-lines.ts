import type { Credentials } from './atlas-client.ts';

export interface CurlTarget {
  url: string;
  credentials: Credentials;
  token: string;
  clusterName: string;
  snapshotId: string;
}

export interface CurlLine {
  what: string;
  digest: string;
  bearer: string;
}

/** The five operations that Tidemark starts from, in the two ways in which their reference pages call them. */
export function curlLines(target: CurlTarget): CurlLine[] {
  const group = `/api/atlas/v2/groups/${target.credentials.projectId}`;
  const backup = `${group}/clusters/${target.clusterName}/backup`;
  const operations = [
    { what: 'the snapshot', path: `${backup}/snapshots/${target.snapshotId}`, version: '2024-05-30' },
    { what: 'restore jobs of the cluster', path: `${backup}/restoreJobs`, version: '2023-01-01' },
    { what: 'export jobs of the cluster', path: `${backup}/exports`, version: '2025-03-12' },
    { what: 'export buckets of the project', path: `${group}/backup/exportBuckets`, version: '2025-02-19' },
    {
      what: 'legacy checkpoints of the cluster',
      path: `${group}/clusters/${target.clusterName}/backupCheckpoints`,
      version: '2025-03-12',
    },
  ];
  const { publicKey, privateKey } = target.credentials.apiKey;
  return operations.map(({ what, path, version }) => {
    const request = `--header 'Accept: application/vnd.atlas.${version}+json' '${target.url}${path}?pretty=true'`;
    return {
      what,
      digest: `curl --silent --user '${publicKey}:${privateKey}' --digest ${request}`,
      bearer: `curl --silent --header 'Authorization: Bearer ${target.token}' ${request}`,
    };
  });
}
