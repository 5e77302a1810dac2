package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pqjoin/internal/vfs"

	pq "github.com/parquet-go/parquet-go"
)

type textRow struct {
	K int64
	S string
	B []byte
}

// longTexts writes a file of a row group for each two texts.
func longTexts(t *testing.T, texts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pq.NewGenericWriter[textRow](&out, pq.MaxRowsPerRowGroup(2), pq.KeyValueMetadata("some", strings.Repeat("text ", 1000)))
	for i, s := range texts {
		if _, err := w.Write([]textRow{{int64(i), s, []byte(s)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A footer that passes through a window of any size says what it says at once, and ends where it ends: a value lies across
// two windows, and is longer than one.
func TestAFooterIsReadThroughAWindow(t *testing.T) {
	file := longTexts(t, strings.Repeat("a", 300), strings.Repeat("b", 70), "c", "", strings.Repeat("é", 50), strings.Repeat("d", 64))
	read := func(window int, b []byte) (*fileMeta, uint32, error) {
		src, err := findFooter(t.Context(), &bytesFile{r: bytes.NewReader(b)}, "t", int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		src.buf = make([]byte, window)
		return parseFooter(src, math.MaxInt64)
	}
	want, sum, err := read(1<<20, file)
	if err != nil || len(want.groups) != 3 {
		t.Fatal(want, err)
	}
	for window := 11; window < 400; window++ {
		got, s, err := read(window, file)
		if err != nil || s != sum || !reflect.DeepEqual(got, want) {
			t.Errorf("a window of %d bytes: sum %x, not %x, %v", window, s, sum, err)
		}
	}
	footer := int(file[len(file)-8]) | int(file[len(file)-7])<<8
	for cut := range footer { // a shorter footer that ends within a value, whatever lies before and behind
		short := append(file[len(file)-8-footer:len(file)-8-cut:len(file)-8-cut], byte(footer-cut), byte((footer-cut)>>8), 0, 0, 'P', 'A', 'R', '1')
		short = append(make([]byte, 16), short...)
		_, _, whole := read(1<<20, short)
		if _, _, err := read(32, short); fmt.Sprint(err) != fmt.Sprint(whole) {
			t.Errorf("cut off by %d: %v, and through a window: %v", cut, whole, err)
		}
	}
}

// What a footer says of long texts is kept short, and still bounds them.
func TestLongBoundsAreKeptShort(t *testing.T) {
	x := strings.Repeat("x", 100)
	for i, c := range []struct{ lo, hi, least, most, mostBytes string }{
		{x + "a", x + "b", x[:64], x[:63] + "y", x[:63] + "y"},
		{"a", x, "a", x[:63] + "y", x[:63] + "y"},
		{x[:64], x[:64], x[:64], x[:64], x[:64]},
		{"a", x[:65], "a", x[:63] + "y", x[:63] + "y"},
		{"", "", "", "", ""},
		{"a" + strings.Repeat("é", 40), "b" + strings.Repeat("é", 40), "a" + strings.Repeat("é", 31), "c", "b" + strings.Repeat("é", 31) + "\xc4"},
		{"a", strings.Repeat("é", 40), "a", "", strings.Repeat("é", 31) + "\xc3\xaa"},
	} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		h, err := vfs.OS().Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(h, bytes.NewReader(longTexts(t, c.hi, c.lo))); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), vfs.OS(), path)
		if err != nil {
			t.Fatal(err)
		}
		for j, most := range []string{c.most, c.mostBytes} {
			s := f.RowGroups()[0].Columns[1+j].Stats
			if has := most != "" || c.hi == ""; s.HasMinMax != has || has && (string(s.Max.Bytes) != most || len(s.Min.Bytes) > 64 || string(s.Min.Bytes) > c.lo || c.hi > most) {
				t.Errorf("case %d, column %d: from %q to %q, %v", i, j, s.Min.Bytes, s.Max.Bytes, s.HasMinMax)
			} else if j == 0 && has && string(s.Min.Bytes) != c.least {
				t.Errorf("case %d: from %q", i, s.Min.Bytes)
			}
		}
	}
}

// Elements of a list may take a byte of the footer each and hundreds of the heap: of a hostile footer no more are kept than there is room for.
func TestAFooterOfManyEmptyElementsTakesNoMoreThanItMay(t *testing.T) {
	const n = 300_000
	list := func(before string, n uint64) []byte {
		b := binary.AppendUvarint([]byte(before+"\xfc"), n)
		return append(b, make([]byte, n)...)
	}
	element := list("\x15\x04\x19", 1)
	for what, footer := range map[string][]byte{
		"schema":          append(list("\x15\x04\x19", n), "\x16\x00\x00"...),
		"chunks":          append(append(append(element, "\x16\x00\x19\x1c"...), list("\x19", n)...), 0, 0),
		"sorting columns": append(append(append(element, "\x16\x00\x19\x1c"...), list("\x49", n)...), 0, 0),
	} {
		b := binary.LittleEndian.AppendUint32(append([]byte("PAR1"), footer...), uint32(len(footer)))
		b = append(b, "PAR1"...)
		src, err := findFooter(t.Context(), &bytesFile{r: bytes.NewReader(b)}, "t", int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, _, err := parseFooter(src, 1<<20)
		runtime.ReadMemStats(&after)
		if err == nil && !m.counted {
			t.Errorf("%s: it is kept: %d elements, %d row groups", what, len(m.schema), len(m.groups))
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
			t.Errorf("%s: %d bytes were allocated", what, took)
		}
	}
}
