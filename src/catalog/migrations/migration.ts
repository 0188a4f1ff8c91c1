/**
 * One step of the schema. `statements` are plain DDL that SQLite and PostgreSQL both take. A step that was released is
 * never edited: the next one changes what it made.
 */
export interface Migration {
  version: number;
  name: string;
  statements: readonly string[];
}
