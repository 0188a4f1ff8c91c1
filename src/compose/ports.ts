import { availableParallelism } from 'node:os';
import { createCredentialMint } from '../auth/credential-mint.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { DomainPorts } from '../domain/create-domain.ts';
import { repositoryManifests } from '../domain/repositories/repository-manifests.ts';
import { exportSnapshot } from '../engine/export/export-snapshot.ts';
import { TranscoderPool } from '../engine/export/transcoder-pool.ts';
import { putDocument } from '../engine/history/put-document.ts';
import { readClusterHistory } from '../engine/history/read-cluster-history.ts';
import { tailCluster } from '../engine/tail/tail-cluster.ts';
import type { ConnectionPolicy } from '../mongo/connection/connect.ts';
import { missingPrivileges } from '../mongo/missing-privileges.ts';
import { readProcessSettings } from '../mongo/process-settings.ts';
import { describeCluster } from '../mongo/topology.ts';
import { readLatestCatalogCopy, writeCatalogCopy } from '../repository/catalog-copies.ts';
import { copySlices } from '../repository/copy-slices.ts';
import { copySnapshot, deleteSnapshotCopy } from '../repository/copy-snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import { deleteSlicesUpTo, readCoverage } from '../repository/slices.ts';
import type { StoreAccess } from '../storage/open-store.ts';
import { createBucketStores } from './bucket-stores.ts';
import { createCheckpointEngine } from './checkpoint-engine.ts';
import { createDownloadEngine } from './download-engine.ts';
import type { OpenOptions } from './open-options.ts';
import { copyRepositoryIn } from './places.ts';
import { probedCluster } from './probed-cluster.ts';
import { createCollectionRestoreEngine, createRestoreEngine } from './restore-engine.ts';
import { createSnapshotEngine } from './snapshot-engine.ts';
import type { Tools } from './tools.ts';

/** Threads of one export. Past a few, reading the repository and writing the bucket is what takes time. */
const TRANSCODERS_MAX = 4;

interface OpenPlaces {
  repository: Repository;
  copyRepositories: ReadonlyMap<string, Repository>;
  access: StoreAccess;
  catalog: Catalog;
  policy?: ConnectionPolicy;
}

/** The rules' view of MongoDB, the engine and the repository. */
export function createPorts(
  { repository, copyRepositories, access, catalog, policy = {} }: OpenPlaces,
  tools: Tools,
  options: OpenOptions,
): DomainPorts {
  const { clock, random, log } = tools;
  const repositoryOf = (regionName: string | undefined): Repository =>
    regionName === undefined ? repository : copyRepositoryIn(copyRepositories, regionName);
  const elsewhere = {
    copies: [...copyRepositories.values()],
    onTrouble: (place: string, err: unknown) =>
      log.warn({ err, place }, 'captured oplog is looked for in another place'),
  };
  return {
    snapshotEngine: createSnapshotEngine(repository, tools),
    checkpointEngine: createCheckpointEngine(repository, tools),
    restoreEngine: createRestoreEngine(repository, repositoryOf, elsewhere, {
      ...tools,
      verifiedWithinMs: options.verifiedWithinMs,
    }),
    collectionRestoreEngine: createCollectionRestoreEngine(repository, repositoryOf, elsewhere, tools),
    exportEngine: {
      export: async (request) => {
        const transcoder = new TranscoderPool({ threads: Math.min(TRANSCODERS_MAX, availableParallelism()) });
        try {
          return await exportSnapshot({ ...request, repository, transcoder, jsonLoss: options.jsonLoss, log });
        } finally {
          await transcoder.close();
        }
      },
    },
    downloadEngine: createDownloadEngine(repository, repositoryOf, options.jsonLoss ?? 'omit'),
    captureEngine: {
      tail: async (request) => await tailCluster({ ...request, repository, clock, log }),
      coverage: async (source) => await readCoverage(repository, source, elsewhere),
      prune: async (source, upTo) => await deleteSlicesUpTo(repository, source, upTo),
    },
    documentHistory: {
      history: (request) => readClusterHistory({ ...request, repository }),
      put: putDocument,
    },
    manifests: repositoryManifests(repository),
    catalogCopies: {
      encrypted: repository.encrypted,
      write: async (copy) => await writeCatalogCopy(repository, copy),
      readLatest: async () => await readLatestCatalogCopy(repository),
    },
    copyStores: {
      regions: [...copyRepositories.keys()],
      copy: async ({ regionName, signal, report, ...name }) =>
        await copySnapshot(repository, copyRepositoryIn(copyRepositories, regionName), name, { signal, report }),
      copyOplog: async ({ regionName, clusterId, replicaSetName, ...options }) => {
        const to = copyRepositoryIn(copyRepositories, regionName);
        return await copySlices(repository, to, { clusterId, replicaSetName }, options);
      },
      deleteOplog: async ({ regionName, clusterId, replicaSetName, upTo, signal }) => {
        const from = copyRepositoryIn(copyRepositories, regionName);
        await deleteSlicesUpTo(from, { clusterId, replicaSetName }, upTo, { signal });
      },
      delete: async ({ regionName, signal, ...name }) =>
        await deleteSnapshotCopy(copyRepositoryIn(copyRepositories, regionName), name, { signal }),
    },
    bucketStores: createBucketStores(catalog, access),
    probe: {
      describe: async (uri, { signal }) => probedCluster(await describeCluster(uri, { signal })),
      missingPrivileges: async (uri, { signal }) => await missingPrivileges(uri, { signal }),
      identityRefusal: (name, projectId) => {
        const identity = policy.identities?.get(name);
        const known = identity !== undefined && (identity.projects?.includes(projectId) ?? true);
        return known ? null : `there is no identity ${name} for this project`;
      },
      processSettings: async (uri, { signal }) => await readProcessSettings(uri, { signal }),
    },
    credentialMint: createCredentialMint(random),
    cloudIdentities: {
      awsPrincipalArn: options.awsPrincipalArn ?? null,
      gcpServiceAccount: options.gcpServiceAccount ?? null,
    },
    repository: {
      id: repository.repositoryId,
      encrypted: repository.encrypted,
      description: repository.store.description,
    },
  };
}
