import { type Refusal, type RefusalCode, refusalRules } from '../domain/refusals/refusals.ts';

/** Names of fields, operations and paths of the API: nobody who types commands has seen them. */
const API_WORDS = /\b[a-z]+[A-Z]\w*|`(?:GET|PUT|POST|PATCH|DELETE) |\/api\/|\{groupId\}/;

/**
 * What to do about a refusal, for somebody at the command line, where the words for callers of the API do not help
 * there.
 */
const remedies: Partial<Record<RefusalCode, string>> = {
  INVALID_PIT_RESTORE_TIME:
    'Give a time that the captured oplog leads to: --at 2026-11-22T10:20:30Z, or with .<ordinal> behind it for one entry',
  BACKUP_JOB_NOT_FOUND: 'Enable backup of the cluster through the API first (`atlas clusters update`)',
  BACKUP_CONFIG_NOT_FOUND:
    'Backup of the cluster is disabled: enable it through the API first (`atlas clusters update`)',
  VALIDATION_ERROR: 'Correct the value that the message names; --help says what the command takes',
  TASK_NOT_FOUND: 'A task is remembered for thirty days after its end',
  UNSUPPORTED_DELIVERY_METHOD: 'Use `tidemark restore` or `tidemark download`',
  CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP: 'Switch continuous backup of the cluster on through the API first',
  CANNOT_DELETE_PROTECTED_SNAPSHOT: 'Take the mark away through the API first',
  CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND: 'Create the role through the API first; it must be of the same provider',
  CANNOT_ASSUME_ROLE: 'The role has to trust the identity that Tidemark signs in as, with the external ID shown',
};

/** The refusal as a person at the command line is told it: commands and options, projects instead of groups. */
export function wordsOf({ code, detail }: Refusal): { message: string; hint: string | null } {
  const { remedy } = refusalRules[code];
  const hint = remedies[code] ?? (API_WORDS.test(remedy) ? `docs/errors.md says more of ${code}` : remedy);
  return { message: detail.replace(/\bgroup\b/g, 'project').replace(/\bGroup\b/g, 'Project'), hint };
}

export function hasApiWords(text: string): boolean {
  return API_WORDS.test(text);
}
