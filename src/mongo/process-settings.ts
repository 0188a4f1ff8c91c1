import type { Document } from 'mongodb';
import { adminOf, type ConnectOptions, connectCluster, redactUri } from './connection/connect.ts';
import { asFault, codeOf } from './errors.ts';

/**
 * How the mongod processes of a cluster are set up, as far as they say. Null: the server has no such setting, or its
 * user may not read it.
 */
export interface ProcessSettings {
  defaultReadConcern: string | null;
  defaultWriteConcern: string | null;
  javascriptEnabled: boolean | null;
  noTableScan: boolean | null;
  oplogMinRetentionHours: number | null;
  oplogSizeMB: number | null;
  transactionLifetimeLimitSeconds: number | null;
}

const unauthorized = 13;
const bytesPerMegabyte = 1024 * 1024;

/** Reads the settings through an own short-lived connection. */
export async function readProcessSettings(uri: string, options: ConnectOptions = {}): Promise<ProcessSettings> {
  const client = await connectCluster(uri, options);
  try {
    const admin = adminOf(client);
    const [parameters, concerns, started, oplog] = await Promise.all([
      ifPermitted(admin.command({ getParameter: 1, notablescan: 1, transactionLifetimeLimitSeconds: 1 })),
      ifPermitted(admin.command({ getDefaultRWConcern: 1 })),
      ifPermitted(admin.command({ getCmdLineOpts: 1 })),
      ifPermitted(client.db('local').command({ collStats: 'oplog.rs' })),
    ]);
    const oplogBytes = numberOf(oplog?.maxSize);
    return {
      defaultReadConcern: textOf(concerns?.defaultReadConcern?.level),
      defaultWriteConcern: textOf(concerns?.defaultWriteConcern?.w),
      // Told only where the command line or the configuration file says so; a server that was not told otherwise runs
      // it.
      javascriptEnabled: started === null ? null : started.parsed?.security?.javascriptEnabled !== false,
      noTableScan: typeof parameters?.notablescan === 'boolean' ? parameters.notablescan : null,
      oplogMinRetentionHours: numberOf(started?.parsed?.storage?.oplogMinRetentionHours),
      oplogSizeMB: oplogBytes === null ? null : Math.round(oplogBytes / bytesPerMegabyte),
      transactionLifetimeLimitSeconds: numberOf(parameters?.transactionLifetimeLimitSeconds),
    };
  } catch (error) {
    throw asFault(error, 'describe', redactUri(uri));
  } finally {
    await client.close();
  }
}

async function ifPermitted(command: Promise<Document>): Promise<Document | null> {
  try {
    return await command;
  } catch (error) {
    if (codeOf(error) === unauthorized) return null;
    throw error;
  }
}

function numberOf(value: unknown): number | null {
  const number = value === undefined || value === null ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}

function textOf(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}
