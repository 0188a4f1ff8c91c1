import type { Operation } from '../../contract/operation.ts';
import { must } from '../../src/lib/assert.ts';
import { samplesOf } from '../samples/all-samples.ts';
import { sampleClusterName, sampleIds, sampleRestoreJobs } from '../samples/rows.ts';
import { callerParameters } from './sample-callers.ts';

/** How the tests that go through every operation ask. */

export const sampleParameters = {
  checkpointId: '000000000000000000080001',
  cloudProvider: 'AWS',
  collectionName: 'items.archived',
  databaseName: 'orders',
  endpointId: '0000000000000000000a1001',
  exportBucketId: '0000000000000000000f0001',
  exportId: '000000000000000000090001',
  jobId: '0000000000000000000e0001',
  restoreId: '0000000000000000000e0001',
  sourceNamespace: 'orders.customers',
} as const;

/** A value for every path parameter: what it names is there. */
export const samples: Readonly<Record<string, string>> = {
  groupId: sampleIds.project,
  groupName: 'Shop',
  orgId: sampleIds.organization,
  clusterName: sampleClusterName,
  name: sampleClusterName,
  snapshotId: sampleIds.snapshot,
  restoreJobId: sampleRestoreJobs[0]?.id ?? '',
  ...sampleParameters,
  ...callerParameters,
};

/** Bodies that are accepted, for the operations that take one. */
export const acceptedBodies = samplesOf('body');

/** Operations that exist to refuse: the sample domain has nothing that they could answer with. */
export const refusing = samplesOf('refuses');

/** Names of the path's parameters, in order. */
export function parametersOf(operation: Operation): string[] {
  return [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}

/** The operation's path with the samples in it, or other values where they are given. */
export function urlOf(operation: Operation, change: Record<string, string> = {}): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(change[name] ?? must(samples[name], `no sample for ${name}`)),
  );
}
