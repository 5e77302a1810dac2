#!/usr/bin/env bash
# cgroup.sh DIR: the seed's job on the demo's data in DIR/demo, in memory cgroups of exactly --mem, from
# the printed floor up: nothing may be killed, and the bytes must be the same each time.
set -euo pipefail
dir=$1
here=$(dirname "$0")
bin=${PQJOIN:-./bin/pqjoin}
cat >"$dir/seed.yaml" <<YAML
inputs:
  test:  demo/test
  test2: demo/test2
tables:
  result:
    - from: test
    - index: col1
    - lag: {column: col3, by: col1, periods: [0, 1, 2, 3], as: "col_{period}", apply: ln(value)}
    - join: {with: test2, on: col1, how: left}
outputs:
  result: {path: out/, if_exists: replace}
YAML
floor=$("$bin" plan "$dir/seed.yaml" --mem 1GB --format json | awk -F'[:,]' '/"floor_bytes"/ {print $2+0; exit}')
floor=$(( (floor + 999999) / 1000000 * 1000000 ))
echo "floor $floor"
[ "$floor" -le 128000000 ] || { echo "the floor is above 128 MB"; exit 1; }
want=
for mem in $floor 134217728 268435456 1073741824; do
  for job in seed demo/job; do
    rc=0
    bash "$here/incgroup.sh" "$mem" "$bin" run "$dir/$job.yaml" --mem "$mem" --progress none >"$dir/log" 2>"$dir/err" || rc=$?
    if [ $rc = 77 ]; then echo "SKIPPED: $(cat "$dir/err")"; exit 0; fi
    if [ $rc != 0 ]; then echo "exit $rc at $mem"; cat "$dir/err"; exit 1; fi
    echo "$job --mem $mem: $(tail -n 1 "$dir/log"); $(tail -n 1 "$dir/err")"
  done
  sum=$(cat "$dir"/out/*.parquet "$dir"/demo/result/*.parquet | sha256sum)
  [ -z "$want" ] || [ "$want" = "$sum" ] || { echo "other bytes at --mem $mem"; exit 1; }
  want=$sum
done
rm -rf "$dir/out"
