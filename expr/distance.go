package expr

// EditDistance counts the insertions, deletions and replacements that make a into b, and
// with swaps also swaps of neighbours (the optimal string alignment). Time is the product of the lengths.
func EditDistance[T comparable](a, b []T, swaps bool) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if swaps && i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

// maxDistance bounds the work of one distance: the product of the lengths.
const maxDistance = 1 << 26

func kernelDistance(swaps bool) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error {
			a, b := textsOf(f.args[0]), textsOf(f.args[1])
			return eachInt(f, func(i int) (int64, error) {
				x, y := a.at(i), b.at(i)
				if len(x) > 0 && len(y) > maxDistance/len(x) {
					return 0, f.st.rowError("texts of %d and %d bytes are too long to be compared", len(x), len(y))
				}
				return int64(EditDistance(x, y, swaps)), nil
			})
		}
	}
}

func kernelHamming(*node) func(*frame) error {
	return func(f *frame) error {
		a, b := textsOf(f.args[0]), textsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			x, y := a.at(i), b.at(i)
			if len(x) != len(y) {
				return 0, f.st.rowError("'%s' and '%s' are not of the same length", shorten(string(x)), shorten(string(y)))
			}
			n := int64(0)
			for k := range x {
				n += int64(bit(x[k] != y[k]))
			}
			return n, nil
		})
	}
}
