package tableio

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/arrow"
	"pqjoin/tableio/parquet"
)

// TestDurationsAreReadAsCountsOrNotAtAll reads the columns that pandas wrote.
func TestDurationsAreReadAsCountsOrNotAtAll(t *testing.T) {
	for _, name := range []string{"spans.parquet", "spans.arrow"} {
		spec := Spec{Paths: []string{filepath.Join("testdata", "spans", name)}}
		plain, err := Open(context.Background(), vfs.OS(), spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, col := range []string{"d", "s"} {
			if why, counts := plain.Unread(col); why != "a duration" || !counts {
				t.Errorf("%s: %s is %q, %v", name, col, why, counts)
			}
		}
		if why, _ := plain.Unread("a"); why != "" {
			t.Errorf("%s: a is %q", name, why)
		}
		if err := readInto(plain, []int{0, 1}, nil); err == nil {
			t.Errorf("%s: a duration is read as it is", name)
		}
		spec.Types = map[string]batch.Type{"d": batch.Of(batch.Int64), "s": batch.Of(batch.Int64)}
		counted, err := Open(context.Background(), vfs.OS(), spec)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]any
		if err := readInto(counted, []int{0, 1, 2}, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([][]any{{int64(1), int64(1500), int64(7)}, {int64(2), nil, int64(8)}, {int64(3), int64(-2), int64(9)}}, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if why, _ := counted.Unread("d"); why != "" {
			t.Errorf("%s: d is %q with a type", name, why)
		}
		spec.Types = map[string]batch.Type{"d": batch.Of(batch.Float64)}
		if _, err := Open(context.Background(), vfs.OS(), spec); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "is a duration and cannot be read as float64") {
			t.Errorf("%s: as float64: %v", name, err)
		}
	}
}

// readInto reads columns of a table of one unit.
func readInto(tab *Table, cols []int, rows *[][]any) error {
	s, err := tab.Source(cols, nil, Reading{}).Open(context.Background(), 0, nil)
	if err != nil {
		return err
	}
	return batchtest.Drain(s, func(b *batch.Batch) { *rows = append(*rows, batchtest.Rows(b)...) })
}

// TestSpansOfAnySchema: whatever a schema says, finding durations neither fails nor takes more than it has.
func TestSpansOfAnySchema(t *testing.T) {
	f, err := parquet.Open(context.Background(), vfs.OS(), filepath.Join("testdata", "spans", "spans.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	message, err := base64.StdEncoding.DecodeString(f.ArrowSchema())
	if err != nil || len(message) == 0 {
		t.Fatal(err, len(message))
	}
	if d := cmp.Diff([]string{"d", "s"}, arrow.Spans(message)); d != "" {
		t.Error(d)
	}
	for n := range message {
		arrow.Spans(message[:n])
		for bit := range 8 {
			message[n] ^= 1 << bit
			if total := len(arrow.Spans(message)); total > len(message) {
				t.Errorf("%d spans with bit %d of byte %d flipped", total, bit, n)
			}
			message[n] ^= 1 << bit
		}
	}
}
