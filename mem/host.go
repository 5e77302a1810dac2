package mem

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Host says how much memory the machine, or the cgroup that we run in, leaves us. All figures are bytes.
type Host struct {
	Total     int64 // physical memory
	Available int64 // MemAvailable: what can be had without swapping
	Limit     int64 // the tightest cgroup limit above us; math.MaxInt64 where there is none
	Room      int64 // the least that a limited cgroup above us has left beside its anonymous memory; math.MaxInt64 where there is none
}

// ReadHost reads /proc and /sys below root, which is os.DirFS("/") but in tests. It
// understands cgroup v1 and v2, and both mounted at once.
func ReadHost(root fs.FS) (Host, error) {
	h := Host{Limit: math.MaxInt64, Room: math.MaxInt64}
	info, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return h, fmt.Errorf("read the machine's memory: %w", err)
	}
	h.Total, h.Available = meminfo(string(info), "MemTotal:"), meminfo(string(info), "MemAvailable:")
	if h.Total <= 0 {
		return h, errors.New("read the machine's memory: no MemTotal in /proc/meminfo")
	}
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return h, nil // no cgroups here
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "":
			h.tighten(root, "sys/fs/cgroup", parts[2], "memory.max", "anon ")
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			h.tighten(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", "total_rss ")
		}
	}
	return h, nil
}

// tighten walks from the group up to the mount's root and keeps the lowest limit and the least room: a group with a
// higher limit may have less left, since others share it. Limits of the machine's memory and above are none.
// In a container the group's path may not exist below the mount: the root then is our group.
func (h *Host) tighten(root fs.FS, mount, group, limitFile, useKey string) {
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		base := path.Join(mount, dir)
		if b, err := fs.ReadFile(root, path.Join(base, limitFile)); err == nil {
			v, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			if err == nil && v < h.Total {
				h.Limit = min(h.Limit, v)
				h.Room = min(h.Room, v-statValue(root, path.Join(base, "memory.stat"), useKey))
			}
		}
		if dir == "/" {
			return
		}
	}
}

func statValue(root fs.FS, name, key string) int64 {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			v, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return v
		}
	}
	return 0
}

func meminfo(text, key string) int64 {
	sc := bufio.NewScanner(strings.NewReader(text))
	for sc.Scan() {
		f := strings.Fields(sc.Text())
		if len(f) >= 2 && f[0] == key {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Leaves returns the bytes that the machine and the cgroup leave us now.
func (h Host) Leaves() int64 {
	left := h.Available
	if left <= 0 {
		left = h.Total
	}
	return max(min(left, h.Room), 0)
}

// Most returns the largest bound that can hold: the cgroup's limit or the physical memory.
func (h Host) Most() int64 { return min(h.Limit, h.Total) }

// ParseBound parses a --mem value: a size (4GB, 512MiB), a percentage of Most (50%), or
// auto: 60 % of what is left, and never more than goMemLimit where that is set (> 0).
func ParseBound(s string, h Host, goMemLimit int64) (int64, error) {
	switch s = strings.TrimSpace(s); {
	case s == "" || s == "auto":
		n := h.Leaves() / 10 * 6
		if goMemLimit > 0 {
			n = min(n, goMemLimit)
		}
		return n, nil
	case strings.HasSuffix(s, "%"):
		p, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "%")), 64)
		if err != nil || !(p > 0 && p <= 100) {
			return 0, fmt.Errorf("memory %q is not a percentage between 0 and 100", s)
		}
		return int64(float64(h.Most()) * p / 100), nil
	}
	return ParseSize(s)
}

// ParseSize parses 4GB, 4GiB, 500MB, 1024.
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(strings.TrimSpace(s))
	if err != nil || n == 0 || n > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is not a size: write it like 4GB, 512MiB or 750000000", s)
	}
	return int64(n), nil
}

// ParseLimit parses a size that may be 0, which is returned as -1: nothing at all, where 0 means no limit.
func ParseLimit(s string) (int64, error) {
	if n, err := humanize.ParseBytes(strings.TrimSpace(s)); err == nil && n == 0 {
		return -1, nil
	}
	return ParseSize(s)
}

// Split divides a bound of total bytes: the Go heap's soft limit, the pool for data,
// and a reserve for stacks, the runtime and the binary's own pages.
type Split struct {
	Total, Heap, Pool, Reserve int64
}

// Divide splits a bound. The pool gets what the heap's limit (a fifth, at least 48 MB)
// and the reserve leave; it is not positive where total is under about 64 MB.
func Divide(total int64) Split {
	s := Split{Total: total, Heap: max(48_000_000, total/5), Reserve: max(12_000_000, total/50)}
	s.Heap = min(s.Heap, 1<<30)
	s.Reserve = min(s.Reserve, 256<<20)
	s.Pool = total - s.Heap - s.Reserve
	return s
}

// PoolToTotal returns the smallest bound whose pool has n bytes.
func PoolToTotal(n int64) int64 {
	lo, hi := n, 2*n+(128<<20)
	for lo < hi {
		mid := lo + (hi-lo)/2
		if Divide(mid).Pool >= n {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
