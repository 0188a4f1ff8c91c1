import type { LightMyRequestResponse } from 'fastify';
import type { Operation } from '../../../contract/operation.ts';
import { type OperationId, operations } from '../../../contract/operations.ts';
import { createDuties } from '../../../src/domain/create-domain.ts';
import { sampleIds } from '../../samples/rows.ts';
import type { ApiWorld } from '../../support/api-world.ts';
import { acceptedBodies } from '../../support/sample-calls.ts';

/**
 * How an operation is brought to answer with an error that its contract lists: what has to be there before, and the
 * request itself.
 */
export type Provocation = (kit: Kit) => Promise<LightMyRequestResponse>;

/** By the operation and the code. */
export type Provocations = Partial<Record<OperationId, Readonly<Record<string, Provocation>>>>;

export interface Asked {
  params?: Readonly<Record<string, string>>;
  query?: string;
  body?: unknown;
  token?: string;
}

export interface Kit extends ApiWorld {
  operationId: OperationId;
  /**
   * The operation itself, unless another is named. What is left out of the path names nothing that is there but the
   * project and its cluster `shop`; of the body, what the operation accepts.
   */
  ask(asked?: Asked & { operationId?: OperationId }): Promise<LightMyRequestResponse>;
  /** The same, where it is a step towards something: the answer's body, after making sure that it was no error. */
  did(operationId: OperationId, asked?: Asked): Promise<Record<string, never>>;
  /** A completed snapshot of `shop`. */
  completed(): Promise<string>;
  /** One that is queued or in progress. */
  running(): Promise<string>;
  /** The body of a restore job into `shop`. */
  restoreOf(change: object): object;
  /** What the timer would see to by now. */
  runDuties(): Promise<void>;
}

export const nowhere = sampleIds.unknown;

const unknownParameters: Readonly<Record<string, string>> = {
  groupId: sampleIds.project,
  orgId: sampleIds.organization,
  groupName: 'Shop',
  clusterName: 'shop',
  name: 'shop',
  cloudProvider: 'AWS',
  clientId: `mdb_sa_id_${nowhere}`,
  entryValue: '192.0.2.1',
  ipAddress: '192.0.2.1',
  databaseName: 'nothing',
  collectionName: 'nothing',
  sourceNamespace: 'nothing.here',
};

export function kitOf(it: ApiWorld, operationId: OperationId): Kit {
  const ask: Kit['ask'] = async ({ operationId: other = operationId, params = {}, query = '', ...asked } = {}) => {
    const operation: Operation = operations[other];
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? unknownParameters[name] ?? nowhere),
    );
    const takesBody = operation.versions.some(({ request }) => request !== undefined);
    const body = 'body' in asked ? asked.body : takesBody ? acceptedBodies[other] : undefined;
    return await it.api.call(operation.method, path + query, {
      version: operation.negotiated ? (operation.versions.at(-1)?.date ?? null) : null,
      token: asked.token ?? (operation.access.scope === 'project' ? it.api.projectToken : it.api.organizationToken),
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
  };
  const did: Kit['did'] = async (other, asked) => {
    const response = await ask({ ...asked, operationId: other });
    if (response.statusCode >= 300) throw new Error(`${other}: ${response.body}`);
    return response.body === '' ? {} : response.json();
  };
  const running = async () => String((await did('takeGroupClusterBackupSnapshots')).id);
  return {
    ...it,
    operationId,
    ask,
    did,
    running,
    restoreOf: (change) => ({
      deliveryType: 'automated',
      targetClusterName: 'shop',
      targetGroupId: sampleIds.project,
      ...change,
    }),
    runDuties: async () => {
      for (const duty of createDuties(it.world.context)) await duty.run(new AbortController().signal);
    },
    completed: async () => {
      const id = await running();
      await it.world.run();
      it.world.completeTake(it.world.takes.length - 1);
      await it.world.run();
      return id;
    },
  };
}

/** Asks, with the default for everything that is not said. */
export const asking =
  (asked: Asked = {}): Provocation =>
  async ({ ask }) =>
    await ask(asked);
