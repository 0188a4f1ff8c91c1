import { after, before, describe } from 'node:test';
import type { ObjectKeys } from '../../src/storage/object-store.ts';
import type { RemoteStore, RemoteStoreOptions } from '../../src/storage/remote-store.ts';
import type { ObjectStoreServer } from '../support/object-servers.ts';
import { type AnyKeyLimits, anyObjectKeysSuite, objectStoreSuite } from './object-store.suite.ts';

export interface RemoteKind<Place extends { prefix: string }> {
  name: string;
  /** Why its server cannot be had here, or false. */
  skip: string | false;
  start(): Promise<ObjectStoreServer<Place>>;
  limits?: AnyKeyLimits;
  open(place: Place, options?: RemoteStoreOptions): RemoteStore;
}

/** Every promise of the port, held to a real server. */
export function remoteStoreSuite<Place extends { prefix: string }>(kind: RemoteKind<Place>): void {
  describe(`a store on a real server: ${kind.name}`, { skip: kind.skip }, () => {
    let server: ObjectStoreServer<Place>;
    let buckets = 0;
    before(async () => {
      server = await kind.start();
    });
    after(async () => {
      await server.stop();
    });
    const create = async (objectKeys: ObjectKeys) => {
      const bucket = `bucket-${++buckets}`;
      await server.createBucket(bucket);
      const open = () => kind.open({ ...server.place(bucket), prefix: 'some/prefix' }, { objectKeys });
      return { store: open(), another: open(), dispose: async () => await server.removeBucket(bucket) };
    };
    objectStoreSuite(kind.name, async () => await create('repository'));
    anyObjectKeysSuite(kind.name, async () => await create('any'), kind.limits);
  });
}
