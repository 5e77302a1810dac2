package extsort

import (
	"fmt"
	"strings"
	"testing"

	"pqjoin/batch"
)

// longKeys are n texts that differ behind so many bytes that they share, and are so long behind that.
func longKeys(n, shared, behind int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{strings.Repeat("x", shared) + fmt.Sprintf("%04d", i*7%n) + strings.Repeat("y", behind)}
	}
	return rows
}

// Splitters lie on the Go heap, which a key of many megabytes does not fit: their starts do.
func TestSplittersOfLongKeysAreShort(t *testing.T) {
	schema := schemaOf([]batch.Type{batch.Of(batch.String)}, false)
	j := job{schema: schema, keys: []batch.SortKey{{}}, rows: longKeys(6, 10, 8<<20), parts: 16}
	size := 0
	s := j.splitters(t)
	for _, k := range s.keys {
		size += len(k)
	}
	if size > 3*sampleMost || s.Count() < 3 {
		t.Errorf("%d ranges, whose bounds take %d bytes", s.Count(), size)
	}
}

// Keys that share more than what a sample keeps of them are told apart all the same.
func TestLongKeysThatShareTheirStartAreSorted(t *testing.T) {
	rows := longKeys(12, sampleKey+1000, 2<<20)
	schema := numbered(schemaOf([]batch.Type{batch.Of(batch.String)}, false), rows)
	j := job{schema: schema, keys: []batch.SortKey{{}}, rows: rows, workers: 1, units: 2, parts: 8, maxLoad: 12 << 20, batch: 2, pool: 256 << 20}
	got, st := j.sorted(t, false)
	compareRows(t, fmt.Sprintf("%+v", st), got, j.want())
	if st.Cut == 0 {
		t.Errorf("nothing was cut: %+v", st)
	}
}
