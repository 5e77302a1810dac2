package expr

import (
	"math/bits"
	"strings"
)

// Span reads a length of time as intervals are written, with or without the word and the quotes: 5 minutes, 1 day 12 hours,
// interval '90 seconds'. It returns nanoseconds, which are not negative. Months and what is made of them have no fixed length and are refused.
func Span(text string) (int64, error) {
	trimmed := strings.TrimSpace(text)
	if len(trimmed) < len("interval") || !strings.EqualFold(trimmed[:len("interval")], "interval") {
		trimmed = "interval '" + strings.ReplaceAll(trimmed, "'", "''") + "'"
	}
	tree, err := Parse(trimmed)
	if err != nil {
		return 0, err
	}
	hint := "write it like '5 minutes', '1 day 12 hours' or '100 milliseconds'"
	if tree.Root.Op != OpInterval {
		return 0, errorAt(0, hint, "%s is not a length of time", shorten(text))
	}
	total := uint64(0)
	args := tree.Root.Args
	for i := 0; i+1 < len(args); i += 2 {
		unit := string(args[i+1].Value.Bytes)
		amount := args[i]
		switch {
		case amount.Op != OpLiteral || !amount.Type.IsInteger():
			return 0, errorAt(0, hint, "%s is not a whole number of units", shorten(text))
		case unitMonths[unit] > 0 && amount.Value.Int != 0:
			return 0, errorAt(0, "write it in days", "a %s has no fixed length", unit)
		case unitMonths[unit] > 0:
			continue
		case amount.Value.Int < 0:
			return 0, errorAt(0, "", "%s is negative", shorten(text))
		}
		over, n := bits.Mul64(uint64(amount.Value.Int), uint64(unitNanos[unit]))
		sum, carry := bits.Add64(total, n, 0)
		if total = sum; over+carry > 0 || int64(total) < 0 {
			return 0, errorAt(0, "leave the tolerance out", "%s is over 292 years", shorten(text))
		}
	}
	return int64(total), nil
}
