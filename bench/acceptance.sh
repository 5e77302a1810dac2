#!/usr/bin/env bash
# acceptance.sh: the big ones, about half an hour. VENV has the Python of bench/requirements.txt; ACCEPT_DIR,
# on a disk with 40 GB free, takes the data, which is removed again. ACCEPT_ROWS is 100000000; ACCEPT_DATA
# is a demo of that size to use instead of making one.
#   a  the seed's job at 1M x 100k rows equals pandas, for every writer's files, at every bound and thread count
#   b  the seed's job at full size: counted in seconds, and refused
#   c  the full size with test2 grouped, in memory cgroups of exactly --mem, checked by DuckDB
# With arguments, only the parts named: acceptance.sh a b
set -euo pipefail
here=$(realpath "$(dirname "$0")")
bin=$(realpath "${PQJOIN:-./bin/pqjoin}")
python=${VENV:-.venv}/bin/python
[ -x "$python" ] || { echo "no Python in ${VENV:-.venv}: make bench-setup makes one"; exit 1; }
python=$(cd "$(dirname "$python")" && pwd)/python
rows=${ACCEPT_ROWS:-100000000}
mkdir -p "${ACCEPT_DIR:-.}"
work=$(mktemp -d "$(realpath "${ACCEPT_DIR:-.}")/pqjoin-accept.XXXXXX")
trap 'rm -rf "$work"' EXIT

full=${ACCEPT_DATA:-$work/full}
[ ! -d "$full" ] || full=$(realpath "$full")

say() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*"; exit 1; }

# floor JOB FLAGS...: the floor that plan prints, as --mem takes it.
floor() { "$bin" plan "$@" --mem 1GB --threads 2 | awk '/^memory / {print $NF}'; }

sum() { (cd "$1" && cat ./*.parquet | sha256sum); }

# seed DATA: the seed's job over DATA gives the same bytes at every bound, and pandas' answer.
seed() {
  local data=$1 want="" got mem threads
  local flags=("$here/seed.yaml" --set "data=$data" --set "out=$work/result")
  for mem in "$(floor "${flags[@]}")" 256MB 4GB; do
    for threads in 1 2; do
      "$bin" run "${flags[@]}" --mem "$mem" --threads "$threads" --progress none | tail -n 1
      got=$(sum "$work/result")
      [ -z "$want" ] || [ "$want" = "$got" ] || fail "$data: other bytes at --mem $mem --threads $threads"
      want=$got
    done
  done
  "$python" "$here/seed_equals_pandas.py" "$data" "$work/result"
  rm -rf "$work/result"
}

part_a() {
  for shape in fastparquet pyarrow pqjoin; do
    say "a: files of $shape's shape"
    "$bin" demo --rows 1000000 --shape "$shape" --dir "$work/$shape" --progress none >"$work/log" 2>&1 || fail "$(cat "$work/log")"
    seed "$work/$shape"
  done
  for library in fastparquet pyarrow; do
    say "a: files written by $library itself"
    "$python" "$here/rewrite_with.py" "$library" "$work/fastparquet" "$work/by-$library"
    seed "$work/by-$library"
  done
}

# data makes the full-size tables once, and what the demo makes of them.
data() {
  [ -d "$full" ] && return
  say "making $rows rows"
  "$bin" demo --rows "$rows" --dir "$full" --mem 1GiB --progress none
}

part_b() {
  data
  say "b: the seed's job at full size"
  local flags=("$here/seed.yaml" --set "data=$full" --set "out=$work/never" --mem 1GiB) rc=0
  time "$bin" plan "${flags[@]}" --exact >"$work/plan"
  grep -E '^(table result|join on|output|refused)|^ +key ' "$work/plan"
  [ "$(grep -c '^ *key ' "$work/plan")" -ge 3 ] || fail "plan names no heavy keys"
  time "$bin" run "${flags[@]}" --progress none 2>"$work/err" || rc=$?
  cat "$work/err"
  [ $rc = 4 ] || fail "run: exit $rc, not 4"
  [ ! -e "$work/never" ] || fail "run wrote something"
  counted=$("$bin" plan "${flags[@]}" --exact --json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["joins"][0]["rows"])')
  "$python" "$here/verify_full.py" count "$full" "$counted"
}

part_c() {
  data
  local want="" got mem rc
  for mem in 1073741824 268435456; do
    say "c: grouped and joined, in a cgroup of $mem bytes"
    rc=0
    bash "$here/incgroup.sh" "$mem" "$bin" run "$full/job.yaml" --mem "$mem" --progress none || rc=$?
    [ $rc != 77 ] || { echo "SKIPPED: needs a memory cgroup"; return; }
    [ $rc = 0 ] || fail "exit $rc at --mem $mem"
    got=$(sum "$full/result")
    [ -z "$want" ] || [ "$want" = "$got" ] || fail "other bytes at --mem $mem"
    want=$got
  done
  "$python" "$here/verify_full.py" result "$full"
}

for part in "${@:-a b c}"; do
  for p in $part; do "part_$p"; done
done
say "accepted"
