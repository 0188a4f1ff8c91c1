import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertWhole,
  bucket,
  contents,
  exportInto,
  prefix,
  withSnapshot,
} from '../../../test/support/export-fixture.ts';
import { exportedObjects } from '../../../test/support/exported.ts';
import { FaultyStore } from '../../../test/support/faulty-store.ts';
import {
  type ObjectStoreServer,
  startAzurite,
  startFakeGcs,
  startVersity,
  whyNoServer,
} from '../../../test/support/object-servers.ts';
import { Fault } from '../../lib/errors.ts';
import { openAzureStore } from '../../storage/azure.ts';
import { openGcsStore } from '../../storage/gcs.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { openS3Store } from '../../storage/s3.ts';

/**
 * The same export to a real server of each kind: whole, cut off and taken up again, and into a bucket that vanishes.
 */
interface Kind {
  name: string;
  skip: string | false;
  start(): Promise<{ server: ObjectStoreServer<unknown>; open: (bucketName: string) => ObjectStore }>;
}

function kindOf<Place>(
  name: string,
  skip: string | false,
  start: () => Promise<ObjectStoreServer<Place>>,
  open: (place: Place, options: { objectKeys: 'any' }) => ObjectStore,
): Kind {
  return {
    name,
    skip,
    start: async () => {
      const server = await start();
      return { server, open: (bucketName) => open(server.place(bucketName), { objectKeys: 'any' }) };
    },
  };
}

const kinds: Kind[] = [
  kindOf('S3', await whyNoServer('versitygw'), startVersity, openS3Store),
  kindOf('Azure Blob Storage', await whyNoServer('azurite'), startAzurite, openAzureStore),
  kindOf('Google Cloud Storage', await whyNoServer('fake-gcs-server'), startFakeGcs, openGcsStore),
];

for (const { name, skip, start } of kinds) {
  describe(`exports to ${name}`, { skip }, () => {
    test('are whole, go on where they were cut off, and say why they fail', async () => {
      const { server, open } = await start();
      try {
        const repository = await withSnapshot(contents);
        const memory = bucket();
        await exportInto(memory, repository);
        const expected = await exportedObjects(memory, prefix);

        await server.createBucket('whole');
        await exportInto(open('whole'), repository);
        const objects = await exportedObjects(open('whole'), prefix);
        assertWhole(objects, contents);
        assert.deepEqual(objects, expected);

        await server.createBucket('cut-off');
        await assert.rejects(exportInto(new FaultyStore(open('cut-off'), { faultyWrite: 7 }), repository));
        await exportInto(open('cut-off'), repository, { resumed: true });
        assert.deepEqual(await exportedObjects(open('cut-off'), prefix), expected);

        await server.createBucket('vanishing');
        let writes = 0;
        const beforeWrite = async () => {
          if (++writes === 7) await server.removeBucket('vanishing');
        };
        const vanishing = new FaultyStore(open('vanishing'), { beforeWrite });
        await assert.rejects(exportInto(vanishing, repository), (error) => {
          assert.ok(error instanceof Fault && !error.retryable, String(error));
          assert.match(error.message, /could not be written to/);
          return true;
        });
        await server.createBucket('vanishing');
        assert.equal((await exportedObjects(open('vanishing'), prefix)).has('.complete'), false);
        await exportInto(open('vanishing'), repository);
        assert.deepEqual(await exportedObjects(open('vanishing'), prefix), expected);
      } finally {
        await server.stop();
      }
    });
  });
}
