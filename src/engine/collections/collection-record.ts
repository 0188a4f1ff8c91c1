/** What Atlas says of one collection of a job. */
export type RestoredState =
  | 'NOT_STARTED'
  | 'IN_PROGRESS'
  | 'FINALIZING'
  | 'NOT_FOUND'
  | 'UNSUPPORTED'
  | 'SUCCESSFUL'
  | 'ROLLBACK'
  | 'NOT_RESTORED'
  | 'FAILED'
  | 'INDEX_BUILD_FAILED';

export type RestoredIndexState = 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'FAILED' | 'NOT_RESTORED';

/**
 * What became of one namespace so far. Names are `database.collection`; of a database that the backup does not have,
 * its name alone.
 */
export interface CollectionRecord {
  source: string;
  /** As asked for. */
  target: string;
  /** Where it goes or went in fact; null while that is not known. */
  effectiveTarget: string | null;
  state: RestoredState;
  /**
   * The name under which it waits in the target's database; null before it is created and after it has its own name.
   */
  stagedName: string | null;
  /** Of the collection that the documents are in, 32 hex digits: by it a later attempt knows its own. */
  stagedUuid: string | null;
  totalDocuments: number;
  restoredDocuments: number;
  indexState: RestoredIndexState;
  indexError: string | null;
}

export type RecordChange = Partial<Omit<CollectionRecord, 'source' | 'target'>>;

/**
 * Where a restore writes down what it does before it does it, so that whoever comes after a crash knows. Every write is
 * durable when its promise resolves, and rejects once somebody else has taken the restore over.
 */
export interface RestoreJournal {
  /** What an earlier attempt left; null where none came as far as a plan. */
  read(): Promise<{ placing: boolean; records: CollectionRecord[] } | null>;
  /** In place of what an earlier attempt wrote; before the target is touched. */
  begin(records: readonly CollectionRecord[]): Promise<void>;
  /** Everything is loaded and nothing is in its place yet: from here on it goes forward only. */
  placing(): Promise<void>;
  update(source: string, change: RecordChange): Promise<void>;
  /** Documents restored so far, by source, of those that changed. */
  progress(restored: ReadonlyMap<string, number>): Promise<void>;
}
