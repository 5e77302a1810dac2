package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/plan"
	"pqjoin/tableio/parquet"
)

// TestEveryFileOfTheCorpus copies every file of apache/parquet-testing by a job, at the least memory that the job says it
// needs. Each ends as testdata/corpus/manifest.txt says, which make.py wrote from what pyarrow and DuckDB read.
func TestEveryFileOfTheCorpus(t *testing.T) {
	corpus := os.Getenv("PQJOIN_PARQUET_TESTING")
	if corpus == "" {
		corpus = "../../shared/corpus/parquet-testing"
	}
	corpus, err := filepath.Abs(corpus)
	if err == nil {
		_, err = os.Stat(corpus)
	}
	if err != nil {
		t.Skipf("SKIPPED: no copy of apache/parquet-testing (set PQJOIN_PARQUET_TESTING): %v", err)
	}
	manifest, err := os.ReadFile("testdata/corpus/manifest.txt")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for line := range strings.Lines(string(manifest)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		known = append(known, f[0])
		if f[1] == "other" || f[1] == "huge" {
			continue
		}
		if err := copiedAsTold(t.TempDir(), filepath.Join(corpus, f[0]), f[1:]); err != nil {
			t.Errorf("%s: %v", f[0], err)
		}
	}
	err = fs.WalkDir(os.DirFS(corpus), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !slices.Contains(known, path) {
			t.Errorf("%s is not in the manifest", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// copiedAsTold says how the outcome of copying a file differs from what is told of it.
func copiedAsTold(dir, path string, told []string) error {
	out := filepath.Join(dir, "out.parquet")
	err := copyFile(dir, path, out)
	if told[0] == "refused" {
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), path+": ", ""), told[1]) {
			return fmt.Errorf("it ends with %w, it is to be refused: %s", err, told[1])
		}
		if _, err := os.Stat(out); err == nil {
			return errors.New("it is refused, and has an output")
		}
		return nil
	}
	if err != nil {
		return err
	}
	rows, digest, err := digestOf(out)
	if err == nil && (rows != told[1] || digest != told[2]) {
		err = fmt.Errorf("%s rows, %s, want %s rows, %s", rows, digest, told[1], told[2])
	}
	return err
}

// copyFile runs a job over the file, at its floor.
func copyFile(dir, path, out string) error {
	ctx := context.Background()
	text := fmt.Sprintf("inputs: {t: {path: %q, format: parquet}}\noutputs: {t: {path: %q}}\n", path, out)
	job, err := plan.Parse(filepath.Join(dir, "job.yaml"), []byte(text), plan.Options{})
	if err != nil {
		return err
	}
	config := Config{FS: hasty(), Mem: 1 << 30, Threads: 1, SpillDir: dir, Version: "test", Warn: func(string) {}, Tuning: Tuning{Protect: true}}
	run, err := Open(ctx, job, config)
	if err != nil {
		return err
	}
	config.Mem = run.Floor()
	if run, err = Open(ctx, job, config); err != nil {
		return err
	}
	if err = run.Preflight(ctx); err == nil {
		_, err = run.Execute(ctx)
	}
	return err
}

// digestOf returns the rows of a file, and make.py's digest of its columns that are not nested.
func digestOf(path string) (rows, digest string, err error) {
	ctx := context.Background()
	f, err := parquet.Open(ctx, vfs.OS(), path)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	var cols []int
	var names []string
	for i, field := range f.Schema().Fields {
		if field.Type.ID != batch.Nested {
			cols, names = append(cols, i), append(names, field.Name)
		}
	}
	total := short(strings.Join(names, ","))
	for g := range f.RowGroups() {
		if len(cols) == 0 {
			break
		}
		st, err := f.ReadRowGroup(ctx, nil, g, cols, parquet.ReadOptions{})
		if err != nil {
			return "", "", err
		}
		for err == nil {
			var b *batch.Batch
			if b, err = st.Next(ctx); err == nil {
				for _, row := range batchtest.Rows(b) {
					total.Add(total, short(rowText(b.Schema, row)))
				}
				b.Release()
			}
		}
		if !errors.Is(err, io.EOF) {
			return "", "", errors.Join(err, st.Close())
		}
		if err := st.Close(); err != nil {
			return "", "", err
		}
	}
	total.Mod(total, new(big.Int).Lsh(big.NewInt(1), 128))
	return fmt.Sprint(f.Rows()), fmt.Sprintf("%032x", total), nil
}

func short(s string) *big.Int {
	sum := sha256.Sum256([]byte(s))
	return new(big.Int).SetBytes(sum[:16])
}

// rowText writes a row as make.py does.
func rowText(s *batch.Schema, row []any) string {
	cells := make([]string, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
			cells[i] = "-"
		case bool:
			if cells[i] = "0"; v {
				cells[i] = "1"
			}
		case int64:
			if cells[i] = fmt.Sprint(v); s.Fields[i].Type.ID == batch.Uint64 {
				cells[i] = fmt.Sprint(uint64(v))
			}
		case float64:
			if cells[i] = "nan"; v == v {
				cells[i] = fmt.Sprintf("%016x", math.Float64bits(v))
			}
		case batch.Int128:
			cells[i] = v.Big().String()
		case string:
			if cells[i] = "''"; v != "" {
				cells[i] = hex.EncodeToString([]byte(v))
			}
		}
	}
	return strings.Join(cells, "|")
}
