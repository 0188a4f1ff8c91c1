import type { RefusalRule } from './refusal-rule.ts';

/** Tidemark's own. A part of the list in `refusals.ts`. */
export const documentHistoryRefusals = {
  DOCUMENT_HISTORY_UNSUPPORTED: {
    status: 400,
    detail: 'The history of documents of cluster {0} cannot be told: {1}.',
    remedy:
      'Histories are told of clusters that were backed up at least once; documents are written back to replica sets.',
  },
  DOCUMENT_VERSION_NOT_FOUND: {
    status: 404,
    detail: 'At {1} no document of {0} had that _id.',
    remedy: 'Ask for the history of the document and give the time of one of its versions.',
  },
  DOCUMENT_VERSION_UNKNOWN: {
    status: 409,
    detail: 'What the document of {0} was at {1} is not known: {2}.',
    remedy: 'Nothing captured or taken tells it. Ask for the history: it says from when to when nothing is known.',
  },
  DOCUMENT_EXISTS: {
    status: 409,
    detail: '{0} of cluster {1} holds a document with that _id, which was left alone.',
    remedy: 'Ask to overwrite it, or name another collection.',
  },
} as const satisfies Record<string, RefusalRule>;
