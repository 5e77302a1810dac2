package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPackagesMayBeWrittenAsPaths(t *testing.T) {
	got, err := directories("../..", []string{"batch", "./batch", "tableio/parquet/"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"batch", "batch", "tableio/parquet"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPackageWithoutBenchmarksIsNoEmptyTable(t *testing.T) {
	for _, p := range []string{"nosuch", "./docs", "main.go", ".."} {
		if dirs, err := directories("../..", []string{p}); !errors.Is(err, errNothing) {
			t.Errorf("%s: %v, %v", p, dirs, err)
		}
	}
}

func TestAPatternThatMatchesNothingIsNoEmptyTable(t *testing.T) {
	c := config{goTool: "go", bench: "Nope", benchtime: "1x", count: 1, packages: []string{"batch"}}
	if err := c.table(t.Context(), "../..", t.TempDir()); !errors.Is(err, errNothing) {
		t.Errorf("%v", err)
	}
}
