package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/plan"
	"pqjoin/tableio/parquet"
)

func TestWhatFootersTakeIsOfTheFloorAndNotOfThePool(t *testing.T) {
	plain := need{reader: 1 << 20, widths: []rowWidth{{bytes: 40, columns: 5}}, depth: batchesHeld, writer: 2 << 20}
	more := plain
	more.known = 50 << 20
	if got := more.floor() - plain.floor(); got != more.known {
		t.Errorf("the floor is %d bytes higher", got)
	}
	a, err := plain.divide(100<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := more.divide(150<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	if b.Pool != a.Pool || b.Fixed > a.Pool {
		t.Errorf("pools of %d and %d bytes, of which %d are fixed", a.Pool, b.Pool, b.Fixed)
	}
	if _, err := more.divide(more.floor()-1, 2); err == nil {
		t.Error("less than the floor is enough")
	}
}

// What footers take is no reason for fewer workers or shorter batches: the pool beside it is divided as if it were not there.
func TestEqualPoolsAreDividedAlikeBesideLargeFooters(t *testing.T) {
	plain := need{reader: 1 << 20, widths: []rowWidth{{bytes: 40, columns: 5}}, depth: batchesHeld, writer: 2 << 20}
	for _, pool := range []int64{20 << 20, 100 << 20, 1 << 30} {
		for _, known := range []int64{10 << 20, 400 << 20, 4 << 30} {
			more := plain
			more.known = known
			a, err := plain.divide(pool, 64)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := more.divide(pool+known, 64); err != nil || a != b {
				t.Errorf("a pool of %d bytes is divided into %+v, and beside footers of %d into %+v: %v", pool, a, known, b, err)
			}
		}
	}
}

// A bound that does not hold what the footers say is refused while they are read, not kept: the refusal says what is needed at least,
// and the job may be opened with that. Files without a job are treated alike.
func TestABoundThatDoesNotHoldTheFootersIsRefusedWhileTheyAreRead(t *testing.T) {
	dir := t.TempDir()
	putRowGroups(t, filepath.Join(dir, "t.parquet"), 600, 40)
	path := filepath.Join(dir, "job.yaml")
	text := "inputs: {t: t.parquet}\ntables: {r: [{from: t}, {index: c0}]}\noutputs: {r: {path: o/}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	job, err := plan.Parse(path, []byte(text), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{FS: vfs.OS(), Mem: 1 << 30, Threads: 1}
	run, err := Open(t.Context(), job, cfg)
	if err != nil || run.need.known < 1<<20 {
		t.Fatal(err)
	}
	for name, open := range map[string]func(ctx context.Context, cfg Config) (*Run, error){
		"job": func(ctx context.Context, cfg Config) (*Run, error) { return Open(ctx, job, cfg) },
		"files": func(ctx context.Context, cfg Config) (*Run, error) {
			return OpenPaths(ctx, []string{dir + "/t.parquet"}, cfg)
		},
	} {
		few := cfg
		few.Tuning.Pool = minElastic + 1<<20
		_, err = open(t.Context(), few)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "floor of at least") {
			t.Errorf("%s: %v", name, err)
		}
		few.Tuning.Pool += run.need.known
		if run, err := open(t.Context(), few); err != nil || run.short == nil && run.share.Pool > few.Tuning.Pool-run.need.known {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// putRowGroups writes a Parquet file of so many row groups of one row of columns c0 and so on.
func putRowGroups(t *testing.T, path string, groups, columns int) {
	t.Helper()
	schema, row := &batch.Schema{}, make([]any, columns)
	for i := range columns {
		schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: batch.Of(batch.Int64)})
		row[i] = int64(i)
	}
	w, err := parquet.CreateFile(t.Context(), vfs.OS(), path, schema, parquet.WriterOptions{RowGroupRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for range groups {
		b, err := batchtest.Batch(nil, schema, [][]any{row}, func(int) batchtest.Layout { return batchtest.Flat })
		if err == nil {
			err = w.Write(t.Context(), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Below the floor nothing is divided, and plan says no shares of it.
func TestAPlanBelowTheFloorHasNoShares(t *testing.T) {
	var text strings.Builder
	low := Explanation{Memory: MemoryInfo{Bound: 70_000_000, Floor: 80_000_000}, Spill: 1 << 20, Refused: "--mem is below the floor"}
	if err := low.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"workers", "for data", "spill "} {
		if strings.Contains(text.String(), word) {
			t.Errorf("%q is in\n%s", word, text.String())
		}
	}
	if !strings.Contains(text.String(), "the floor is 80MB") {
		t.Error(text.String())
	}
}
