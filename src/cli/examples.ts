import type { Command } from 'commander';

/** What `--help` shows of each command beside its options, by its path: a line to copy, and what it is for. */
export const examples: Readonly<Record<string, readonly (readonly [command: string, what: string])[]>> = {
  init: [
    ['tidemark init --data-dir /var/lib/tidemark', 'with the repository inside'],
    ['tidemark init --repository s3://backups/shop --passphrase-file passphrase', 'encrypted, in a bucket'],
  ],
  serve: [
    ['tidemark serve --data-dir /var/lib/tidemark', 'the API, schedules and captures'],
    ['tidemark serve --host 0.0.0.0 --tls-cert server.pem --tls-key server.key', 'https, for other machines'],
  ],
  'cluster add': [
    ['tidemark cluster add Shop --uri-file shop.uri', 'the connection string is the first line of the file'],
    ['tidemark cluster add Spare --uri-file spare.uri --no-schedule', 'only to be restored into'],
  ],
  'cluster list': [['tidemark cluster list', 'all that is registered']],
  'cluster show': [
    ['tidemark cluster show Shop', 'members, captured oplog, snapshots, problems'],
    ['tidemark cluster show Shop --check --json', 'for monitoring: exit code 1 where something is wrong'],
  ],
  'cluster update': [
    ['tidemark cluster update Shop --uri-file new.uri', 'after a password was rotated'],
    ['tidemark cluster update Shop --paused on', 'leave it alone for a while'],
  ],
  'cluster remove': [
    ['tidemark cluster remove Shop', 'its snapshots stay'],
    ['tidemark cluster remove Shop --delete-snapshots', 'and with them'],
  ],
  'snapshot take': [["tidemark snapshot take Shop --description 'before the migration'", 'and wait for its end']],
  'snapshot list': [
    ['tidemark snapshot list Shop', 'newest first'],
    ['tidemark snapshot list --repository /mnt/copy', 'with nothing but a repository'],
  ],
  'snapshot show': [
    ['tidemark snapshot show latest', 'the newest'],
    ['tidemark snapshot show latest --from Shop', 'the newest of one cluster'],
  ],
  'snapshot browse': [
    ['tidemark snapshot browse latest', 'the collections'],
    ['tidemark snapshot browse latest shop.orders --id 42', 'one document'],
  ],
  'snapshot protect': [
    ['tidemark snapshot protect latest --from Shop', 'neither expires nor can be deleted'],
    ['tidemark snapshot protect 6b02e121d1e837dc8edcbf4e --keep 12m', 'a year from its end on'],
  ],
  'snapshot delete': [['tidemark snapshot delete 6b02e121d1e837dc8edcbf4e', 'and its copies']],
  'schedule show': [['tidemark schedule show Shop', 'when, and how long kept']],
  'schedule set': [
    ['tidemark schedule set Shop --hourly 4=3d --daily 14d', 'every 4 hours kept 3 days, every day 14'],
    ['tidemark schedule set Shop --weekly none --time 02:30', 'no weekly ones, and the others from 02:30 UTC on'],
  ],
  'capture on': [['tidemark capture on Shop', 'from now on any second can be restored']],
  'capture off': [['tidemark capture off Shop', 'only snapshots']],
  'checkpoint list': [['tidemark checkpoint list Sharded', 'of a sharded cluster']],
  restore: [
    ['tidemark restore --snapshot latest --to Spare', 'into a registered cluster'],
    ['tidemark restore --at 2026-11-22T10:20:30Z --to Spare', 'all that was written before that second'],
    ['tidemark restore --just-before 2026-11-22T10:20:30Z.5 --to Spare', 'what a mistake at that time found'],
    ['tidemark restore --repository /mnt/copy --snapshot latest --uri-file new.uri', 'when all else is lost'],
  ],
  'collection restore': [
    ['tidemark collection restore shop.orders=shop.old --snapshot latest --to Shop', 'beside what is there'],
    ['tidemark collection restore shop --at 2026-11-22T10:20:30Z --to Spare', 'a whole database'],
  ],
  download: [
    ['tidemark download --snapshot latest --output shop.archive.gz', 'for mongorestore'],
    ['tidemark download --snapshot latest --output - | mongorestore --archive --gzip', 'without a file'],
  ],
  export: [['tidemark export Shop --bucket exports', 'the newest snapshot, as Extended JSON']],
  'bucket add': [
    [
      'tidemark bucket add exports --role-arn arn:aws:iam::123456789012:role/exports',
      'S3; with MinIO and its like any ARN will do',
    ],
    ['tidemark bucket add exports --provider GCP', 'Google Cloud Storage, as TIDEMARK_GCP_SERVICE_ACCOUNT'],
  ],
  'bucket list': [['tidemark bucket list', 'ids, names and regions']],
  'bucket remove': [['tidemark bucket remove exports', 'what was exported stays']],
  'document history': [
    ['tidemark document history Shop shop.accounts \'"alice"\'', 'every version that is known'],
    ['tidemark document history Shop shop.orders 42 --from 2026-11-22T10:00:00Z', 'since then'],
  ],
  'document restore': [
    [
      'tidemark document restore Shop shop.carts 7 --just-before 2026-11-22T10:20:30Z',
      'undo one update; --overwrite where the document is there',
    ],
    ['tidemark document restore Shop shop.orders 42 --at 2026-11-22T10:20:30Z', 'beside what is there'],
  ],
  'repository check': [
    ['tidemark repository check', 'every day'],
    ['tidemark repository check --read-data', 'every week: all of it is read'],
  ],
  'repository prune': [['tidemark repository prune --dry-run', 'what would go']],
  'repository rebuild': [
    ['tidemark repository rebuild --data-dir /var/lib/tidemark', 'the repository is inside'],
    ['tidemark repository rebuild --data-dir ./tidemark --from s3://backups/shop', 'it is elsewhere'],
  ],
  'repository stats': [['tidemark repository stats', 'what is stored, and what that saves']],
  'repository move': [
    ['tidemark repository move s3://backups/shop', 'into a bucket'],
    ['tidemark repository move /mnt/backups', 'also where it was copied there by hand'],
  ],
  'task list': [
    ['tidemark task list', 'what is under way'],
    ['tidemark task list --all', 'and what has ended'],
  ],
  'task cancel': [['tidemark task cancel 6b02e121d1e837dc8edcbf4e', 'its id is in `task list`']],
  'key create': [
    ['tidemark key create --description terraform', 'an owner of the organization'],
    ['tidemark key create --role ORG_READ_ONLY --access 10.20.0.0/16', 'to look at all of it, from one network'],
    ['tidemark key create --project 6b02e11646c5574559a87c13 --role GROUP_OWNER', 'all of one project'],
  ],
  'key list': [['tidemark key list', 'who may call with a key']],
  'key delete': [['tidemark key delete hfqaeewa', 'by its public key']],
  'access show': [['tidemark access show', 'keys, service accounts, and from where they may call']],
  completion: [['tidemark completion bash > ~/.local/share/bash-completion/completions/tidemark', 'once']],
  demo: [['tidemark demo --exit --size-mb 20', 'on servers of its own, and gone when it is done']],
  'access reset': [['tidemark access reset', 'where nobody gets in any more']],
};

/** `path` begins with the name of the program. */
export function addExamples(command: Command, path: string): void {
  const own = examples[path.split(' ').slice(1).join(' ')];
  if (own === undefined) return;
  const lines = own.flatMap(([line, what]) => [`  # ${what}`, `  ${line}`]);
  command.addHelpText('after', ['', own.length > 1 ? 'Examples:' : 'Example:', ...lines].join('\n'));
}
