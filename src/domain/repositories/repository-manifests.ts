import { referencedStoredBytes } from '../../repository/format/layer-blobs.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import {
  deleteManifest,
  findManifest,
  listManifests,
  manifestExists,
  readManifest,
} from '../../repository/manifests.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SnapshotName } from '../names.ts';
import type { ManifestFacts, Manifests } from '../snapshots/snapshot-engine.ts';

/** The manifests of a real repository. */
export function repositoryManifests(repository: Repository): Manifests {
  return {
    read: async (name, signal) => {
      if (!(await manifestExists(repository, name))) return null;
      const options = signal === undefined ? {} : { signal };
      return factsOfManifest(await readManifest(repository, name, options));
    },
    namespaces: async (name) => {
      const manifest = await findManifest(repository, name);
      if (manifest === null) return null;
      // Several shards hold a collection of one name.
      const names = new Map(manifest.collections.map((entry) => [`${entry.db}.${entry.name}`, entry]));
      return [...names.values()].map((entry) => ({ db: entry.db, collection: entry.name }));
    },
    list: () => names(repository),
    delete: async (name) => await deleteManifest(repository, name),
  };
}

async function* names(repository: Repository): AsyncIterable<SnapshotName> {
  for await (const { clusterId, snapshotId } of listManifests(repository, {})) yield { clusterId, snapshotId };
}

/** The size leaves the manifest object itself out: it is small, and a manifest cannot say how long it is. */
function factsOfManifest(manifest: Manifest): ManifestFacts {
  return { header: manifest.header, storageSizeBytes: referencedStoredBytes(manifest) };
}
