package hostile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio"
	"pqjoin/tableio/parquet"
)

// seedFile is a whole input, which is damaged.
type seedFile struct {
	name string
	b    []byte
}

const (
	// smallSeed is the longest input of which every bit is flipped; maxSeed the longest that is damaged at all, bytes.
	smallSeed = 2 << 10
	maxSeed   = 24 << 10
)

// filesBelow returns the files of a folder, and those below it, with the extensions, as long as they are not too long. A folder that
// is not there has none.
func filesBelow(dir string, ext ...string) (out []seedFile, err error) {
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !slices.Contains(ext, filepath.Ext(path)) {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			return err
		}
		if st, err := e.Info(); err != nil || st.Size() > maxSeed {
			return err
		}
		b, err := os.ReadFile(path)
		out = append(out, seedFile{filepath.Base(path), b})
		return err
	})
	return out, err
}

// bySize sorts seeds, the short ones first.
func bySize(seeds []seedFile) []seedFile {
	slices.SortFunc(seeds, func(a, b seedFile) int {
		return cmp.Or(cmp.Compare(len(a.b), len(b.b)), strings.Compare(a.name, b.name))
	})
	return seeds
}

// pick returns one of the seeds, a short one more often than a long one.
func pick(r *rand.Rand, seeds []seedFile) []byte {
	x := r.Float64()
	return seeds[int(x*x*float64(len(seeds)))].b
}

// ownFiles are small files of a format that we write, of every type and compression.
func ownFiles(format string, compressions ...string) (out []seedFile, err error) {
	dir, err := os.MkdirTemp("", "pqjoin-hostile-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("seeds", 0)
	for i, schema := range schemas(format) {
		for _, c := range compressions {
			path := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.%s", format, i, c, format))
			if err := writeSeed(acct, path, format, c, schema); err != nil {
				return nil, err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			out = append(out, seedFile{filepath.Base(path), b})
		}
	}
	return out, errors.Join(acct.Close(), pool.Close())
}

// schemas are those of files that we write.
func schemas(format string) []*batch.Schema {
	var all, few, lists []batch.Field
	for i, t := range batchtest.Types() {
		f := batch.Field{Name: fmt.Sprint("c", i), Type: t, Nullable: i%2 == 0}
		if tableio.CheckWrites(batch.NewSchema(f), format, nil) == nil {
			all = append(all, f)
		}
	}
	for i, t := range []batch.Type{batch.Of(batch.Int64), batch.Of(batch.String), batch.Of(batch.Float64)} {
		few = append(few, batch.Field{Name: fmt.Sprint("c", i), Type: t, Nullable: i%2 == 1})
	}
	for i, shape := range []string{"list<int64>", "struct<a: string, b: list<float64>>", "map<string, int32>"} {
		lists = append(lists, batch.Field{Name: fmt.Sprint("n", i), Type: batch.Type{ID: batch.Nested, Shape: shape}, Nullable: true})
	}
	out := []*batch.Schema{batch.NewSchema(few[:1]...), batch.NewSchema(few[1:2]...), batch.NewSchema(few...), batch.NewSchema(all...)}
	if format == tableio.Parquet || format == tableio.Arrow {
		out = append(out, batch.NewSchema(lists...))
	}
	return out
}

func writeSeed(acct *mem.Account, path, format, compression string, schema *batch.Schema) error {
	o := tableio.WriterOptions{Format: format, WriterOptions: parquet.WriterOptions{Compression: compression, RowGroupRows: 20, Version: "test", Acct: acct}}
	if format == tableio.Parquet && schema.Fields[0].Type.ID != batch.Nested {
		o.Bloom = []int{len(schema.Fields) - 1}
		if schema.Fields[o.Bloom[0]].Type.IsFloat() {
			o.Bloom = []int{0}
		}
	}
	w, err := tableio.Create(context.Background(), vfs.OS(), path, false, schema, o)
	if err != nil {
		return err
	}
	defer w.Abort()
	r := rand.New(rand.NewPCG(3, uint64(len(schema.Fields))))
	rows := make([][]any, 30)
	for i := range rows {
		for _, f := range schema.Fields {
			rows[i] = append(rows[i], seedValue(r, f))
		}
	}
	b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return 0 })
	if err == nil {
		err = w.Write(context.Background(), b)
	}
	if err == nil {
		_, err = w.Close(context.Background())
	}
	return err
}

// seedValue is a random value; of nested types a short one, in its bytes (batch/nested draws them).
func seedValue(r *rand.Rand, f batch.Field) any {
	if f.Type.ID != batch.Nested {
		v := batchtest.Value(r, f.Type, f.Nullable)
		if text, ok := v.(string); ok && f.Type.ID == batch.String { // formats of text hold nothing else
			v = strings.ToValidUTF8(text, "é")
		}
		return v
	}
	word := func(n int) string { return strings.Repeat(string([]byte{byte('a' + r.IntN(9))}), n) }
	switch {
	case r.IntN(4) == 0:
		return nil
	case strings.HasPrefix(f.Type.Shape, "list"):
		n := r.IntN(3)
		return string(byte(2*n)) + word(8*n)
	case strings.HasPrefix(f.Type.Shape, "map"):
		return "\x02" + "\x03" + word(3) + word(4)
	}
	return "\x03" + "\x02" + word(2) + "\x04" + word(16)
}
