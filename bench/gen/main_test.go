package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/gen"
)

func TestFlagsReachTheTable(t *testing.T) {
	o, err := parse(strings.Fields("-table zipf -rows 10 -out d -theta 1.5 -keys 7 -seed 3 -shape pqjoin -mem 1GB -threads 5 -rows-per-file 4"), io.Discard)
	want := gen.Params{Table: "zipf", Rows: 10, RowsPerFile: 4, Shape: gen.Pqjoin, Seed: 3, Keys: 7, Theta: 1.5}
	if err != nil || o.params != want || o.out != "d" || o.threads != 5 || o.mem != 1_000_000_000 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, line := range []string{"", "-table zipf -out d", "-table none -rows 1 -out d", "-table zipf -rows 1", "-table zipf -rows 1 -out d more", "-table zipf -rows 1 -out d -mem x", "-what"} {
		if _, err := parse(strings.Fields(line), io.Discard); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestHelpNamesEveryTable(t *testing.T) {
	var b bytes.Buffer
	if _, err := parse([]string{"-h"}, &b); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, k := range gen.Tables() {
		if !strings.Contains(b.String(), k.Name) {
			t.Errorf("no word of %s", k.Name)
		}
	}
}

func TestTheSecondRunFindsTheTable(t *testing.T) {
	o, err := parse([]string{"-table", "group", "-rows", "1000", "-out", filepath.Join(t.TempDir(), "d")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"", "there already\n"} {
		var b bytes.Buffer
		if err := run(t.Context(), o, &b); err != nil || b.String() != want {
			t.Errorf("%q, %v", b.String(), err)
		}
	}
	o.params.Rows = 999
	if err := run(t.Context(), o, io.Discard); !errors.Is(err, gen.ErrOther) {
		t.Error(err)
	}
}
