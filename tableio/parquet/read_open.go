package parquet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"pqjoin/batch"
	"pqjoin/internal/vfs"

	"github.com/parquet-go/parquet-go/format"
)

// Open reads the footer of a file. Errors name the file.
func Open(ctx context.Context, fsys vfs.FS, path string) (*File, error) {
	return OpenWithin(ctx, fsys, path, math.MaxInt64)
}

// OpenWithin is Open where the row groups take at most so many bytes of the Go heap; else the error is a *HeapError, and they are
// counted one by one, so that they are never on the heap together.
func OpenWithin(ctx context.Context, fsys vfs.FS, path string, most int64) (f *File, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	st, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, fmt.Errorf("%s: %w: it is a directory", path, ErrCorrupt)
	}
	f = &File{fsys: fsys, path: path, size: st.Size(), mtime: st.ModTime()}
	src, err := findFooter(ctx, h, path, f.size)
	if err != nil {
		return nil, err
	}
	f.tailLen = src.size
	if f.meta, f.tail, err = parseFooter(src, most); err != nil {
		return nil, err
	}
	if f.meta.counted {
		return nil, &HeapError{Path: path, Bytes: f.meta.heap}
	}
	if err := f.interpret(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// interpret turns the footer into schema and row groups.
func (f *File) interpret() (err error) {
	if f.meta.encrypted {
		return fmt.Errorf("%w: it is encrypted", ErrUnsupported)
	}
	annotateInt96(f.meta)
	if f.columns, err = columnsOf(f.meta.schema); err != nil {
		return err
	}
	f.schema = &batch.Schema{Fields: make([]batch.Field, len(f.columns))}
	names := make(map[string]bool, len(f.columns))
	leaves := 0
	for i := range f.columns {
		f.schema.Fields[i] = f.columns[i].field
		names[f.columns[i].field.Name] = true
	}
	for i := 1; i < len(f.meta.schema); i++ {
		if !isGroup(&f.meta.schema[i]) {
			leaves++
		}
	}
	if len(names) != len(f.columns) {
		return fmt.Errorf("%w: two columns are named %q", ErrUnsupported, f.twice())
	}
	total := int64(0)
	f.groups = make([]RowGroup, len(f.meta.groups))
	for i := range f.meta.groups {
		g := &f.meta.groups[i]
		if g.rows < 0 || g.rows > 1<<40 {
			return fmt.Errorf("%w: row group %d has %d rows", ErrCorrupt, i, g.rows)
		}
		if len(g.chunks) != leaves {
			return fmt.Errorf("%w: row group %d has %d column chunks, the schema %d", ErrCorrupt, i, len(g.chunks), leaves)
		}
		total += g.rows
		f.groups[i] = f.group(g)
	}
	if total != f.meta.rows && f.meta.rows != 0 { // some writers leave it at 0; others read the rows then, too
		return fmt.Errorf("%w: its row groups have %d rows, the footer says %d", ErrCorrupt, total, f.meta.rows)
	}
	f.meta.schema = nil
	return nil
}

func (f *File) twice() string {
	seen := map[string]bool{}
	for i := range f.columns {
		n := f.columns[i].field.Name
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}

// maxClaim is the most uncompressed bytes that a chunk is taken to have: sums of what footers say stay numbers.
const maxClaim = 1 << 44

func (f *File) group(g *groupMeta) RowGroup {
	out := RowGroup{Rows: g.rows, Columns: make([]Chunk, len(f.columns))}
	for i := range g.chunks {
		m := &g.chunks[i]
		m.raw = min(max(m.raw, 0), maxClaim)
		out.Bytes += min(max(m.bytes, 0), f.size)
		out.RawBytes += m.raw
	}
	for i := range f.columns {
		c := &f.columns[i]
		if c.nest != nil {
			out.Columns[i] = nestedChunk(g, c)
		}
		if !c.flat() {
			continue
		}
		m := &g.chunks[c.leaf]
		out.Columns[i] = Chunk{Bytes: m.bytes, RawBytes: m.raw, Codec: m.codec, Encodings: m.encodings, Stats: statsOf(c, m)}
		if m.dictAt > 0 && m.dictAt < m.dataAt {
			out.Columns[i].DictBytes = m.dataAt - m.dictAt
		}
	}
	for i := range g.chunks {
		g.chunks[i].stats = nil
	}
	out.Sorting = f.sorting(g.sorting)
	g.sorting = nil
	return out
}

// nestedChunk sums up the chunks of a nested column's leaves.
func nestedChunk(g *groupMeta, c *column) (out Chunk) {
	for i := range c.nest.leaves {
		m := &g.chunks[c.nest.leaves[i].leaf]
		out.Bytes += max(m.bytes, 0)
		out.RawBytes += max(m.raw, 0)
		out.Codec = m.codec
		for _, e := range m.encodings {
			if !slices.Contains(out.Encodings, e) {
				out.Encodings = append(out.Encodings, e)
			}
		}
		if m.dictAt > 0 && m.dictAt < m.dataAt {
			out.DictBytes += m.dataAt - m.dictAt
		}
	}
	return out
}

// sorting translates the declared order up to the first column that is not a flat one.
func (f *File) sorting(s []format.SortingColumn) (keys []batch.SortKey) {
	for _, k := range s {
		i := slices.IndexFunc(f.columns, func(c column) bool { return c.flat() && c.leaf == int(k.ColumnIdx) })
		if i < 0 {
			break
		}
		keys = append(keys, batch.SortKey{Column: i, Desc: k.Descending, NullsFirst: k.NullsFirst})
	}
	return keys
}
