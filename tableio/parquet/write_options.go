package parquet

import (
	"errors"
	"math"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

const (
	pageRows       = 1 << 16  // most rows of a page
	slabBytes      = 2 << 20  // raw bytes of a slab, unless a page of it would have fewer than slabRows rows
	slabRows       = 4096     //
	slabMost       = 16 << 20 // raw bytes of a slab at most
	maxGroups      = 4        // most open row groups
	maxLanes       = 64       // most lanes a row group's columns are shared out to
	dictMaxEntries = 1 << 16
	dictMaxBytes   = 1 << 20
	minRowGroupRaw = 64 << 10 // of row groups that are cut for small files
	dictLeast      = 16 << 10 // bytes of a dictionary of few values
)

func (o WriterOptions) withDefaults() (WriterOptions, error) {
	if o.RowGroupRows <= 0 {
		o.RowGroupRows = DefaultRowGroupRows
	}
	if o.RowGroupRaw <= 0 {
		o.RowGroupRaw = DefaultRowGroupRaw
	}
	if o.FileCount > 0 {
		if o.TotalRows <= 0 {
			return o, errors.New("parquet writer: a number of files needs the number of rows")
		}
		o.FileRows = (o.TotalRows + int64(o.FileCount) - 1) / int64(o.FileCount)
	}
	if o.FileSize <= 0 {
		o.FileSize = DefaultFileSize
	}
	if o.FileRows > 0 {
		o.FileSize = math.MaxInt64 / 4
	}
	if o.FileSize < o.RowGroupRaw { // files are cut between row groups
		o.RowGroupRaw = max(o.FileSize, minRowGroupRaw)
	}
	if o.Version == "" {
		o.Version = "0.0.0"
	}
	o.Threads = max(o.Threads, 1)
	_, err := codecOf(o.Compression)
	return o, err
}

func (o WriterOptions) chunkOptions(l cutLimits) (chunkOptions, string) {
	codec, _ := codecOf(o.Compression) // withDefaults has checked it
	c := chunkOptions{codec: codec, try: true, crc: true, index: true, dict: l.groupRows >= slabRows,
		rule: dictRule{entries: dictMaxEntries, bytes: dictMaxBytes, half: true}, pageBytes: 1 << 20}
	if o.Shape == ShapePyarrow {
		c.try, c.crc, c.index, c.dict = false, false, false, true
		c.rule = dictRule{entries: 1 << 17, bytes: 1 << 20}
		return c, "parquet-cpp-arrow version 26.0.1"
	}
	return c, "pqjoin version " + o.Version
}

// cutLimits is where rows are cut, as the schema and the options say. Raw bytes are those that
// values take in memory: the kind's width, for byte strings four and their length (four for null).
type cutLimits struct {
	fixed     int64 // raw bytes of a row without its byte strings
	variable  bool  // there are byte strings
	rows      int   // most rows of a slab
	bytes     int64 // most raw bytes of a slab of several rows
	groupRows int   // most rows of a row group
	groupRaw  int64
	inFlight  int // slabs being encoded
}

func cutLimitsOf(s *batch.Schema, o WriterOptions) cutLimits {
	l := cutLimits{groupRaw: o.RowGroupRaw, inFlight: min(o.Threads, 3)}
	for _, f := range s.Fields {
		if w := f.Type.Kind().Width(); w > 0 {
			l.fixed += int64(w)
		} else {
			l.fixed, l.variable = l.fixed+4, true
		}
	}
	most := pageRows
	if o.Shape == ShapePyarrow {
		most = 1 << 17
	}
	width := max(l.fixed, 1)
	l.bytes = min(max(width*slabRows, slabBytes), slabMost)
	if o.Shape == ShapePyarrow {
		l.bytes = max(l.bytes, width<<17)
	}
	l.rows = floorPow2(int(min(max(l.bytes/width, 1), int64(most))))
	l.groupRows = int(min(int64(o.RowGroupRows), max(l.groupRaw/width, 1)))
	if !l.variable && l.groupRows > l.rows && l.groupRows < o.RowGroupRows {
		l.groupRows -= l.groupRows % l.rows // whole pages
	}
	return l
}

func floorPow2(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// WriterFloor returns the pool bytes that writing the schema takes at least, the rows
// that the writer holds on to (of whichever account they are) included. Values are taken to be
// up to half as long again as a row of o.RowBytes; longer ones, where they are longer than a slab, come on
// top, and for tables of very many columns and row groups the footer.
func WriterFloor(schema *batch.Schema, o WriterOptions) int64 {
	o, err := o.withDefaults()
	if err != nil {
		return 0
	}
	l := cutLimitsOf(schema, o)
	short := l.bound(schema, o)
	slab := l.slabMem(schema, o)
	held := int64(1 + l.inFlight)
	if 8*l.rows < minSegment { // short batches, mostly unused buffers, wait to be joined
		held += 2
	}
	page := l.pageMem(schema)
	scratch := 2*page + page/4 + 64<<10
	if row := l.longRow(o); row > page { // its bytes, with levels in front, compressed
		scratch = 3*row + row/2
	}
	codec, _ := codecOf(o.Compression) // withDefaults has checked it
	scratch = int64(o.Threads) * (scratch + encoderHeap(codec) + l.shredMem(schema, o))
	if short == 0 && 8*l.rows >= minSegment { // of wide tables, batches that wait to be joined
		column := mem.ClassSize(8*min(joinRows, l.rows)) + 3*minSegment
		short = max(int64(len(schema.Fields)*column)-joinFree, 0)
	}
	return held*slab + l.groupMem(schema, o) + scratch + sinkBuffer + 256<<10 + short
}

// bound lowers the limits, for WriterFloor, to what can come, and returns what counts beside it then: short batches while they
// wait and are joined, and dictionaries, which may be three times as long as values that are all different.
func (l *cutLimits) bound(s *batch.Schema, o WriterOptions) int64 {
	if o.MostRaw <= 0 || o.MostRaw >= l.groupRaw/4 {
		return 0
	}
	leaves := 0
	for _, f := range s.Fields {
		leaves += leavesIn(f.Type)
	}
	l.groupRaw = max(o.MostRaw, minRowGroupRaw)
	l.groupRows = int(min(int64(l.groupRows), max(o.MostRows, 1)))
	l.bytes = min(l.bytes, l.groupRaw)
	return 2*joinBytes + 3*l.groupRaw + int64(leaves)*dictLeast
}

// shredMem is what taking nested columns apart takes: a page of each leaf, twice while it grows; all
// of them together no more than a few times what their slab is.
func (l *cutLimits) shredMem(s *batch.Schema, o WriterOptions) int64 {
	most := 0
	for _, f := range s.Fields {
		if f.Type.ID == batch.Nested {
			most = max(most, leavesIn(f.Type))
		}
	}
	return min(int64(most)*(3<<19), 4*l.bytes) + int64(most)*(16<<10) + min(int64(most), 1)*3*l.longRow(o)
}

func leavesIn(t batch.Type) int {
	if typ, err := nested.Of(t); err == nil {
		return typ.Leaves()
	}
	return 1
}

// longRow returns how long a row may well be.
func (l *cutLimits) longRow(o WriterOptions) int64 {
	if !l.variable {
		return 0
	}
	return o.RowBytes + o.RowBytes/2
}

// slabMem is what the rows of a slab take in memory.
func (l *cutLimits) slabMem(s *batch.Schema, o WriterOptions) int64 {
	n, rows := int64(0), l.mostRows()
	for _, f := range s.Fields {
		w := f.Type.Kind().Width()
		if w == 0 {
			w = 4
		}
		n += int64(mem.ClassSize(w * rows))
		if f.Nullable {
			n += int64(mem.ClassSize(rows / 8))
		}
	}
	if l.variable {
		n += max(min(l.bytes, l.groupRaw), l.longRow(o)) * 5 / 4
	}
	return n
}

// mostRows is the most rows a slab has: it does not go beyond its row group.
func (l *cutLimits) mostRows() int { return min(l.rows, l.groupRows) }

// pageMem is what the longest usual page takes.
func (l *cutLimits) pageMem(s *batch.Schema) int64 {
	if l.variable {
		return min(1<<20, int64(mem.ClassSize(int(l.bytes))))
	}
	w := 1
	for _, f := range s.Fields {
		w = max(w, f.Type.Kind().Width())
	}
	rows := l.mostRows()
	return int64(mem.ClassSize(rows*w + rows/8 + 64))
}

// groupMem is what an encoded row group takes: its raw bytes, unused ends of segments and page headers.
func (l *cutLimits) groupMem(s *batch.Schema, o WriterOptions) int64 {
	raw := max(l.groupRaw, l.longRow(o))
	if !l.variable {
		raw = int64(l.groupRows) * l.fixed
	}
	cols := int64(0)
	for _, f := range s.Fields {
		cols += int64(leavesIn(f.Type))
	}
	if cols == 0 {
		return 0
	}
	slack := min(max(raw/cols/8, minSegment), maxSegment)
	return raw + raw/64 + cols*slack + int64(len(o.Bloom)*bloomSize(l.groupRows)) + 1<<20
}

// openGroups returns how many row groups may be open, as far as the writer's share tells.
func (l *cutLimits) openGroups(s *batch.Schema, o WriterOptions) int {
	if o.Acct == nil {
		return 2
	}
	share := o.Share
	if share <= 0 {
		share = o.Acct.Limit()
	}
	spare := share - WriterFloor(s, o)
	return int(min(max(1+spare/max(l.groupMem(s, o)*5/4, 1), 1), maxGroups))
}
