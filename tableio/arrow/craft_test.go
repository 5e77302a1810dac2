package arrow

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
)

// crafted is a stream that is made by hand.
type crafted struct{ b []byte }

func (c *crafted) message(kind int, body []byte, header func(w *builder) int) {
	w := new(builder)
	at := header(w)
	meta := w.finish(w.table(slot{i: 3, size: 8, v: int64(len(body))}, slot{i: 2, to: at}, slot{i: 0, size: 2, v: 4}, slot{i: 1, size: 1, v: int64(kind)}))
	c.b = binary.LittleEndian.AppendUint32(append(c.b, 0xff, 0xff, 0xff, 0xff), uint32(len(meta)))
	c.b = append(append(c.b, meta...), body...)
}

// schema begins the stream.
func (c *crafted) schema(fields func(w *builder) []int) {
	c.message(1, nil, func(w *builder) int { return w.table(slot{i: 1, to: w.offsets(fields(w))}) })
}

// field is a field of a kind; dict is a DictionaryEncoding, or 0.
func craftedField(w *builder, name string, kind int64, typ, dict int, children ...int) int {
	slots := []slot{{i: 0, to: w.string(name)}, {i: 3, to: typ}, {i: 5, to: w.offsets(children)}}
	if dict > 0 {
		slots = append(slots, slot{i: 4, to: dict})
	}
	return w.table(append(slots, slot{i: 1, size: 1, v: 1}, slot{i: 2, size: 1, v: kind})...)
}

// rows is a record batch: nodes are rows and nulls of each column, bufs its buffers; codec is -1 for none, views the buffers of each column of views.
type rows struct {
	n     int64
	nodes []int64
	bufs  [][]byte
	codec int64
	views []int64
}

func (r rows) put(w *builder) (at int, body []byte) {
	var places []int64
	for _, b := range r.bufs {
		places = append(places, int64(len(body)), int64(len(b)))
		body = append(body, b...)
		body = append(body, make([]byte, -len(body)&7)...)
	}
	slots := []slot{{i: 0, size: 8, v: r.n}, {i: 1, to: w.longs(r.nodes, 2)}, {i: 2, to: w.longs(places, 2)}}
	if r.views != nil {
		slots = append(slots, slot{i: 4, to: w.longs(r.views, 1)})
	}
	if r.codec >= 0 {
		slots = append(slots, slot{i: 3, to: w.table(slot{i: 0, size: 1, v: r.codec}, slot{i: 1, size: 1, v: 0})})
	}
	return w.table(slots...), body
}

func (c *crafted) batch(r rows) {
	_, body := r.put(new(builder))
	c.message(3, body, func(w *builder) int { at, _ := r.put(w); return at })
}

func (c *crafted) dictionary(id int64, delta bool, r rows) {
	_, body := r.put(new(builder))
	c.message(2, body, func(w *builder) int {
		at, _ := r.put(w)
		d := int64(0)
		if delta {
			d = 1
		}
		return w.table(slot{i: 0, size: 8, v: id}, slot{i: 1, to: at}, slot{i: 2, size: 1, v: d})
	})
}

func words(v ...int64) (out []byte) {
	for _, x := range v {
		out = binary.LittleEndian.AppendUint64(out, uint64(x))
	}
	return out
}

func ints(v ...uint32) (out []byte) {
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, x)
	}
	return out
}

// opened writes the bytes to a file and opens it.
func opened(t testing.TB, b []byte) (*File, error) {
	p := filepath.Join(t.TempDir(), "t.arrows")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), vfs.OS(), p)
}

// seeds are small files of every layout.
func seeds() (out [][]byte) {
	var flat, coded, views crafted
	flat.schema(func(w *builder) []int {
		return []int{craftedField(w, "d", typeDate, w.table(slot{i: 0, size: 2, v: 1}), 0), craftedField(w, "s", typeUtf8, w.table(), 0), craftedField(w, "b", typeBool, w.table(), 0)}
	})
	flat.batch(rows{n: 2, nodes: []int64{2, 1, 2, 0, 2, 0}, bufs: [][]byte{{2}, words(0, 86_400_000), nil, ints(0, 1, 3), []byte("abc"), nil, {1}}, codec: -1})
	text := func(w *builder) int { return w.table(slot{i: 0, size: 8, v: 7}) }
	coded.schema(func(w *builder) []int { return []int{craftedField(w, "c", typeUtf8, w.table(), text(w))} })
	coded.dictionary(7, false, rows{n: 1, nodes: []int64{1, 0}, bufs: [][]byte{nil, ints(0, 2), []byte("xy")}, codec: -1})
	coded.batch(rows{n: 3, nodes: []int64{3, 0}, bufs: [][]byte{nil, ints(0, 0, 0)}, codec: -1})
	coded.dictionary(7, true, rows{n: 1, nodes: []int64{1, 0}, bufs: [][]byte{nil, ints(0, 1), []byte("z")}, codec: -1})
	coded.batch(rows{n: 1, nodes: []int64{1, 0}, bufs: [][]byte{nil, ints(1)}, codec: -1})
	views.schema(func(w *builder) []int { return []int{craftedField(w, "v", typeUtf8View, w.table(), 0)} })
	long := []byte("a value of more than twelve bytes")
	views.batch(rows{n: 2, nodes: []int64{2, 0}, bufs: [][]byte{nil, append(ints(2, 'a'|'b'<<8, 0, 0), ints(uint32(len(long)), 0, 0, 0)...), long}, codec: -1, views: []int64{1}})
	list := craftedLists(typeList, 1, rows{n: 2, nodes: []int64{2, 1, 5, 1}, bufs: [][]byte{{2}, ints(0, 1, 3), {0x1d}, words(1, 2, 3, 4, 5)}, codec: -1})
	listViews := craftedLists(typeListView, 1, rows{n: 2, nodes: []int64{2, 0, 3, 0}, bufs: [][]byte{nil, ints(0, 1), ints(1, 2), nil, words(1, 2, 3)}, codec: -1})
	return [][]byte{flat.b, coded.b, views.b, list, listViews, written("lz4"), written("zstd")}
}

// written is what the encoder makes of a few numbers.
func written(codec string) []byte {
	dir, err := os.MkdirTemp("", "arrow")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	p := filepath.Join(dir, "t.arrow")
	if _, err := writeInts(p, false, codec, 60, 60, 0); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(p)
	if err != nil {
		panic(err)
	}
	return b
}

// Every seed is read, so that what is made of it begins with a file that is right.
func TestSeedsAreRead(t *testing.T) {
	for i, b := range seeds() {
		f, err := opened(t, b)
		if err != nil {
			t.Fatal(i, err)
		}
		got, err := columnsOf(f, all(f), 0, 32<<20)
		if err != nil || len(got[0]) == 0 || len(b) > 2000 {
			t.Error(i, len(b), got, err)
		}
	}
}

// ramp holds n numbers, from at on, of which compression makes less.
func ramp(at, n int) (*batch.Batch, error) {
	schema := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64), Nullable: true})
	c, err := batch.NewFixed(nil, schema.Fields[0].Type, n)
	if err != nil {
		return nil, err
	}
	for i := range c.Int64s() {
		c.Int64s()[i] = int64(at + i)
	}
	return &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: n}, nil
}
