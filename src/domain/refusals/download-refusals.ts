import type { RefusalRule } from './refusal-rule.ts';

export const downloadRefusals = {
  CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY: {
    status: 400,
    detail: 'Snapshot {0} is already being downloaded.',
    remedy: 'Use the link of the restore job that there is, cancel that job, or wait until its link has expired.',
  },
  TOO_MANY_SNAPSHOT_DOWNLOADS: {
    status: 400,
    detail: 'Group {0} has {1} snapshot downloads, which is as many as it may have at a time.',
    remedy: 'Cancel restore jobs whose downloads nobody needs, or wait until their links have expired.',
  },
  DOWNLOAD_NOT_FOUND: {
    status: 404,
    detail: 'There is no such download.',
    remedy:
      "Tidemark's own code. Take the link from the restore job, whole: its last part but one is what lets you in.",
  },
  DOWNLOAD_GONE: {
    status: 410,
    detail: 'The download link {0}.',
    remedy:
      "Tidemark's own code. A link can be used once, within an hour of its making or of its last break. Ask for another download.",
  },
  TOO_MANY_DOWNLOADS_AT_ONCE: {
    status: 429,
    detail: 'As many downloads as this server makes at a time are under way.',
    remedy: "Tidemark's own code. Try again in a moment, as Retry-After says.",
  },
} as const satisfies Record<string, RefusalRule>;
