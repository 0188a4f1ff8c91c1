import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

/** All that the driver of MongoDB takes of that package (`aws_temporary_credentials.js`). */
export { fromNodeProviderChain };
