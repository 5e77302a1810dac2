package mem

import (
	"math"
	"testing"
	"testing/fstest"
)

// machine is a root with 16 GiB of memory, of which 12 GiB are available, and these files.
func machine(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:   12582912 kB\n")}}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

const (
	gib  = 1 << 30
	none = "9223372036854771712\n" // how version 1 writes no limit
)

// hosts are machines as their files show them: the limit and the room of their cgroups, and what they leave.
var hosts = []struct {
	name               string
	files              map[string]string
	limit, room, leave int64
}{
	{"no cgroups", nil, math.MaxInt64, math.MaxInt64, 12 * gib},
	{"v2", map[string]string{
		"proc/self/cgroup":             "0::/job\n",
		"sys/fs/cgroup/job/memory.max": "4294967296\n", "sys/fs/cgroup/job/memory.stat": "anon_thp 7\nanon 1073741824\nfile 99\n",
	}, 4 * gib, 3 * gib, 3 * gib},
	{"v2, max", map[string]string{
		"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "max\n",
	}, math.MaxInt64, math.MaxInt64, 12 * gib},
	{"v2, an outer group is tighter", map[string]string{
		"proc/self/cgroup":             "0::/a/b/c\n",
		"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/c/memory.max": "8589934592\n",
		"sys/fs/cgroup/a/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.stat": "anon 536870912\n",
	}, 2 * gib, 3 * gib / 2, 3 * gib / 2},
	{"v2, the inner limit is lower, and others fill the outer group", map[string]string{
		"proc/self/cgroup":             "0::/a/b\n",
		"sys/fs/cgroup/a/b/memory.max": "4294967296\n", "sys/fs/cgroup/a/b/memory.stat": "anon 0\n",
		"sys/fs/cgroup/a/memory.max": "8589934592\n", "sys/fs/cgroup/a/memory.stat": "anon 7516192768\n",
	}, 4 * gib, gib, gib},
	{"v2, a container sees its own group as the root", map[string]string{
		"proc/self/cgroup":         "0::/../../docker/0123abcd\n",
		"sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.stat": "anon 0\n",
	}, gib, gib, gib},
	{"v2, a limit above the memory there is", map[string]string{
		"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "34359738368\n",
	}, math.MaxInt64, math.MaxInt64, 12 * gib},
	{"v2, a limit above what is available", map[string]string{
		"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "15032385536\n",
	}, 14 * gib, 14 * gib, 12 * gib},
	{"v2, the group is full", map[string]string{
		"proc/self/cgroup":             "0::/job\n",
		"sys/fs/cgroup/job/memory.max": "1073741824\n", "sys/fs/cgroup/job/memory.stat": "anon 1073745920\n",
	}, gib, -4096, 0},
	{"v1", map[string]string{
		"proc/self/cgroup": "12:cpu,cpuacct:/other\n7:memory:/job\n1:name=systemd:/user.slice\n",
		"sys/fs/cgroup/memory/job/memory.limit_in_bytes":   "4294967296\n",
		"sys/fs/cgroup/memory/job/memory.stat":             "rss 5\ntotal_rss_huge 9\ntotal_rss 1073741824\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":       none,
		"sys/fs/cgroup/memory/other/memory.limit_in_bytes": "1\n",
	}, 4 * gib, 3 * gib, 3 * gib},
	{"v1, no limit", map[string]string{
		"proc/self/cgroup": "7:memory:/job\n", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": none,
	}, math.MaxInt64, math.MaxInt64, 12 * gib},
	{"v1, nested", map[string]string{
		"proc/self/cgroup": "7:memory:/a/b\n",
		"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes":     none,
		"sys/fs/cgroup/memory/a/memory.limit_in_bytes":       "2147483648\n",
		"sys/fs/cgroup/memory/a/memory.stat":                 "total_rss 1073741824\n",
		"sys/fs/cgroup/memory/a/b/sub/memory.limit_in_bytes": "1\n",
	}, 2 * gib, gib, gib},
	{"both mounted, the memory in v1", map[string]string{
		"proc/self/cgroup": "7:memory:/job\n0::/job\n",
		"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "2147483648\n",
		"sys/fs/cgroup/unified/job/cgroup.procs":         "1\n",
	}, 2 * gib, 2 * gib, 2 * gib},
	{"lines that mean nothing", map[string]string{
		"proc/self/cgroup": "what\n\n0::/job\n", "sys/fs/cgroup/job/memory.max": "much\n",
	}, math.MaxInt64, math.MaxInt64, 12 * gib},
}

func TestTheHostIsReadOfItsFiles(t *testing.T) {
	for _, c := range hosts {
		h, err := ReadHost(machine(c.files))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if h.Total != 16*gib || h.Available != 12*gib || h.Limit != c.limit || h.Room != c.room {
			t.Errorf("%s: %+v; want a limit of %d, room for %d", c.name, h, c.limit, c.room)
		}
		if got := h.Leaves(); got != c.leave {
			t.Errorf("%s leaves %d, not %d", c.name, got, c.leave)
		}
		if got, err := ParseBound("auto", h, 0); err != nil || got != c.leave/10*6 {
			t.Errorf("%s: auto is %d, %v", c.name, got, err)
		}
		if got, err := ParseBound("50%", h, 0); err != nil || got != min(c.limit, 16*gib)/2 {
			t.Errorf("%s: a half is %d, %v", c.name, got, err)
		}
	}
}

func TestAMachineWithoutItsMemoryIsAnError(t *testing.T) {
	for _, root := range []fstest.MapFS{{}, {"proc/meminfo": {Data: []byte("MemFree: 1 kB\n")}}} {
		if h, err := ReadHost(root); err == nil {
			t.Errorf("%+v", h)
		}
	}
}

func TestAutoKeepsToAPresetLimitOfGo(t *testing.T) {
	h := Host{Total: 16 * gib, Available: 10 * gib, Limit: math.MaxInt64, Room: math.MaxInt64}
	for _, c := range []struct {
		text         string
		preset, want int64
	}{
		{"auto", 0, 6 * gib}, {"", gib, gib}, {"auto", gib, gib}, {" auto ", 7 * gib, 6 * gib},
		{"4GiB", gib, 4 * gib}, {"25%", gib, 4 * gib}, // what the user says goes before
	} {
		if got, err := ParseBound(c.text, h, c.preset); err != nil || got != c.want {
			t.Errorf("%q with GOMEMLIMIT=%d: %d, %v; want %d", c.text, c.preset, got, err, c.want)
		}
	}
	for _, text := range []string{"0%", "101%", "-1%", "NaN%", "half", "0", "-4GB"} {
		if got, err := ParseBound(text, h, 0); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestALimitMayBeNothing(t *testing.T) {
	for text, want := range map[string]int64{"0": -1, " 0GB ": -1, "1kB": 1000, "2KiB": 2048} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "much", "-1"} {
		if got, err := ParseLimit(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
