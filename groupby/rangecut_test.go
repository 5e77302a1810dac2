package groupby

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

// TestRangesAreThoseOfAPlainSearch compares the partitions of rows with a binary search over whole keys.
func TestRangesAreThoseOfAPlainSearch(t *testing.T) {
	schemas := map[string][]int{
		"int64": {0}, "nullable int32": {1}, "nullable uint64": {2}, "nullable float": {3}, "nullable bool": {4},
		"nullable decimal": {5}, "nullable string": {6}, "string": {7}, "two": {1, 6}, "many": {7, 4, 0},
	}
	for name, keys := range schemas {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				pool := mem.NewPool(64<<20, mem.Protect())
				defer func() {
					if err := pool.Close(); err != nil {
						rt.Fatal(err)
					}
				}()
				acct := pool.Account("test", 64<<20)
				checkRanges(t, rt, acct, keys)
				if err := acct.Close(); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

func checkRanges(t *testing.T, rt *rapid.T, acct *mem.Account, keys []int) {
	rows := someRows(rapid.IntRange(2, 300).Draw(rt, "n"), rapid.IntRange(1, 1000).Draw(rt, "distinct"), false)
	b := makeBatch(t, acct, testSchema, rows, func() bool { return false })
	defer b.Release()
	k := &batch.Batch{Schema: testSchema.Select(keys), N: b.N}
	for _, i := range keys {
		k.Cols = append(k.Cols, b.Cols[i])
	}
	spec := specOf(keys, nil)
	lay, err := newLayout(&spec)
	if err != nil {
		rt.Fatal(err)
	}
	s, err := newSampler(lay, 0)
	if err != nil {
		rt.Fatal(err)
	}
	if err := s.addEvery(acct, k, len(keys), 3); err != nil {
		rt.Fatal(err)
	}
	cut := s.cut(rapid.IntRange(1, 70).Draw(rt, "ranges"))
	got := make([]uint16, k.N)
	if err := cut.assign(acct, k, got); err != nil {
		rt.Fatal(err)
	}
	enc, err := s.enc.Encode(acct, k.Cols, k.N)
	if err != nil {
		rt.Fatal(err)
	}
	defer enc.Release()
	want := make([]uint16, k.N)
	for i := range want {
		key := enc.At(i)
		want[i] = uint16(sort.Search(len(cut.bounds), func(j int) bool { return bytes.Compare(key, cut.bounds[j]) < 0 }))
	}
	if !slices.Equal(got, want) {
		rt.Fatal(fmt.Sprintf("bounds %x: %v, want %v", cut.bounds, got, want))
	}
}

// Sampled keys lie on the Go heap, which a text of many megabytes does not fit: its start does. What was cut often keeps more.
func TestOfALongKeyTheStartIsSampled(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "s", Type: batch.Of(batch.String)})
	rows := make([][]any, 6)
	for i := range rows {
		rows[i] = []any{fmt.Sprint(i, strings.Repeat("y", 4<<20))}
	}
	b, err := batchtest.Batch(nil, schema, rows, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	for depth, most := range map[int]int{0: sampleKey, sampleDepth: sampleKey, sampleDepth + 1: 4 * sampleKey} {
		s, err := newSampler(&layout{keys: newKeyLayout(schema, []int{0}, false)}, depth)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.add(nil, b.Cols, b.N); err != nil {
			t.Fatal(err)
		}
		for _, k := range s.keys {
			if len(k) != most || cap(k) > 2*most {
				t.Errorf("cut %d times: %d bytes are kept, want %d", depth, len(k), most)
			}
		}
	}
}
