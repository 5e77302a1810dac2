package parquet

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite-outcomes", false, "write testdata/outcomes.txt anew")

// corpus returns the folder of apache/parquet-testing, or skips.
func corpus(t *testing.T) string {
	dir := os.Getenv("PQJOIN_PARQUET_TESTING")
	if dir == "" {
		dir = "../../../shared/corpus/parquet-testing"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no copy of apache/parquet-testing at %s (set PQJOIN_PARQUET_TESTING): %v", dir, err)
	}
	return dir
}

type goldenColumn struct {
	Type    string `json:"type"`
	Rows    int64  `json:"rows"`
	Nulls   int64  `json:"nulls"`
	CRC     string `json:"crc"`
	Error   string `json:"error"`
	Unknown bool   `json:"unknown"`
}

type goldenFile struct {
	Error   string                  `json:"error"`
	Rows    int64                   `json:"rows"`
	Columns map[string]goldenColumn `json:"columns"`
}

// TestCorpus reads every published test file: each column is what pyarrow reads, or is
// refused. The outcome of each is in testdata/outcomes.txt, which is the place to see what is not read.
func TestCorpus(t *testing.T) {
	dir := corpus(t)
	golden := goldenFiles(t, "testdata/golden.json")
	var out strings.Builder
	names := make([]string, 0, len(golden))
	for name := range golden {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		corpusFile(t, &out, dir, name, golden[name])
	}
	const path = "testdata/outcomes.txt"
	if *rewrite {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); d != "" {
		t.Errorf("outcomes differ (-want +got):\n%s", d)
	}
}

func goldenFiles(t *testing.T, path string) (golden map[string]goldenFile) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &golden)
	}
	if err != nil {
		t.Fatal(err)
	}
	return golden
}

// TestFilesOfEveryWriter reads what pyarrow, DuckDB, Polars and fastparquet write in all their codecs and encodings
// (testdata/make.py): every column is what pyarrow reads.
func TestFilesOfEveryWriter(t *testing.T) {
	allAsPyarrowReads(t, "testdata/writers")
}

func allAsPyarrowReads(t *testing.T, dir string) {
	for name, want := range goldenFiles(t, filepath.Join(dir, "golden.json")) {
		var out strings.Builder
		corpusFile(t, &out, dir, name, want)
		if n := len(want.Columns); out.String() != fmt.Sprintf("%s: %d of %d columns as pyarrow reads them\n", name, n, n) {
			t.Error(out.String())
		}
	}
}

func corpusFile(t *testing.T, out *strings.Builder, dir, name string, want goldenFile) {
	pool := mem.NewPool(64<<20, mem.Protect())
	defer func() {
		if err := pool.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	sentence := func(err error) string {
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, mem.ErrLimit) {
			t.Errorf("%s: an error of no kind: %v", name, err)
		}
		return strings.ReplaceAll(err.Error(), filepath.Join(dir, name)+": ", "")
	}
	f, err := Open(t.Context(), vfs.OS(), filepath.Join(dir, name))
	if err != nil {
		fmt.Fprintf(out, "%s: refused: %s\n", name, sentence(err))
		return
	}
	if want.Error == "" && f.Rows() != want.Rows {
		t.Errorf("%s: %d rows, pyarrow %d", name, f.Rows(), want.Rows)
	}
	read := 0
	var notes []string
	for i, field := range f.Schema().Fields {
		w, known := want.Columns[field.Name]
		got, err := sumColumn(t.Context(), f, pool, i)
		switch {
		case err != nil:
			notes = append(notes, "  "+sentence(err))
		case want.Error != "" || known && w.Error != "":
			notes = append(notes, fmt.Sprintf("  column %s: read, where pyarrow fails", field.Name))
		case !known || w.Unknown:
			notes = append(notes, fmt.Sprintf("  column %s: read, and not compared", field.Name))
		case got != w.sum():
			t.Errorf("%s: column %s: %s, pyarrow %s", name, field.Name, got, w.sum())
		default:
			read++
		}
	}
	fmt.Fprintf(out, "%s: %d of %d columns as pyarrow reads them\n", name, read, len(f.Schema().Fields))
	for _, n := range notes {
		fmt.Fprintln(out, n)
	}
}

func (g goldenColumn) sum() string {
	return fmt.Sprintf("%d rows, %d nulls, %s", g.Rows, g.Nulls, g.CRC)
}

// sumColumn reads a column in batches of an awkward size and sums it as testdata/golden.py does.
func sumColumn(ctx context.Context, f *File, pool *mem.Pool, col int) (string, error) {
	acct := pool.Account("test", 0)
	crc, rows, nulls := crc32.NewIEEE(), 0, 0
	for g := range f.RowGroups() {
		err := eachBatch(ctx, f, acct, g, []int{col}, ReadOptions{BatchRows: 777}, func(b *batch.Batch) error {
			flat, err := batch.Flatten(acct, b.Cols[0])
			if err != nil {
				return err
			}
			defer flat.Release()
			rows += flat.N
			nulls += flat.Nulls
			for i := range flat.N {
				fmt.Fprintln(crc, render(flat, i))
			}
			return nil
		})
		if err != nil {
			return "", errors.Join(err, acct.Close())
		}
	}
	return fmt.Sprintf("%d rows, %d nulls, %08x", rows, nulls, crc.Sum32()), acct.Close()
}

func eachBatch(ctx context.Context, f *File, acct *mem.Account, group int, cols []int, o ReadOptions, do func(*batch.Batch) error) error {
	s, err := f.ReadRowGroup(ctx, acct, group, cols, o)
	if err != nil {
		return err
	}
	for {
		b, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return s.Close()
		}
		if err == nil {
			err = do(b)
			b.Release()
		}
		if err != nil {
			return errors.Join(err, s.Close())
		}
	}
}

// render writes a value as testdata/golden.py does.
func render(c *batch.Column, i int) string {
	if c.IsNull(i) {
		return "-"
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return fmt.Sprint(c.Bools()[i])
	case batch.KindFloat64:
		v := c.Float64s()[i]
		if math.IsNaN(v) {
			return "nan"
		}
		return fmt.Sprintf("%016x", math.Float64bits(v))
	case batch.KindInt128:
		return c.Int128s()[i].Big().String()
	case batch.KindBytes:
		if c.Type.ID == batch.Nested {
			return renderNested(c.Type, c.Value(i))
		}
		if len(c.Value(i)) == 0 {
			return "''"
		}
		return hex.EncodeToString(c.Value(i))
	}
	if c.Type.ID == batch.Uint64 {
		return fmt.Sprint(uint64(c.Int64s()[i]))
	}
	return fmt.Sprint(c.Int64s()[i])
}
