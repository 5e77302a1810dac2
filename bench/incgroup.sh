#!/usr/bin/env bash
# incgroup.sh BYTES COMMAND... runs a command in a memory cgroup limited to exactly BYTES, without swap,
# and says afterwards on stderr: oom_kill N, and the peak of all it was charged for (page cache included).
# Exit status: the command's; 99 where the kernel killed something; 77 where no cgroup can be made here.
set -u
limit=$1; shift
name=pqjoin-$$
if [ -d /sys/fs/cgroup/memory ] && mkdir "/sys/fs/cgroup/memory/$name" 2>/dev/null; then
  g=/sys/fs/cgroup/memory/$name
  echo "$limit" >"$g/memory.limit_in_bytes"
  echo "$limit" >"$g/memory.memsw.limit_in_bytes" 2>/dev/null || true
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$g" "$@"; rc=$?
  kills=$(awk '$1 == "oom_kill" {print $2}' "$g/memory.oom_control")
  peak=$(cat "$g/memory.max_usage_in_bytes")
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null && mkdir "/sys/fs/cgroup/$name" 2>/dev/null; then
  g=/sys/fs/cgroup/$name
  echo "$limit" >"$g/memory.max"
  echo 0 >"$g/memory.swap.max" 2>/dev/null || true
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$g" "$@"; rc=$?
  kills=$(awk '$1 == "oom_kill" {print $2}' "$g/memory.events")
  peak=$(cat "$g/memory.peak" 2>/dev/null || echo unknown)
else
  echo "no memory cgroup can be made here (root is needed)" >&2
  exit 77
fi
echo "cgroup limit $limit, charged at most $peak, oom_kill ${kills:-0}" >&2
rmdir "$g" 2>/dev/null
[ "${kills:-0}" = 0 ] || exit 99
exit $rc
