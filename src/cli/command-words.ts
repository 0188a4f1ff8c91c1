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
  BACKUP_JOB_NOT_FOUND: 'Backup of the cluster is off: `tidemark cluster update NAME --backup on`',
  BACKUP_CONFIG_NOT_FOUND: 'Backup of the cluster is off: `tidemark cluster update NAME --backup on`',
  CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED:
    'First: `tidemark cluster update NAME --protection off`',
  CANNOT_UPDATE_PAUSED_CLUSTER: 'First: `tidemark cluster update NAME --paused off`',
  CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT: 'First: `tidemark cluster update NAME --paused off`',
  CLUSTER_PAUSED_CANNOT_RESTORE: 'First: `tidemark cluster update NAME --paused off`',
  CLUSTER_BUSY: '`tidemark task list` shows what is under way; wait for its end, or cancel it',
  VALIDATION_ERROR: 'Correct the value that the message names; --help says what the command takes',
  TASK_NOT_FOUND: '`tidemark task list --all` shows those that are remembered, for thirty days after their end',
  UNSUPPORTED_DELIVERY_METHOD: 'Use `tidemark restore` or `tidemark download`',
  CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP: 'First: `tidemark capture on NAME`',
  CANNOT_DELETE_PROTECTED_SNAPSHOT: 'First: `tidemark snapshot protect ID --off`',
  CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND:
    'Give --role-arn instead, and the role is made; one that is there must be of the same provider',
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
