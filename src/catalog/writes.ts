import {
  ColumnNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  TableNode,
  type UnknownRow,
} from 'kysely';
import { assert, must } from '../lib/assert.ts';
import { camelCase } from './sqlite.ts';
import { bringsTask, outdatesCopy, tables, type Write } from './tables.ts';

/** What the statements of one transaction wrote, as far as somebody is to be told. Goes into the writer as a plugin. */
export class Writes implements KyselyPlugin {
  readonly #writes = new WeakMap<QueryId, Write>();
  #outdatesCopy = false;
  #bringsTask = false;

  /** The repository's copy of the catalog is behind. */
  get outdateCopy(): boolean {
    return this.#outdatesCopy;
  }

  /** There may be a task to claim. */
  get bringTask(): boolean {
    return this.#bringsTask;
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const write = writeOf(node);
    if (write !== null) this.#writes.set(queryId, write);
    return node;
  }

  async transformResult({ queryId, result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const write = this.#writes.get(queryId);
    const changed = result.numAffectedRows !== 0n || result.rows.length > 0;
    if (write !== undefined && changed) {
      this.#outdatesCopy ||= outdatesCopy(write);
      this.#bringsTask ||= bringsTask(write);
    }
    return result;
  }
}

function writeOf(node: RootOperationNode): Write | null {
  // Nobody could tell what it writes.
  assert(node.kind !== 'RawNode', 'a transaction is written with the query builder');
  if (node.kind === 'InsertQueryNode') return { table: tableOf(node.into), columns: null };
  if (node.kind === 'DeleteQueryNode') return { table: tableOf(node.from.froms[0]), columns: null };
  if (node.kind !== 'UpdateQueryNode') return null;
  const updates = must(node.updates, 'an update sets something');
  return { table: tableOf(node.table), columns: updates.map(({ column }) => columnOf(column)) };
}

function tableOf(node: OperationNode | undefined): Write['table'] {
  assert(node !== undefined && TableNode.is(node), 'what is written is a table');
  const name = camelCase(node.table.identifier.name);
  assert(isTable(name), `${name} is a table of the catalog`);
  return name;
}

function isTable(name: string): name is Write['table'] {
  return name in tables;
}

function columnOf(node: OperationNode): string {
  assert(ColumnNode.is(node), 'what is set is a column');
  return camelCase(node.column.name);
}
