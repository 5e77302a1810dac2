package jobgen

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// asof is an as-of join with another table, or nothing where there is no column to come near to.
func (g *gen) asof(s, right *batch.Schema, with string) string {
	of := func(t batch.Type) bool {
		return t.IsNumeric() || t.ID == batch.Date || t.ID == batch.Time || t.ID == batch.Timestamp
	}
	for range 8 {
		l, ok := g.fieldOf(s, of)
		if !ok {
			return ""
		}
		r, ok := g.fieldOf(right, func(t batch.Type) bool { return t == l.Type || t.IsInteger() && l.Type.IsInteger() })
		if i := right.Index(l.Name); i >= 0 && right.Fields[i].Type == l.Type {
			r, ok = right.Fields[i], true
		}
		if ok {
			return g.asofOn(s, right, with, l, r)
		}
	}
	return ""
}

func (g *gen) asofOn(s, right *batch.Schema, with string, l, r batch.Field) string {
	near := fmt.Sprintf("{%s: %s}", quote(l.Name), quote(r.Name))
	if l.Name == r.Name {
		near = quote(l.Name)
	}
	var by []string
	for _, name := range g.columns(s, g.r.IntN(3)) {
		if i := right.Index(name); i >= 0 && name != l.Name && name != r.Name && right.Fields[i].Type == s.Fields[s.Index(name)].Type {
			by = append(by, name)
		}
	}
	v := fmt.Sprintf("join: {with: %s, how: asof, suffix: %s, asof: {on: %s", with, quote(fmt.Sprintf("_s%d", g.r.IntN(1000))), near)
	if len(by) > 0 {
		v += ", by: " + list(by)
	}
	if g.r.IntN(4) > 0 {
		v += ", direction: " + g.pick("backward", "forward", "nearest", "nearest")
	}
	if g.r.IntN(3) == 0 {
		v += ", tolerance: " + g.tolerance(l.Type)
	}
	v += "}"
	if g.r.IntN(6) == 0 {
		v += fmt.Sprintf(", indicator: i%d", g.r.IntN(100))
	}
	if len(by) > 0 && g.r.IntN(3) == 0 {
		v += ", nulls: " + g.pick("equal", "distinct")
	}
	if g.r.IntN(20) == 0 {
		v += fmt.Sprintf(", max_rows: %d", 1+g.r.IntN(10*g.size+10))
	}
	if out := v + "}"; !strings.Contains(out, "\x00") {
		return out
	}
	return ""
}

// tolerance is one that is met sometimes.
func (g *gen) tolerance(t batch.Type) string {
	switch t.ID {
	case batch.Date:
		return g.pick("0", "3", "400 days", "36 hours")
	case batch.Time, batch.Timestamp:
		return g.pick("0 seconds", "1 hour", "10000 days", "1 day 12 hours", "'90 ms'")
	}
	return g.pick("0", "1", "3", "0.5", "100", "1e12", "2.5")
}
