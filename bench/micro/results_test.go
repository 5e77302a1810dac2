package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const output = `goos: linux
BenchmarkProbe/hash         	     154	    850000 ns/op	   1000.0 MB/s	        24.00 B/row	        %s ns/row
BenchmarkLimit/memory_random         	     154	    850000 ns/op	        8.000 B/row	         5.000 ns/row
PASS
`

func TestTableSetsTheLimitBesideTheFastestRun(t *testing.T) {
	var r results
	for _, ns := range []string{"30.00", "20.00", "25.00"} {
		text := strings.Replace(output, "%s", ns, 1)
		for pkg, bench := range map[string]string{"hashjoin": "Probe", "bench/micro": "Limit"} {
			lines := ""
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "Benchmark"+bench) {
					lines += line
				}
			}
			if err := r.add(pkg, lines); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		if f := strings.Fields(line); len(f) > 0 {
			got = append(got, strings.Join(f, " "))
		}
	}
	want := []string{
		"limit, one core ns per 8 B MB/s",
		"memory random 5.00 1600",
		"kernel ns/row B/row MB/s limit ns/row of it",
		"hashjoin.Probe/hash 20.00 24.0 1200 2 x memory random 10.00 50 %",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLongestNameSaysWhichLimit(t *testing.T) {
	for bench, want := range map[string]string{
		"hashjoin.Build/hash": memoryRandom, "hashjoin.Build/direct": memoryCopy, "groupby.Group/new": memoryCopy, "plan.Parse": "",
	} {
		if got, _ := limitOf(bench); got.name != want {
			t.Errorf("%s: %q, want %q", bench, got.name, want)
		}
	}
}
