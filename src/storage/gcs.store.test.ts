import { remoteStoreSuite } from '../../test/conformance/remote-store.suite.ts';
import { storeFaultsSuite } from '../../test/conformance/store-faults.suite.ts';
import { startFakeGcs, whyNoServer } from '../../test/support/object-servers.ts';
import { openGcsStore } from './gcs.ts';

const gcs = {
  name: 'Google Cloud Storage',
  skip: await whyNoServer('fake-gcs-server'),
  start: startFakeGcs,
  open: openGcsStore,
};
remoteStoreSuite(gcs);

const answer = (message: string) => ({ body: JSON.stringify({ error: { message } }) });
storeFaultsSuite({
  ...gcs,
  isListing: (path) => path.includes('maxResults='),
  answers: [
    { name: 'busy', status: 503, ...answer('Backend Error'), problem: 'busy' },
    { name: 'denied', status: 403, ...answer('no storage.objects.create access'), problem: 'denied' },
    { name: 'expired', status: 401, ...answer('Invalid Credentials'), problem: 'credentials' },
    { name: 'no bucket', status: 404, ...answer('The specified bucket does not exist.'), problem: 'noBucket' },
    { name: 'refused', status: 400, ...answer('Invalid argument.'), problem: 'refused' },
  ],
});
