package jobgen

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// verb returns a verb over a table of the schema, or nothing where it did not find one.
func (g *gen) verb(s *batch.Schema, table string) string {
	switch g.r.IntN(28) {
	case 0:
		return g.selectVerb(s)
	case 1:
		return fmt.Sprintf("drop: [%s]", quote(g.name(s)))
	case 2:
		return fmt.Sprintf("rename: {%s: %s}", quote(g.name(s)), quote(fmt.Sprintf("n%d", g.r.IntN(100))))
	case 3, 4:
		return fmt.Sprintf("compute: {c%d: %s, %s: %s}", g.r.IntN(100), quote(g.value(s)), quote(g.pick("d1", g.name(s))), quote(g.value(s)))
	case 5, 6:
		return "where: " + quote(g.cond(s))
	case 7, 8, 9:
		return g.index(s)
	case 10, 11, 12:
		return g.lag(s)
	case 13, 14, 15:
		return g.join(s, table)
	case 16, 17:
		return g.groupBy(s)
	case 18:
		return fmt.Sprintf("head: %d", g.r.IntN(2*g.size/3+5))
	case 19:
		return g.distinct(s)
	case 20, 21:
		return g.union(table)
	case 22:
		return "persist: true"
	case 23, 24, 25, 26:
		return g.window(s)
	}
	return g.check(s)
}

func (g *gen) selectVerb(s *batch.Schema) string {
	var items []string
	for _, i := range g.r.Perm(len(s.Fields))[:1+g.r.IntN(len(s.Fields))] {
		items = append(items, quote(s.Fields[i].Name))
	}
	for range g.r.IntN(3) {
		items = append(items, fmt.Sprintf("{e%d: %s}", g.r.IntN(100), quote(g.value(s))))
	}
	return "select: [" + strings.Join(items, ", ") + "]"
}

// columns returns up to n different names, keys preferred.
func (g *gen) columns(s *batch.Schema, n int) []string {
	var names []string
	for _, i := range g.r.Perm(len(s.Fields)) {
		if f := s.Fields[i]; len(names) < n && (strings.HasPrefix(f.Name, "k") || g.r.IntN(3) == 0) {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 && n > 0 {
		names = append(names, g.name(s))
	}
	return names
}

func (g *gen) orders(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		if strings.Contains(n, " ") {
			n = `"` + n + `"`
		}
		out[i] = n + g.pick("", "", " desc")
	}
	return out
}

func (g *gen) index(s *batch.Schema) string {
	by := list(g.orders(g.columns(s, 1+g.r.IntN(3))))
	switch g.r.IntN(12) {
	case 0:
		return "index: {by: " + by + ", unique: true}"
	case 1, 2, 3:
		return "index: {by: " + by + ", nulls: first}"
	}
	return "index: " + by
}

func (g *gen) lag(s *batch.Schema) string {
	by := g.columns(s, g.r.IntN(3))
	cols := g.columns(s, 1+g.r.IntN(2))
	if g.r.IntN(2) == 0 {
		cols = []string{g.name(s)}
	}
	seen := map[int]bool{}
	var periods []string
	for range 1 + g.r.IntN(4) {
		p := g.r.IntN(7) - 2
		if g.r.IntN(6) == 0 {
			p = g.r.IntN(2*g.size+3) - g.size
		}
		if !seen[p] {
			seen[p] = true
			periods = append(periods, fmt.Sprint(p))
		}
	}
	v := fmt.Sprintf("lag: {column: %s, periods: [%s], as: %s", list(cols), strings.Join(periods, ", "), quote(fmt.Sprintf("l%d_{column}_{period}", g.r.IntN(100))))
	if len(by) > 0 {
		v += ", by: " + list(by)
	}
	if g.r.IntN(4) == 0 {
		v += ", order_by: " + list(g.orders(g.columns(s, 1+g.r.IntN(2))))
	}
	if g.r.IntN(3) == 0 {
		f := s.Fields[s.Index(cols[0])]
		v += ", apply: " + quote(g.apply(f.Type))
	}
	return v + "}"
}

func (g *gen) join(s *batch.Schema, table string) string {
	names := g.tables()
	with := names[g.r.IntN(len(names))]
	if with == table {
		return ""
	}
	right, err := g.schemaOf(with)
	if err != nil {
		return ""
	}
	if g.r.IntN(4) == 0 {
		return g.asof(s, right.Schema, with)
	}
	on := g.on(s, right.Schema)
	if on == "" {
		return ""
	}
	how := g.pick("left", "left", "inner", "inner", "right", "outer", "outer", "semi", "anti", "cross")
	v := fmt.Sprintf("join: {with: %s, how: %s, suffix: %s", with, how, quote(fmt.Sprintf("_s%d", g.r.IntN(1000))))
	if g.r.IntN(6) == 0 {
		v += fmt.Sprintf(", indicator: i%d", g.r.IntN(100))
	}
	if how == "cross" {
		return v + "}"
	}
	v += ", on: " + on
	if g.r.IntN(12) == 0 {
		v += ", validate: " + quote(g.pick("1:1", "1:m", "m:1", "m:m"))
	}
	if g.r.IntN(3) == 0 {
		v += ", nulls: " + g.pick("equal", "distinct")
	}
	if g.r.IntN(12) == 0 {
		v += fmt.Sprintf(", max_rows: %d", 1+g.r.IntN(10*g.size+10))
	}
	if g.r.IntN(3) == 0 {
		v += ", strategy: " + g.pick("auto", "merge", "hash", "broadcast")
	}
	return v + "}"
}

// on pairs columns of the two sides: same names first, then same types.
func (g *gen) on(l, r *batch.Schema) string {
	var pairs []string
	var same []string
	usedR := map[string]bool{}
	for _, i := range g.r.Perm(len(l.Fields)) {
		f := l.Fields[i]
		if j := r.Index(f.Name); j >= 0 && strings.HasPrefix(f.Name, "k") && !usedR[f.Name] {
			same = append(same, f.Name)
			usedR[f.Name] = true
		}
	}
	if len(same) > 0 && g.r.IntN(6) > 0 {
		same = same[:1+g.r.IntN(len(same))]
		return list(same)
	}
	for _, i := range g.r.Perm(len(l.Fields)) {
		f := l.Fields[i]
		other, ok := g.fieldOf(r, func(t batch.Type) bool {
			return t == f.Type || t.IsInteger() && f.Type.IsInteger() || t.IsFloat() && f.Type.IsFloat()
		})
		if ok && !usedR[other.Name] && g.r.IntN(2) == 0 && len(pairs) < 3 {
			usedR[other.Name] = true
			pairs = append(pairs, quote(f.Name)+": "+quote(other.Name))
		}
	}
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

func (g *gen) groupBy(s *batch.Schema) string { return g.groupWith(s, g.agg) }

// groupJoined is a group-by after a join, with aggregates that may be computed before it.
func (g *gen) groupJoined(s *batch.Schema) string {
	return g.groupWith(s, func(s *batch.Schema) string {
		for {
			if a := g.agg(s); !strings.HasPrefix(a, "first") && !strings.HasPrefix(a, "last") && !strings.HasPrefix(a, "arg_") && !strings.HasPrefix(a, "string_agg") && !strings.HasPrefix(a, "list") {
				return a
			}
		}
	})
}

func (g *gen) groupWith(s *batch.Schema, agg func(*batch.Schema) string) string {
	by := list(g.columns(s, 1+g.r.IntN(3)))
	switch g.r.IntN(8) {
	case 0:
		by = "[]"
	case 1:
		by = fmt.Sprintf("[%s, {g1: %s}]", quote(g.name(s)), quote(g.value(s)))
	}
	var aggs []string
	for i := range 1 + g.r.IntN(5) {
		aggs = append(aggs, fmt.Sprintf("a%d: %s", i, quote(agg(s))))
	}
	v := fmt.Sprintf("groupby: {by: %s, agg: {%s}", by, strings.Join(aggs, ", "))
	if g.r.IntN(4) == 0 {
		v += ", sort: false"
	}
	if g.r.IntN(4) == 0 {
		v += ", nulls: drop"
	}
	return v + "}"
}

func (g *gen) agg(s *batch.Schema) string {
	a := g.pick("count()", "count("+ref(g.name(s))+")", "two", "var", "std", "any", "all", "values", "min", "max", "first", "last", "sum", "sum", "mean", "sum(1)")
	switch a {
	case "two":
		a = g.twoArgs(s)
	case "values":
		a = g.ofValues(s)
	case "any", "all":
		a += "(" + g.cond(s) + ")"
	case "sum", "mean", "var", "std":
		f, ok := g.fieldOf(s, batch.Type.IsNumeric)
		if !ok {
			return "count()"
		}
		c := ref(f.Name)
		if f.Type.IsInteger() && g.r.IntN(4) > 0 {
			c += " % 1000" // keeps most sums from overflowing
		}
		a += "(" + c + ")"
	case "min", "max", "first", "last":
		a += "(" + ref(g.name(s)) + ")"
	}
	if g.r.IntN(4) == 0 {
		a += " filter (where " + g.cond(s) + ")"
	}
	return a
}

func (g *gen) check(s *batch.Schema) string {
	v := g.pick(
		fmt.Sprintf("check: {rows: {min: %d, max: %d}", g.r.IntN(3), 3+g.r.IntN(g.size*3+10)),
		"check: {not_null: ["+quote(g.name(s))+"]",
		"check: {unique: "+list(g.columns(s, 1+g.r.IntN(2))),
		"check: {expect: ["+quote(g.cond(s))+"]",
	)
	if g.r.IntN(4) > 0 {
		v += ", on_fail: warn"
	}
	return v + "}"
}

// twoArgs is an aggregate of two columns.
func (g *gen) twoArgs(s *batch.Schema) string {
	a := g.pick("arg_min", "arg_max", "cov", "corr")
	if strings.HasPrefix(a, "arg") {
		return a + "(" + ref(g.name(s)) + ", " + ref(g.name(s)) + ")"
	}
	x, ok := g.fieldOf(s, batch.Type.IsNumeric)
	if !ok {
		return "count()"
	}
	y, _ := g.fieldOf(s, batch.Type.IsNumeric)
	return a + "(" + ref(x.Name) + ", " + ref(y.Name) + ")"
}

// ofValues is an aggregate that needs the values of a group sorted.
func (g *gen) ofValues(s *batch.Schema) string {
	a := g.pick("nunique", "mode", "median", "quantile", "quantile_cont", "quantile_disc", "approx_nunique", "approx_quantile", "string_agg", "string_agg", "list", "list", "top", "top")
	x := g.name(s)
	if a == "string_agg" {
		f, ok := g.fieldOf(s, func(t batch.Type) bool { return t.ID == batch.String || t.IsInteger() })
		if !ok {
			return "count()"
		}
		return fmt.Sprintf("string_agg(%s, %s)", ref(f.Name), g.pick("''", "', '", "'|'"))
	}
	if a == "median" || a == "quantile_cont" {
		f, ok := g.fieldOf(s, batch.Type.IsNumeric)
		if !ok {
			return "count()"
		}
		x = f.Name
	}
	if a == "top" {
		return fmt.Sprintf("top(%s, %s)", ref(x), g.pick("1", "2", "5", "16", "17", "1000"))
	}
	if strings.Contains(a, "quantile") {
		return fmt.Sprintf("%s(%s, %s)", a, ref(x), g.pick("0", "0.1", "0.25", "0.5", "0.9", "1"))
	}
	return a + "(" + ref(x) + ")"
}
