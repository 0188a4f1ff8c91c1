import type { CollectionRecord, RecordChange, RestoreJournal } from '../../src/engine/collections/collection-record.ts';
import { must } from '../../src/lib/assert.ts';

/** What a restore of collections writes down, and every step of it in order: `db.name STATE`. */
export class MemoryJournal implements RestoreJournal {
  records: CollectionRecord[] = [];
  begun = false;
  isPlacing = false;
  readonly steps: string[] = [];
  /** Called before a step is written: throws in place of a crash. */
  beforeStep: (step: string) => void = () => undefined;
  /** Called before any change is written. */
  beforeChange: (source: string, change: RecordChange) => Promise<void> = async () => undefined;

  async read() {
    return this.begun ? { placing: this.isPlacing, records: this.records.map((record) => ({ ...record })) } : null;
  }

  async begin(records: readonly CollectionRecord[]) {
    this.#step('begin');
    this.begun = true;
    this.records = records.map((record) => ({ ...record }));
  }

  async placing() {
    this.#step('placing');
    this.isPlacing = true;
  }

  async update(source: string, change: RecordChange) {
    await this.beforeChange(source, change);
    if (change.state !== undefined) this.#step(`${source} ${change.state}`);
    Object.assign(this.of(source), change);
  }

  async progress(restored: ReadonlyMap<string, number>) {
    for (const [source, restoredDocuments] of restored) Object.assign(this.of(source), { restoredDocuments });
  }

  of(source: string): CollectionRecord {
    return must(
      this.records.find((record) => record.source === source),
      `${source} is written down`,
    );
  }

  /** The state of each, by source. */
  states(): Record<string, string> {
    return Object.fromEntries(this.records.map(({ source, state }) => [source, state]));
  }

  #step(step: string): void {
    this.beforeStep(step);
    this.steps.push(step);
  }
}
