// Package gen makes the tables of the demo and of the benchmark: those of the join that inspired pqjoin,
// h2o's group-by and join tables, tables like TPC-H's, trades and quotes, and some that are hard on purpose.
//
//	row number --ids--> whole numbers of the row --(sort by them)--> --columns--> values --> files
//
// A table is a list of ids, whole numbers that a row's values are made from, and a list of
// columns. Most ids and values are a hash of the row's number (random.go), so any run of rows can be made
// alone; the ids of a sorted table go through an external sort first.
//
// Invariant: the files of a table are a function of its Params alone. Threads and memory do not change
// them, and values depend neither on the shape nor on how rows are cut into files.
package gen

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

// Version changes whenever the same Params make other files.
const Version = 1

// The shapes: whose habits the files follow.
const (
	Fastparquet      = "fastparquet"       // one plain page per column chunk, snappy, no CRC, no dictionary
	FastparquetPlain = "fastparquet-plain" // the same, uncompressed
	Pyarrow          = "pyarrow"           // dictionaries, pages of 1 MiB, snappy
	Pqjoin           = "pqjoin"            // our own writer's
)

// Params says what to make. Zero values of those that a table uses mean its defaults; the
// others must be zero. Tables and uses are listed by Tables.
type Params struct {
	Table       string  `json:"table"`
	Rows        int64   `json:"rows"` // of all files; for h2o-j1-* those of x, for tpch-* those of lineitem
	RowsPerFile int64   `json:"rows_per_file"`
	Shape       string  `json:"shape"`
	Seed        uint64  `json:"seed"`
	Keys        int64   `json:"keys,omitempty"` // distinct keys
	Unique      bool    `json:"unique,omitempty"`
	Groups      int64   `json:"groups,omitempty"` // h2o's K
	Nulls       int64   `json:"nulls,omitempty"`  // percent
	Sorted      bool    `json:"sorted,omitempty"`
	Theta       float64 `json:"theta,omitempty"`
	Columns     int64   `json:"columns,omitempty"` // the key included
	Types       string  `json:"types,omitempty"`
	Order       string  `json:"order,omitempty"`
}

// Spec is what to make and with what.
type Spec struct {
	Params
	Threads int          // files written at a time, as far as the account's limit allows; default 1
	Acct    *mem.Account // nil: the Go heap
}

// maxRows bounds the rows of a table, so that no row number times a small factor overflows.
const maxRows = 1e13

// table is a table that can be made.
type table struct {
	rows   int64
	ids    []idFunc
	sortBy []int // the ids that a sorted table is sorted by; none: it comes as it is made
	cols   []column
	pandas bool // the files carry the metadata by which pandas restores a data frame
}

// maker makes the files of a table.
type maker struct {
	spec      *Spec
	t         *table
	schema    *batch.Schema
	fsys      vfs.FS
	dir       string
	dicts     []*batch.Column // by column, nil where it has none
	batchRows int64
	threads   int
}

// Write makes the table as part.0.parquet, part.1.parquet ... in dir, which it makes. A table of
// no rows has one file. What an error leaves in dir is the caller's to remove.
func Write(ctx context.Context, fsys vfs.FS, dir string, s Spec) error {
	t, err := s.Params.resolve()
	if err != nil {
		return fmt.Errorf("gen: %w", err)
	}
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	m := &maker{spec: &s, t: t, fsys: fsys, dir: dir, schema: &batch.Schema{}}
	defer m.close()
	if err := m.prepare(); err != nil {
		return err
	}
	if len(t.sortBy) > 0 {
		err = m.writeSorted(ctx)
	} else {
		err = m.writeFiles(ctx)
	}
	if err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

// wantBatch is about how many bytes a batch takes.
const wantBatch = 8 << 20

// prepare makes dictionaries and divides the memory.
func (m *maker) prepare() error {
	for i := range m.t.cols {
		c := &m.t.cols[i]
		m.schema.Fields = append(m.schema.Fields, batch.Field{Name: c.name, Type: c.typ, Nullable: true})
		d, err := c.dict(m.spec.Acct)
		if err != nil {
			return err
		}
		m.dicts = append(m.dicts, d)
	}
	m.batchRows = min(max(wantBatch/m.rowBytes(), 1<<10), parquet.PlainBlock)
	m.threads = max(m.spec.Threads, 1)
	if m.spec.Acct == nil {
		return nil
	}
	fits := m.spec.Acct.Limit() / m.fileNeed(1)
	if fits < 1 {
		return fmt.Errorf("gen: table %s needs %d bytes of memory for one file, and has %d", m.spec.Table, m.fileNeed(1), m.spec.Acct.Limit())
	}
	m.threads = int(min(int64(m.threads), fits))
	return nil
}

func (m *maker) close() {
	for _, d := range m.dicts {
		d.Release()
	}
}

// rowBytes is what a row takes at most in a batch being made, its ids included.
func (m *maker) rowBytes() int64 {
	n := int64(8 * len(m.t.ids))
	for i := range m.t.cols {
		n += int64(max(8, m.t.cols[i].longest+4)) + 1
	}
	return n
}

// fileNeed is the memory for writing a file with so many encoding threads.
func (m *maker) fileNeed(threads int) int64 {
	if plain(m.spec.Shape) {
		return plainNeed
	}
	return parquet.WriterFloor(m.schema, m.options(nil, threads)) + m.batchNeed()
}

// plainNeed is more than parquet.WritePlain takes.
const plainNeed = 8 << 20

// batchNeed is the memory of the batches of one file that are being made or written.
func (m *maker) batchNeed() int64 { return 3 * m.batchRows * m.rowBytes() * 5 / 4 }

// writeFiles makes each file alone, several at a time.
func (m *maker) writeFiles(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.threads)
	per := m.spec.RowsPerFile
	files := max((m.t.rows+per-1)/per, 1)
	for i := range files {
		if ctx.Err() != nil {
			break
		}
		f := file{maker: m, path: m.path(i), from: i * per, rows: min(per, m.t.rows-i*per)}
		g.Go(func() error { return f.write(ctx) })
	}
	return g.Wait()
}

func (m *maker) path(file int64) string {
	return filepath.Join(m.dir, fmt.Sprintf("part.%d.parquet", file))
}
