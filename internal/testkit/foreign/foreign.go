// Package foreign makes Parquet files as another writer does, and ours does not.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	pq "github.com/parquet-go/parquet-go"
)

// Tables writes a table, by its name, into a directory.
var Tables = map[string]func(ctx context.Context, dir string) error{"bounds": writeBounds, "texts": writeTexts}

// boundsRow is a row of files whose footers are long.
type boundsRow struct {
	K int64  `parquet:"k"`
	S string `parquet:"s,zstd"`
}

// writeBounds writes files whose texts stand whole in their statistics, twice a row group: footers of 19 MB.
func writeBounds(ctx context.Context, dir string) error {
	for file := range 3 {
		row := func(i int) boundsRow {
			return boundsRow{int64(i*7919+file) % 1009, fmt.Sprint(i) + strings.Repeat("abcdefgh", 2048)}
		}
		if err := writeForeign(ctx, filepath.Join(dir, fmt.Sprint(file, ".parquet")), 1200, row, pq.MaxRowsPerRowGroup(2)); err != nil {
			return err
		}
	}
	return nil
}

// textsRow is a row of a table of texts.
type textsRow struct {
	Key int64  `parquet:"key"`
	C1  string `parquet:"c1,snappy"`
	C2  string `parquet:"c2,snappy,dict"`
	C3  string `parquet:"c3,snappy"`
}

// writeTexts writes one row group of 80 MB of texts.
func writeTexts(ctx context.Context, dir string) error {
	row := func(i int) textsRow {
		x := uint32(i) * 2654435761
		return textsRow{int64(i), fmt.Sprintf("%08x", x>>12), fmt.Sprintf("name %d", x%1000), strings.Repeat(fmt.Sprintf("%08x ", x), 1+i%20)}
	}
	return writeForeign(ctx, filepath.Join(dir, "0.parquet"), 700_000, row)
}

// writeForeign writes n rows, and their directory.
func writeForeign[T any](ctx context.Context, path string, n int, row func(int) T, opts ...pq.WriterOption) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	h, err := os.Create(path)
	if err != nil {
		return err
	}
	w := pq.NewGenericWriter[T](h, opts...)
	for i := 0; i < n && err == nil; i++ {
		if err = ctx.Err(); err == nil {
			_, err = w.Write([]T{row(i)})
		}
	}
	return errors.Join(err, w.Close(), h.Close())
}
