package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"sync"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"

	"pgregory.net/rapid"
)

// heapStore is a partition store on the heap, in sequence order.
type heapStore struct {
	mu     sync.Mutex
	schema *batch.Schema
	parts  [][]heapPiece
	seq    int
}

type heapPiece struct {
	unit, seq int
	b         *batch.Batch
}

func heapStores(_ string, schema *batch.Schema, partitions, _ int) (Store, error) {
	return &heapStore{schema: schema, parts: make([][]heapPiece, partitions)}, nil
}

func (s *heapStore) Append(_ context.Context, _, unit int, part []uint16, b *batch.Batch) error {
	defer b.Release()
	s.mu.Lock()
	defer s.mu.Unlock()
	flat, err := batch.Concat(nil, s.schema, []*batch.Batch{b})
	if err != nil {
		return err
	}
	idx := make([][]uint32, len(s.parts))
	for i, p := range part[:b.N] {
		idx[p] = append(idx[p], uint32(i))
	}
	for p := range idx {
		if len(idx[p]) > 0 {
			g, err := batch.GatherBatch(nil, flat, idx[p])
			if err != nil {
				return err
			}
			s.parts[p] = append(s.parts[p], heapPiece{unit, s.seq, g})
		}
	}
	s.seq++
	return nil
}

func (s *heapStore) Seal(context.Context) error {
	for _, p := range s.parts {
		sort.SliceStable(p, func(i, j int) bool { return p[i].unit < p[j].unit })
	}
	return nil
}

func (s *heapStore) Part(p int) spillfile.PartStats {
	var out spillfile.PartStats
	for _, x := range s.parts[p] {
		out.Rows += int64(x.b.N)
		out.Raw += x.b.Bytes()
	}
	return out
}

func (s *heapStore) Load(_ context.Context, p int, acct *mem.Account, cols []int) (*batch.Batch, error) {
	var bs []*batch.Batch
	for _, x := range s.parts[p] {
		bs = append(bs, x.b)
	}
	b, err := batch.Concat(acct, s.schema, bs)
	if err != nil || cols == nil {
		return b, err
	}
	defer b.Release()
	return b.Select(s.schema.Select(cols), cols), nil
}

func (s *heapStore) Stream(ctx context.Context, p int, acct *mem.Account, cols []int, rows int) (batch.Stream, error) {
	b, err := s.Load(ctx, p, acct, cols)
	if err != nil {
		return nil, err
	}
	return &sliced{b: b, rows: rows, acct: acct}, nil
}

func (s *heapStore) Drop(p int) { s.parts[p] = nil }

func (s *heapStore) Close() error { return nil }

// sliced streams slices of a batch that it owns.
type sliced struct {
	b    *batch.Batch
	at   int
	rows int
	acct *mem.Account
}

func (s *sliced) Next(context.Context) (*batch.Batch, error) {
	if s.b == nil || s.at == s.b.N {
		return nil, io.EOF
	}
	end := min(s.b.N, s.at+s.rows)
	out, err := s.b.Slice(s.acct, s.at, end)
	s.at = end
	return out, err
}

func (s *sliced) Close() error {
	s.b.Release()
	s.b = nil
	return nil
}

// table is a generated table: key columns as text, "" for null, then an int64 id that is the row's number.
type table struct {
	schema *batch.Schema
	nKeys  int
	keys   [][]string // by row: canonical text of each key
	b      *batch.Batch
	byID   *batch.Batch // the rows by their ids, where b was sorted
}

// keyTypes are the types that keys are generated of.
var keyTypes = []batch.Type{
	batch.Of(batch.Int64), batch.Of(batch.Int32), batch.Of(batch.Uint64), batch.Of(batch.Int16), batch.Of(batch.Bool),
	batch.Of(batch.Float64), batch.Of(batch.Float32), batch.Of(batch.String), batch.Of(batch.Binary), batch.Of(batch.Date),
	batch.TimestampOf(batch.Micro, true), batch.DecimalOf(12, 2), batch.DecimalOf(30, 3), {ID: batch.Fixed, Width: 4}, batch.Of(batch.UUID),
}

// wide multiplies key numbers so that ranges are not dense.
func cell(t batch.Type, v int, wide bool) (canonical string, put func(*column)) {
	n := int64(v)
	if wide && t.ID != batch.Int16 && t.ID != batch.Int32 && t.ID != batch.Date {
		n = n*1_000_003_000_001 + 17
	}
	switch t.Kind() {
	case batch.KindBool:
		return fmt.Sprint(v % 2), func(c *column) { c.fixed = append(c.fixed, byte(v%2)) }
	case batch.KindFloat64:
		f, text := float64(n)/2, fmt.Sprint(float64(n)/2)
		switch v % 7 {
		case 3:
			f, text = math.NaN(), "NaN"
		case 5:
			f, text = 0, "0"
			if v%2 == 1 {
				f = math.Copysign(0, -1)
			}
		}
		return text, func(c *column) { c.fixed = append(c.fixed, batch.BytesOf([]float64{f})...) }
	case batch.KindInt128:
		x := batch.Int128{Lo: uint64(n), Hi: n % 5}
		return fmt.Sprint(x), func(c *column) { c.fixed = append(c.fixed, batch.BytesOf([]batch.Int128{x})...) }
	case batch.KindBytes:
		s := []byte(fmt.Sprintf("%d\x00%d", v%3, v))
		if t.ID == batch.Fixed || t.ID == batch.UUID {
			s = append(make([]byte, t.StoredWidth()), s...)
			s = s[len(s)-t.StoredWidth():]
		} else if v%5 == 4 {
			s = nil
		}
		return string(s), func(c *column) { c.data = append(c.data, s...) }
	}
	if t.IsUnsigned() && v%3 == 0 && wide {
		n = -n - 1
	}
	return fmt.Sprint(n), func(c *column) { c.fixed = append(c.fixed, batch.BytesOf([]int64{n})...) }
}

// column collects values.
type column struct {
	fixed, data []byte
	off         []uint32
	null        []bool
}

func (c *column) build(t batch.Type, dict bool) *batch.Column {
	n := len(c.null)
	out := &batch.Column{Type: t, N: n, Off: c.off}
	if t.Kind() == batch.KindBytes {
		out.Data = c.data
	} else {
		buf, _ := (*mem.Account)(nil).Alloc(len(c.fixed) + 16)
		copy(buf.Bytes(), c.fixed)
		out.Fixed = buf.Bytes()[:len(c.fixed)]
	}
	if dict { // an entry a row: entries repeat, which is allowed
		values := *out
		out = &batch.Column{Type: t, N: n, Dict: &values, Codes: make([]uint32, n)}
		for i := range out.Codes {
			out.Codes[i] = uint32(i)
		}
	}
	out.NewValid(nil)
	for i, null := range c.null {
		if !null {
			out.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return out.SetNulls()
}

// newTable makes a table whose keys are the numbers of each row, -1 for null.
func newTestTable(prefix string, types []batch.Type, numbers [][]int, wide bool, dict bool) *table {
	t := &table{schema: &batch.Schema{}, nKeys: len(types), keys: make([][]string, len(numbers))}
	t.b = &batch.Batch{Schema: t.schema, N: len(numbers)}
	for k, typ := range types {
		c := column{}
		if typ.Kind() == batch.KindBytes {
			c.off = []uint32{0}
		}
		for i, row := range numbers {
			text, put := cell(typ, max(row[k], 0), wide)
			put(&c)
			if c.off != nil {
				c.off = append(c.off, uint32(len(c.data)))
			}
			if c.null = append(c.null, row[k] < 0); row[k] < 0 {
				text = "null!"
			}
			t.keys[i] = append(t.keys[i], text)
		}
		t.schema.Fields = append(t.schema.Fields, batch.Field{Name: fmt.Sprintf("%sk%d", prefix, k), Type: typ, Nullable: true})
		t.b.Cols = append(t.b.Cols, c.build(typ, dict && typ.Kind() == batch.KindBytes || dict && k == 0))
	}
	id, text := column{}, column{off: []uint32{0}}
	for i := range numbers {
		id.fixed = append(id.fixed, batch.BytesOf([]int64{int64(i)})...)
		text.data = append(text.data, fmt.Sprint(prefix, i)...)
		text.off = append(text.off, uint32(len(text.data)))
		id.null, text.null = append(id.null, false), append(text.null, false)
	}
	t.schema.Fields = append(t.schema.Fields,
		batch.Field{Name: prefix + "id", Type: batch.Of(batch.Int64)}, batch.Field{Name: prefix + "text", Type: batch.Of(batch.String)})
	t.b.Cols = append(t.b.Cols, id.build(batch.Of(batch.Int64), false), text.build(batch.Of(batch.String), dict))
	t.byID = t.b
	return t
}

// units cuts the table into units of streams of pieces.
func (t *table) units(n, rows int) [][]*batch.Batch {
	out := make([][]*batch.Batch, n)
	for u := range n {
		lo, hi := u*t.b.N/n, (u+1)*t.b.N/n
		for at := lo; at < hi; at += rows {
			b, err := t.b.Slice(nil, at, min(at+rows, hi))
			if err != nil {
				panic(err)
			}
			out[u] = append(out[u], b)
		}
	}
	return out
}

type pieceStream struct{ bs []*batch.Batch }

func (s *pieceStream) Next(context.Context) (*batch.Batch, error) {
	if len(s.bs) == 0 {
		return nil, io.EOF
	}
	b := s.bs[0]
	s.bs = s.bs[1:]
	return b.Retain(), nil
}

func (s *pieceStream) Close() error { return nil }

// match is an output row: ids of its left and right row, -1 for none. Semi and anti joins put out left rows alone.
type match struct{ l, r int64 }

// oracle joins by nested loops.
func oracle(l, r *table, kind Kind, nullsEqual bool) []match {
	var out []match
	matched := map[int]bool{}
	for i, a := range l.keys {
		found := false
		for k, b := range r.keys {
			same := true
			for c := range a {
				same = same && a[c] == b[c] && (nullsEqual || a[c] != "null!")
			}
			if same && !kind.filters() {
				out = append(out, match{int64(i), int64(k)})
			}
			found = found || same
			matched[k] = matched[k] || same
		}
		if !found && (kind.keepsLeft() || kind == Anti) || found && kind == Semi {
			out = append(out, match{int64(i), -1})
		}
	}
	for k := range r.keys {
		if !matched[k] && kind.keepsRight() {
			out = append(out, match{-1, int64(k)})
		}
	}
	return out
}

// put feeds all units of t to a sink, in the order of a draw, as workers do.
func put(t *table, sink batch.Sink, workers, units, rows int) error {
	ctx := context.Background()
	us := t.units(units, rows)
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for u := w; u < units; u += workers {
				for _, b := range us[u] {
					if errs[w] = sink.Put(ctx, w, u, b.Retain()); errs[w] != nil {
						return
					}
				}
				if errs[w] = sink.EndUnit(ctx, w, u); errs[w] != nil {
					return
				}
			}
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return sink.Finish(ctx)
}

// read checks the output's payload and returns its rows.
func read(s batch.Stream, l, r *table, maxRows int) (out []match, err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	for {
		b, err := s.Next(context.Background())
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		ms, err := rowsOf(b, l, r, maxRows)
		b.Release()
		if err != nil {
			return out, err
		}
		out = append(out, ms...)
	}
}

func rowsOf(b *batch.Batch, l, r *table, maxRows int) ([]match, error) {
	if b.N == 0 || b.N > maxRows {
		return nil, fmt.Errorf("a batch of %d rows", b.N)
	}
	k := l.nKeys
	out := make([]match, b.N)
	for i := range out {
		m := match{l: -1, r: -1}
		from, row := r, 0
		if b.Cols[k].IsNull(i) {
			row = int(b.Cols[k+2].Int64s()[i])
		} else {
			m.l = b.Cols[k].Int64s()[i]
			from, row = l, int(m.l)
		}
		if m.l < 0 && !b.Cols[k+1].IsNull(i) {
			return nil, errors.New("half of a left row")
		} else if m.l < 0 {
		} else if got, want := string(b.Cols[k+1].Value(i)), fmt.Sprint("l", m.l); got != want {
			return nil, fmt.Errorf("left text %s of row %s", got, want)
		}
		for c := range k {
			if got, want := render(b.Cols[c], i), render(from.byID.Cols[c], row); got != want {
				return nil, fmt.Errorf("key %s, want %s", got, want)
			}
		}
		if len(b.Cols) == k+2 {
			out[i] = m
			continue
		}
		if !b.Cols[k+2].IsNull(i) {
			m.r = b.Cols[k+2].Int64s()[i]
			if got, want := string(b.Cols[k+3].Value(i)), fmt.Sprint("r", m.r); got != want {
				return nil, fmt.Errorf("right text %s of row %s", got, want)
			}
		} else if !b.Cols[k+3].IsNull(i) {
			return nil, errors.New("half of a right row")
		}
		out[i] = m
	}
	return out, nil
}

// drawNumbers draws the keys of n rows of k columns.
func drawNumbers(t *rapid.T, label string, n, k int) [][]int {
	domain := rapid.SampledFrom([]int{1, 2, 5, 20, 1000}).Draw(t, label+" domain")
	hot := rapid.SampledFrom([]int{0, 0, 50, 95, 100}).Draw(t, label+" hot percent")
	nulls := rapid.SampledFrom([]int{0, 0, 10, 60}).Draw(t, label+" null percent")
	seed := rapid.Uint64().Draw(t, label+" seed")
	next := func(m int) int {
		seed = mix(seed + 0x9e3779b97f4a7c15)
		return int(seed % uint64(m))
	}
	out := make([][]int, n)
	for i := range out {
		out[i] = make([]int, k)
		for c := range k {
			switch {
			case next(100) < nulls:
				out[i][c] = -1
			case next(100) >= hot:
				out[i][c] = next(domain)
			}
		}
	}
	return out
}

// closed checks that nothing is left in the pool.
func closed(t interface{ Fatal(...any) }, pool *mem.Pool, accts ...*mem.Account) {
	for _, a := range accts {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

var _ Store = (*heapStore)(nil)
