import type { ShapeOf } from '../../../contract/primitives.ts';
import type { TaskProgress } from '../../../contract/tidemark.ts';
import type { RestoreJob } from '../../domain/restores/restore-jobs.ts';
import type { Task } from '../../domain/tasks/tasks.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { type LinkBuilder, relation } from '../links.ts';
import { isoOrNull } from './times.ts';

type LeftOutSummary = NonNullable<RestoreJob['leftOut']>;

/**
 * `subject` is what it works on, as a path below the cluster's: `snapshots/<id>`, `restoreJobs/<id>` or `exports/<id>`.
 */
export function taskBody(
  task: Task,
  cluster: string,
  subject: string,
  links: LinkBuilder,
  leftOut: LeftOutSummary | null = null,
): ShapeOf<typeof TaskProgress> {
  const { progress } = task;
  return {
    attempts: task.attempts,
    attemptsMax: task.attemptsMax,
    cancelRequested: task.cancelRequested,
    createdAt: isoSeconds(task.createdAtMs),
    failureReason: task.failureReason,
    finishedAt: isoOrNull(task.finishedAtMs),
    id: task.id,
    kind: task.kind,
    leftOut: leftOut === null ? null : { count: leftOut.count, named: [...leftOut.named] },
    links: [
      links.at(`/api/tidemark/v1${cluster}/${subject}/task`, 'self'),
      links.at(`/api/atlas/v2${cluster}/backup/${subject}`, relation('subject')),
    ],
    progress:
      progress === null
        ? null
        : {
            bytesDone: progress.bytesDone,
            bytesTotal: progress.bytesTotal ?? null,
            collectionsDone: progress.collectionsDone ?? null,
            collectionsTotal: progress.collectionsTotal ?? null,
            documentsDone: progress.documentsDone,
            namespace: progress.subject ?? null,
            phase: progress.phase,
          },
    startedAt: isoOrNull(task.startedAtMs),
    state: task.state,
    subjectId: task.subjectId,
  };
}
