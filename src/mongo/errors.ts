import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { Cancelled, Fault, messageOf } from '../lib/errors.ts';

/**
 * Codes by which a server says that this member cannot serve us now; another member, or this one later, can. (The
 * server's error code list, class RetriableError and NotPrimary.)
 */
const MEMBER_LOST = new Set([
  6, 7, 89, 91, 189, 262, 317, 358, 384, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 290,
]);

/**
 * Codes of what passes although the member serves: locks and limits of time, a majority that is late, a build of an
 * index or a drop of a database that an election cut off, a client that the server took for gone.
 */
const PASSING = new Set([24, 46, 50, 64, 112, 133, 134, 202, 215, 276, 279, 12587]);

/** Names of errors of the driver itself, by which it says the same. */
const PASSING_NAMES = new Set([
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoExpiredSessionError',
  'MongoWaitQueueTimeoutError',
  'MongoOperationTimeoutError',
  'MongoClientClosedError',
]);

/**
 * Codes of what is wrong with the server, with our rights there or with the time, whatever object was asked for. What a
 * server does not name at all is taken for such a thing too.
 */
const NOT_OF_THE_OBJECT = new Set([1, 8, 13, 18, 26, 31, 48, 79, 100, 371, 8000, 11601, 14031]);

/** `setUserWriteBlockMode` is on, and the user has not the privilege to write all the same. */
const USER_WRITES_BLOCKED = 371;

/** CannotInsertTimeseriesBucketsWithMixedSchema. */
export const MIXED_SCHEMA = 408;

/** The read point is gone or the collection has changed since: a newer T helps. */
const TIME_UNREADABLE = new Set([239 /* SnapshotTooOld */, 246 /* SnapshotUnavailable */]);

/** The collection is not there any more, or its cursor was killed because of it. */
const COLLECTION_GONE = new Set([
  26 /* NamespaceNotFound */, 175 /* QueryPlanKilled */, 43 /* CursorNotFound */, 237 /* CursorKilled */,
]);

export function codeOf(error: unknown): number | null {
  return error instanceof MongoServerError && typeof error.code === 'number' ? error.code : null;
}

export function isMemberLost(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoError && PASSING_NAMES.has(error.name)) return true;
  const code = codeOf(error);
  return code !== null && MEMBER_LOST.has(code);
}

/** What a server or the driver says that may well go otherwise the next time. All else that they say is a fact. */
function isPassing(error: MongoError): boolean {
  const code = codeOf(error);
  return isMemberLost(error) || (code !== null && PASSING.has(code));
}

export function isTimeUnreadable(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && TIME_UNREADABLE.has(code);
}

export function isCollectionGone(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && COLLECTION_GONE.has(code);
}

/** Also of a Fault that was made of it. */
export function isDuplicateKey(error: unknown): boolean {
  return codeOf(error instanceof Fault ? error.cause : error) === 11000;
}

/**
 * Why a server refuses the very object that it was asked to make, in its words: whatever else is asked of it may well
 * be done. Null where the reason is another one. Also of a Fault that was made of it.
 */
export function refusalOf(error: unknown): string | null {
  const cause = error instanceof Fault ? error.cause : error;
  if (!(cause instanceof MongoServerError) || isPassing(cause)) return null;
  const code = codeOf(cause);
  return code === null || NOT_OF_THE_OBJECT.has(code) ? null : messageOf(cause);
}

/** A bucket of a time series has values of several types in a field, and its collection is not said to have such. */
export function isMixedSchema(error: unknown): boolean {
  return codeOf(error) === MIXED_SCHEMA;
}

/** The server takes no writes of users, whatever they are: `setUserWriteBlockMode`. */
export function areWritesBlocked(error: unknown): boolean {
  return codeOf(error instanceof Fault ? error.cause : error) === USER_WRITES_BLOCKED;
}

/** A majority did not have a write within its `wtimeout`. */
export function isMajorityLate(error: unknown): boolean {
  return codeOf(error) === 64;
}

/**
 * A cursor on a capped collection found its place gone when it went on: also on the oplog, where that place may well
 * still be there (seen on 6.0 under heavy load).
 */
export function isPositionLost(error: unknown): boolean {
  return codeOf(error) === 136;
}

/**
 * A Fault that names what was asked of which server, and knows weather from facts: the one place where that is told of
 * MongoDB. Cancellations and our own errors pass unchanged.
 */
export function asFault(error: unknown, op: string, subject: string): unknown {
  if (error instanceof Fault || error instanceof Cancelled) return error;
  if (!(error instanceof MongoError)) return error;
  const hint = hintFor(error);
  return new Fault({
    op,
    subject,
    message: `${op} on ${subject} failed: ${messageOf(error)}`,
    retryable: isPassing(error),
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function hintFor(error: MongoError): string | undefined {
  switch (codeOf(error)) {
    case 13:
      return 'Give the user of the connection string the role described in docs/operations.md';
    case 18:
      return 'Check the user name, the password and authSource of the connection string; a registered cluster takes a new one by `tidemark cluster update NAME --uri-file FILE`';
    case USER_WRITES_BLOCKED:
      return 'Users may not write there (setUserWriteBlockMode): end that, or give the user of the connection string the built-in role `restore`, which may write all the same';
    default:
      return undefined;
  }
}
