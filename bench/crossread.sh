#!/usr/bin/env bash
# crossread.sh DIR: what was written to DIR/demo is read alike by everybody else's readers, and the seed's
# job over DIR/demo's data is pandas' answer. About a minute.
set -euo pipefail
dir=$(realpath "$1")
here=$(dirname "$0")
bin=${PQJOIN:-./bin/pqjoin}
python=${VENV:-.venv}/bin/python
work=$(mktemp -d "$dir/crossread.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/divided.yaml" <<YAML
inputs: {result: "\${result}"}
tables: {sorted: [{from: result}, {index: col1}]}
outputs: {sorted: {path: "\${out}", files: {count: 4}}}
YAML
"$bin" run "$work/divided.yaml" --set result="$dir/demo/result" --set out="$work/divided" --mem 256MB --progress none
"$python" "$here/crossread.py" "$dir/demo/result" "$work/divided"

"$bin" run "$here/seed.yaml" --set data="$dir/demo" --set out="$work/seed" --mem 256MB --progress none
"$python" "$here/seed_equals_pandas.py" "$dir/demo" "$work/seed"
