package gen

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

// file is one file of a table whose rows come as they are made.
type file struct {
	*maker
	path string
	from int64 // number of its first row
	rows int64
}

func (f *file) write(ctx context.Context) (err error) {
	if plain(f.spec.Shape) {
		return f.writePlain(ctx)
	}
	acct := f.spec.Acct.Sub("file", f.writerShare(f.threads))
	w, err := f.create(ctx, acct, f.path, f.rows, 1)
	if err != nil {
		return err
	}
	defer func() {
		w.Abort()
		err = errors.Join(err, acct.Close())
	}()
	for done := int64(0); done < f.rows; done += f.batchRows {
		b, err := f.batch(f.from+done, int(min(f.batchRows, f.rows-done)))
		if err != nil {
			return err
		}
		if err := w.Write(ctx, b); err != nil {
			return err
		}
	}
	_, err = w.Close(ctx)
	return err
}

func (f *file) writePlain(ctx context.Context) error {
	t := parquet.PlainTable{Rows: f.rows, Plain: f.spec.Shape == FastparquetPlain, Acct: f.spec.Acct,
		CreatedBy: "fastparquet-python version 2026.9.0 (build 0)", KeyValue: f.pandas(f.rows, "fastparquet", "2026.9.0")}
	for i := range f.t.cols {
		c := &f.t.cols[i]
		t.Columns = append(t.Columns, parquet.PlainColumn{Name: c.name, Type: c.typ,
			Fill: func(row int64, dst []uint64) { c.words(&rows{from: f.from + row, n: len(dst)}, dst) }})
	}
	_, err := parquet.WritePlain(ctx, f.fsys, f.path, t)
	return err
}

// writerShare is the most that a writer may take where so many files are written at once.
func (m *maker) writerShare(files int) int64 {
	if m.spec.Acct == nil {
		return 0
	}
	return m.spec.Acct.Limit()/int64(files) - m.batchNeed()
}

// options returns how files are written; threads is how many encode one.
func (m *maker) options(acct *mem.Account, threads int) parquet.WriterOptions {
	o := parquet.WriterOptions{Acct: acct, Threads: threads}
	if m.spec.Shape == Pyarrow {
		o.Shape = parquet.ShapePyarrow
	}
	return o
}

// create starts a file of so many rows.
func (m *maker) create(ctx context.Context, acct *mem.Account, path string, rows int64, threads int) (*parquet.Writer, error) {
	o := m.options(acct, threads)
	if m.spec.Shape == Pyarrow {
		o.KeyValue = m.pandas(rows, "pyarrow", "26.0.1")
	}
	return parquet.CreateFile(ctx, m.fsys, path, m.schema, o)
}

// batch makes rows with their ids.
func (m *maker) batch(from int64, n int) (*batch.Batch, error) {
	ids, err := m.ids(from, n)
	if err != nil {
		return nil, err
	}
	defer ids.Release()
	return m.columns(from, ids)
}

// ids makes the ids of rows, as columns without nulls.
func (m *maker) ids(from int64, n int) (*batch.Batch, error) {
	b := &batch.Batch{Schema: idSchema(len(m.t.ids)), N: n}
	r := &rows{from: from, n: n}
	for _, id := range m.t.ids {
		c, err := batch.NewFixed(m.spec.Acct, batch.Of(batch.Int64), n)
		if err != nil {
			b.Release()
			return nil, err
		}
		b.Cols = append(b.Cols, c)
		id(r, c.Int64s())
		r.ids = append(r.ids, c.Int64s())
	}
	return b, nil
}

func idSchema(n int) *batch.Schema {
	s := &batch.Schema{}
	for i := range n {
		s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprint("id", i), Type: batch.Of(batch.Int64)})
	}
	return s
}

// columns makes the values of rows from their ids, which stay the caller's.
func (m *maker) columns(from int64, ids *batch.Batch) (*batch.Batch, error) {
	r := &rows{from: from, n: ids.N}
	for _, c := range ids.Cols {
		r.ids = append(r.ids, c.Int64s())
	}
	b := &batch.Batch{Schema: m.schema, N: ids.N}
	for i := range m.t.cols {
		c, err := m.t.cols[i].make(m.spec.Acct, m.dicts[i], r)
		if err != nil {
			b.Release()
			return nil, err
		}
		b.Cols = append(b.Cols, c)
	}
	return b, nil
}

// pandas returns the metadata by which pandas restores a data frame, where the table's files have it.
func (m *maker) pandas(rows int64, library, version string) []parquet.KeyValue {
	if !m.t.pandas {
		return nil
	}
	var cols []string
	for _, c := range m.t.cols {
		cols = append(cols, fmt.Sprintf(`{"field_name": %[1]q, "metadata": null, "name": %[1]q, "numpy_type": %[2]q, "pandas_type": %[2]q}`, c.name, c.typ))
	}
	v := fmt.Sprintf(`{"column_indexes": [{"field_name": null, "metadata": null, "name": null, "numpy_type": "str", "pandas_type": "unicode"}], `+
		`"columns": [%s], "creator": {"library": %q, "version": %q}, `+
		`"index_columns": [{"kind": "range", "name": null, "start": 0, "step": 1, "stop": %d}], "pandas_version": "3.1.1", "partition_columns": []}`,
		strings.Join(cols, ", "), library, version, rows)
	return []parquet.KeyValue{{Key: "pandas", Value: v}}
}
