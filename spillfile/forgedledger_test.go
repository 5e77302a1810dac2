package spillfile

import (
	"errors"
	"math"
	"testing"
)

// wordings are changes to what a ledger says, k being a chunk of several blocks and segments.
var wordings = map[string]func(f *forgery, k *chunk){
	"a chunk without blocks":       func(_ *forgery, k *chunk) { k.blocks = nil },
	"a chunk behind the file":      func(_ *forgery, k *chunk) { k.off = math.MaxInt64 },
	"a chunk at the file's end":    func(f *forgery, k *chunk) { k.off = int64(len(f.blocks)) },
	"a chunk before the file":      func(_ *forgery, k *chunk) { k.off = -1 },
	"a chunk elsewhere":            func(_ *forgery, k *chunk) { k.off++ },
	"an empty chunk":               func(_ *forgery, k *chunk) { k.stored = 0 },
	"a chunk of less than nothing": func(_ *forgery, k *chunk) { k.stored = -1 },
	"a chunk larger than the file": func(_ *forgery, k *chunk) { k.stored = math.MaxInt32 },
	"a chunk beyond all measure":   func(_ *forgery, k *chunk) { k.stored = math.MaxInt64 },
	"a chunk cut off":              func(_ *forgery, k *chunk) { k.stored -= 8 },
	"a chunk that grows on disk":   func(_ *forgery, k *chunk) { k.stored, k.s2 = k.used+8, true },
	"another codec":                func(_ *forgery, k *chunk) { k.s2 = !k.s2 },
	"a chunk twice":                func(f *forgery, k *chunk) { f.chunks = append(f.chunks, k) },
	"a chunk too few":              func(f *forgery, _ *chunk) { f.chunks = f.chunks[1:] },
	"no chunks":                    func(f *forgery, _ *chunk) { f.chunks = nil },
	"a block of another number":    func(_ *forgery, k *chunk) { k.blocks[0].seq++ },
	"a block before the first":     func(_ *forgery, k *chunk) { k.blocks[0].seq = -1 },
	"a block without a header":     func(_ *forgery, k *chunk) { k.blocks[0].size = blockHeader - 1 },
	"a block too short":            func(_ *forgery, k *chunk) { k.blocks[0].size -= 8 },
	"a block of less than nothing": func(_ *forgery, k *chunk) { k.blocks[0].size = -8 },
	"a block beyond all measure":   func(_ *forgery, k *chunk) { k.blocks[0].size = math.MaxInt32 },
	"blocks of another's bytes": func(_ *forgery, k *chunk) {
		k.blocks[0].size, k.blocks[1].size = k.blocks[0].size+8, k.blocks[1].size-8
	},
	"a block too few":                 func(_ *forgery, k *chunk) { k.blocks = k.blocks[1:] },
	"a block of no segments":          func(_ *forgery, k *chunk) { k.blocks[0].segs = 0 },
	"a block of another's segments":   func(_ *forgery, k *chunk) { k.blocks[0].segs++ },
	"a segment without rows":          func(_ *forgery, k *chunk) { k.segs[0].rows = 0 },
	"a segment of fewer than no rows": func(_ *forgery, k *chunk) { k.segs[0].rows = -1 },
	"a segment of a row more":         func(_ *forgery, k *chunk) { k.segs[0].rows++ },
	"rows beyond all measure":         func(_ *forgery, k *chunk) { k.segs[0].rows = math.MaxInt32 },
	"a unit before the first":         func(_ *forgery, k *chunk) { k.segs[0].unit = -1 },
	"a difference beyond all measure": func(_ *forgery, k *chunk) { k.segs[0].unit = math.MinInt32 },
}

// TestALedgerWhoseUnitsWouldComeLateIsDamage: rows of a page that is read too late would come in another order.
func TestALedgerWhoseUnitsWouldComeLateIsDamage(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	f := indexOf(t, parent)
	f.parts[0].Pages[2] = 5
	f.write(t, parent)
	if err := restoreOne(t, parent, want); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// TestALedgerEnteredAgainIsBelieved keeps the forgeries worth their while: without a change they are none.
func TestALedgerEnteredAgainIsBelieved(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	f := indexOf(t, parent)
	f.enter(f.records(), 0)
	f.write(t, parent)
	if err := restoreOne(t, parent, want); err != nil {
		t.Fatal(err)
	}
}

// severalBlocks returns a chunk of several blocks and of a block of several segments, and says that there is one.
func severalBlocks(t *testing.T, f *forgery) *chunk {
	t.Helper()
	for _, k := range f.chunks {
		if len(k.blocks) > 1 && len(k.segs) > len(k.blocks) {
			return k
		}
	}
	t.Fatal("no chunk has several blocks and segments")
	return nil
}
