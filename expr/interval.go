package expr

import (
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"pqjoin/batch"
)

// An interval is no type of its own, since months have no fixed length: it is a length of
// time that is added to, or taken from, a date, a time or a timestamp.

// unitNames are the units of intervals as they are written; plurals have an s.
var unitNames = map[string]string{
	"y": "year", "yr": "year", "mon": "month", "w": "week", "d": "day", "h": "hour", "hr": "hour", "min": "minute",
	"s": "second", "sec": "second", "ms": "millisecond", "msec": "millisecond", "us": "microsecond", "usec": "microsecond", "ns": "nanosecond",
	"century": "century", "centuries": "century", "millennia": "millennium",
}

// addedUnits are the parts of which a number can be added.
var addedUnits = []string{"millennium", "century", "decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond"}

// unitMonths and unitNanos say how long the units are.
var (
	unitMonths = map[string]int64{"millennium": 12000, "century": 1200, "decade": 120, "year": 12, "quarter": 3, "month": 1}
	unitNanos  = map[string]int64{"week": 7 * daySeconds * 1e9, "day": daySeconds * 1e9, "hour": 3600e9, "minute": 60e9, "second": 1e9, "millisecond": 1e6, "microsecond": 1e3, "nanosecond": 1}
)

// unitOf returns the unit that a word names, or "".
func unitOf(w string) string {
	w = strings.ToLower(w)
	if u, ok := unitNames[w]; ok {
		return u
	}
	for _, u := range addedUnits {
		if w == u || w == u+"s" {
			return u
		}
	}
	if u, ok := unitNames[strings.TrimSuffix(w, "s")]; ok {
		return u
	}
	return ""
}

// interval parses what follows the word: 'n unit ...', 'n' unit, n unit or (expression) unit.
func (p *parser) interval(t *lexer.Token) (*Node, *Error) {
	n := &Node{Op: OpInterval, Offset: t.Pos.Offset}
	next := p.toks.Next()
	var amount *Node
	var err *Error
	switch {
	case next.Type == tokString && unitOf(word(p.toks.Peek())) == "":
		if err := intervalText(n, next.Pos.Offset, unquote(next.Value)); err != nil {
			return nil, err
		}
		return p.node(n)
	case next.Type == tokString:
		v, bad := strconv.ParseInt(strings.TrimSpace(unquote(next.Value)), 10, 64)
		if amount = intLiteral(next.Pos.Offset, v); bad != nil {
			err = errorAt(next.Pos.Offset, "", "an interval needs a whole number, not '%s'", shorten(unquote(next.Value)))
		}
	case next.Type == tokNumber:
		amount, err = numberLiteral(next.Pos.Offset, next.Value)
	default:
		if amount, err = p.expression(0); err == nil {
			err = p.expect(")", "after the amount of the interval")
		}
	}
	if err != nil {
		return nil, err
	}
	u := p.toks.Next()
	unit := unitOf(word(u))
	if unit == "" {
		return nil, errorAt(p.offset(u), "the units are "+joinNames(addedUnits), "expected a unit after the amount of the interval, found %s", p.show(u))
	}
	n.Args = []*Node{amount, textLiteral(u.Pos.Offset, unit)}
	return p.node(n)
}

func textLiteral(off int, s string) *Node {
	return &Node{Op: OpLiteral, Offset: off, Type: batch.Of(batch.String), Value: Value{Bytes: []byte(s)}, depth: 1}
}

func intLiteral(off int, v int64) *Node {
	n := &Node{Op: OpLiteral, Offset: off, Type: batch.Of(batch.Int64), Value: Value{Int: v}, depth: 1}
	if int64(int32(v)) == v {
		n.Type = batch.Of(batch.Int32)
	}
	return n
}

// intervalText reads '1 year 2 months', '1.5 hours', '-3 days'.
func intervalText(n *Node, off int, text string) *Error {
	bad := errorAt(off, "write it like interval '1 day' or interval '1 month 12 hours'", "cannot read '%s' as an interval", shorten(text))
	rest := strings.TrimSpace(text)
	for rest != "" {
		end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' })
		if end <= 0 {
			return bad
		}
		number := rest[:end]
		rest = strings.TrimSpace(rest[end:])
		if end = strings.IndexAny(rest, " \t\n0123456789.+-"); end < 0 {
			end = len(rest)
		}
		unit := unitOf(rest[:end])
		amount, unit, ok := intervalPart(number, unit)
		if !ok {
			return bad
		}
		n.Args = append(n.Args, intLiteral(off, amount), textLiteral(off, unit))
		rest = strings.TrimSpace(rest[end:])
	}
	if len(n.Args) == 0 {
		return bad
	}
	if !mergeInterval(n, off) {
		return bad
	}
	return nil
}

// mergeInterval adds up the parts: months, days and what is shorter are added to a time one
// after the other, each as one number. False where a sum does not fit.
func mergeInterval(n *Node, off int) bool {
	if len(n.Args) == 2 {
		return true
	}
	var sums [3]batch.Int128
	var used [3]bool
	units := [3]string{"month", "day", "microsecond"}
	for i := 0; i < len(n.Args); i += 2 {
		v, unit := n.Args[i].Value.Int, string(n.Args[i+1].Value.Bytes)
		class, length := 2, unitNanos[unit]
		switch {
		case unitMonths[unit] > 0:
			class, length = 0, unitMonths[unit]
		case length >= daySeconds*1e9:
			class, length = 1, length/(daySeconds*1e9)
		case unit == "nanosecond":
			return false
		default:
			length /= 1000
		}
		part, _ := mul128(batch.Int128Of(v), batch.Int128Of(length))
		sums[class], _ = sums[class].Add(part)
		used[class] = true
	}
	n.Args = nil
	for class, sum := range sums {
		v, ok := sum.Int64()
		if !ok {
			return false
		}
		if used[class] {
			n.Args = append(n.Args, intLiteral(off, v), textLiteral(off, units[class]))
		}
	}
	return true
}

// intervalPart reads one amount; a fraction of a unit of fixed length is made microseconds.
func intervalPart(number, unit string) (int64, string, bool) {
	if v, err := strconv.ParseInt(number, 10, 64); err == nil && unit != "" {
		return v, unit, true
	}
	ns := unitNanos[unit]
	d, err := parseDecimal([]byte(number), 38, 9)
	if err != nil || ns < 1000 {
		return 0, "", false
	}
	v, ok := mul128(d, batch.Int128Of(ns/1000))
	if !ok {
		return 0, "", false
	}
	us, _ := rescale(v, -9)
	whole, ok := us.Int64()
	return whole, "microsecond", ok
}
