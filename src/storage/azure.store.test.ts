import { remoteStoreSuite } from '../../test/conformance/remote-store.suite.ts';
import { storeFaultsSuite } from '../../test/conformance/store-faults.suite.ts';
import { startAzurite, whyNoServer } from '../../test/support/object-servers.ts';
import { openAzureStore } from './azure.ts';

const azure = {
  name: 'Azure Blob Storage',
  skip: await whyNoServer('azurite'),
  start: startAzurite,
  open: openAzureStore,
  limits: { ownOrder: true, refused: ['e/back\\slash', 'e/...'] },
};
remoteStoreSuite(azure);

const answer = (code: string) => ({
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>of ${code}</Message></Error>`,
  headers: { 'x-ms-error-code': code },
});
storeFaultsSuite({
  ...azure,
  withWrongCredentials: (place) => ({ ...place, credentials: { accountKey: Buffer.alloc(64, 1).toString('base64') } }),
  isListing: (path) => path.includes('comp=list'),
  answers: [
    { name: 'busy', status: 503, ...answer('ServerBusy'), problem: 'busy' },
    { name: 'denied', status: 403, ...answer('AuthorizationPermissionMismatch'), problem: 'denied' },
    { name: 'expired', status: 403, ...answer('AuthenticationFailed'), problem: 'credentials' },
    { name: 'no container', status: 404, ...answer('ContainerNotFound'), problem: 'noBucket' },
    { name: 'refused', status: 400, ...answer('InvalidHeaderValue'), problem: 'refused' },
  ],
});
