package ref

import (
	"fmt"
	"math"
	"strings"

	"pqjoin/batch"
)

// canonical returns v as keys have it: -0.0 is 0.0, and there is one NaN.
func canonical(v any) any {
	f, ok := v.(float64)
	switch {
	case !ok:
		return v
	case f != f:
		return math.NaN()
	}
	return f + 0
}

// keyOf returns the values of the columns as a text that equal keys share. Null equals null here.
func keyOf(row []any, cols []int) string {
	var s strings.Builder
	for _, c := range cols {
		switch v := canonical(row[c]).(type) {
		case nil:
			s.WriteString("null;")
		case float64:
			fmt.Fprintf(&s, "%x;", math.Float64bits(v))
		case batch.Int128:
			fmt.Fprintf(&s, "%x:%x;", v.Hi, v.Lo)
		default:
			fmt.Fprintf(&s, "%#v;", v)
		}
	}
	return s.String()
}

func hasNull(row []any, cols []int) bool {
	for _, c := range cols {
		if row[c] == nil {
			return true
		}
	}
	return false
}

// anyLoose says whether a column of cols is not defined to the last bit.
func (t *Table) anyLoose(cols []int) bool {
	for _, c := range cols {
		if t.Loose[c] {
			return true
		}
	}
	return false
}
