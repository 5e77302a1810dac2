#!/usr/bin/env bash
# crossread.sh DIR: what was written to DIR/demo is read alike by everybody else's readers, and the seed's
# job over DIR/demo's data is pandas' answer; what pqjoin makes of every file of apache/parquet-testing, where there is
# a copy of it, is what pyarrow or DuckDB reads. About a minute.
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

cat >"$work/layout.yaml" <<YAML
inputs: {result: {path: "\${result}", columns: [col1, col3]}}
tables:
  t:
    - from: result
    - head: 20000
    - window: {columns: {id: row_number()}}
    - compute:
        name: concat('n', cast(id as string))
        px: col3
        day: if(id % 11 = 0, null, cast(timestamp '2024-01-01 00:00:00' + interval (id % 3) day as date))
        sym: case id % 5 when 0 then 'a/b=c%' when 1 then 'Ä b' when 2 then '..' when 3 then '' else 'x' end
        n: id % 2
    - index: id
    - select: [id, name, px, day, sym, n]
outputs:
  plain: {table: t, path: "\${out}/plain.parquet"}
  parts: {table: t, path: "\${out}/parts/", partition_by: [day, sym, n], bloom: [id, name], files: {count: 1}}
YAML
"$bin" run "$work/layout.yaml" --set result="$dir/demo/result" --set out="$work/layout" --mem 256MB --progress none

cat >"$work/formats.yaml" <<YAML
inputs: {plain: "\${out}/plain.parquet"}
outputs:
  lines: {table: plain, path: "\${out}/lines.jsonl"}
  packed: {table: plain, path: "\${out}/lines.jsonl.gz"}
  plain: {path: "\${out}/plain.arrow"}
  lz4: {table: plain, path: "\${out}/lz4.arrow", compression: lz4}
  zstd: {table: plain, path: "\${out}/zstd.arrow", compression: zstd}
YAML
"$bin" run "$work/formats.yaml" --set out="$work/layout" --mem 256MB --progress none
"$python" "$here/crossread_formats.py" "$work/layout"
mkdir "$work/nested"
"$python" "$here/crossread_nested.py" "$bin" "$work/nested"
"$python" "$here/crossread_layout.py" "$work/layout/plain.parquet" "$work/layout/parts"

"$bin" run "$here/seed.yaml" --set data="$dir/demo" --set out="$work/seed" --mem 256MB --progress none
"$python" "$here/seed_equals_pandas.py" "$dir/demo" "$work/seed"

corpus=${PQJOIN_PARQUET_TESTING:-$here/../../shared/corpus/parquet-testing}
if [ -d "$corpus" ]; then
  "$python" "$here/../engine/testdata/corpus/make.py" --pqjoin "$bin" --corpus "$(realpath "$corpus")"
else
  echo "SKIPPED: no copy of apache/parquet-testing at $corpus (set PQJOIN_PARQUET_TESTING)"
fi

# What export prints gives the same answer in DuckDB: the jobs of the golden tests, and random ones.
(cd "$here/.." && go build -o "$work/jobcases" ./internal/testkit/jobcases)
"$work/jobcases" -golden "$here/../engine/testdata/golden" "$work/golden"
"$work/jobcases" -seed 1 -cases "${EXPORT_CASES:-300}" "$work/random"
"$work/jobcases" -cookbook "$here/../docs/cookbook" "$work/cookbook"
for jobs in golden cookbook random; do
  "$python" "$here/export_equals.py" "$bin" "$work/$jobs"
done

# The ways of pandas and DuckDB in the cookbook.
"$python" "$here/cookbook.py" "$here"/../docs/cookbook/*.md
