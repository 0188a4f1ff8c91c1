#!/usr/bin/env bash
# bson (npm) 7.3.4 and the Go driver's bson 2.10.0, which mongorestore and mongoimport read with, make different
# documents of the same canonical Extended JSON, without an error from either.
#
# A document whose names begin with a dollar is common in what is stored (view pipelines, validators, partial filters,
# references). For the Go driver its first name alone decides whether it is a value in a wrapper. For EJSON.parse a
# wrapper's name at any place does, the other fields are dropped, and the operator $regex with $options is a value too,
# also with relaxed: false. So reading back with one of them does not tell what the other will read. `{"$ref", "$id"}`
# stays a document with Go.
# Seen on Node 20.20 and 24.21 with Go 1.26:
#   {"x":{"$regex":"^a","$options":"i"}} npm: regular expression, Go: document
#   {"x":{"b":{"$numberInt":"1"},"$oid":"000000000000000000000000"}} npm: ObjectId, Go: document
#   {"x":{"$code":"f","a":{"$numberInt":"1"}}} npm: code, Go: error
#   {"x":{"b":{"$numberInt":"1"},"$date":{"$numberLong":"0"}}} npm: date, Go: document
# Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > texts <<'TEXTS'
{"x":{"$regex":"^a","$options":"i"}}
{"x":{"b":{"$numberInt":"1"},"$oid":"000000000000000000000000"}}
{"x":{"$code":"f","a":{"$numberInt":"1"}}}
{"x":{"b":{"$numberInt":"1"},"$date":{"$numberLong":"0"}}}
TEXTS
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund bson@7.3.4
cat > read.mjs <<'CODE'
import { readFileSync } from 'node:fs';
import { EJSON } from 'bson';

const words = { BSONRegExp: 'regular expression', ObjectId: 'ObjectId', Code: 'code' };
for (const text of readFileSync('texts', 'utf8').trim().split('\n')) {
  const { x } = EJSON.parse(text, { relaxed: false });
  console.log(x instanceof Date ? 'date' : (words[x._bsontype] ?? 'document'));
}
CODE
node read.mjs > npm.out
mkdir reader
cd reader
go mod init reader >/dev/null 2>&1
go get go.mongodb.org/mongo-driver/v2@v2.10.0 >/dev/null 2>&1
cat > main.go <<'CODE'
package main

import (
	"bufio"
	"fmt"
	"os"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var read bson.D
		if err := bson.UnmarshalExtJSON(lines.Bytes(), true, &read); err != nil {
			fmt.Println("error")
			continue
		}
		if _, isDocument := read[0].Value.(bson.D); isDocument {
			fmt.Println("document")
		} else {
			fmt.Printf("%T\n", read[0].Value)
		}
	}
}
CODE
GOFLAGS=-mod=mod GOPATH="$folder/go" go run . < ../texts > ../go.out
cd ..
paste -d '|' texts npm.out go.out | while IFS='|' read -r text npm go; do echo "$text npm: $npm, Go: $go"; done | tee seen
cat > expected <<'EXPECTED'
{"x":{"$regex":"^a","$options":"i"}} npm: regular expression, Go: document
{"x":{"b":{"$numberInt":"1"},"$oid":"000000000000000000000000"}} npm: ObjectId, Go: document
{"x":{"$code":"f","a":{"$numberInt":"1"}}} npm: code, Go: error
{"x":{"b":{"$numberInt":"1"},"$date":{"$numberLong":"0"}}} npm: date, Go: document
EXPECTED
diff expected seen
