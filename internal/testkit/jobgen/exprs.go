package jobgen

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// ref returns a column as expressions name it.
func ref(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

func (g *gen) field(s *batch.Schema) batch.Field { return s.Fields[g.r.IntN(len(s.Fields))] }

func (g *gen) name(s *batch.Schema) string { return g.field(s).Name }

// fieldOf returns a random field for which ok holds.
func (g *gen) fieldOf(s *batch.Schema, ok func(t batch.Type) bool) (batch.Field, bool) {
	var found []batch.Field
	for _, f := range s.Fields {
		if ok(f.Type) {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return batch.Field{}, false
	}
	return found[g.r.IntN(len(found))], true
}

func (g *gen) pick(list ...string) string { return list[g.r.IntN(len(list))] }

// cond returns a condition over the schema.
func (g *gen) cond(s *batch.Schema) string {
	switch g.r.IntN(6) {
	case 0:
		return "(" + g.test(s) + ") and (" + g.test(s) + ")"
	case 1:
		return "(" + g.test(s) + ") or (" + g.test(s) + ")"
	case 2:
		return "not (" + g.test(s) + ")"
	}
	return g.test(s)
}

func (g *gen) test(s *batch.Schema) string {
	f := g.field(s)
	c := ref(f.Name)
	n := g.r.IntN(9) - 4
	if g.r.IntN(6) == 0 {
		return c + g.pick(" is null", " is not null")
	}
	if other, ok := g.fieldOf(s, func(t batch.Type) bool { return t == f.Type }); ok && f.Type.Comparable() && g.r.IntN(8) == 0 {
		return c + g.pick(" = ", " < ", " <> ", " >= ") + ref(other.Name)
	}
	switch t := f.Type; {
	case t.ID == batch.Bool:
		return g.pick(c, "not "+c, c+" = true")
	case t.IsUnsigned():
		return g.pick(fmt.Sprintf("%s > %d", c, n*n), fmt.Sprintf("%s %% 3 = 1", c), c+" in (1, 2, 5)", c+" between 1 and 9")
	case t.IsInteger():
		return g.pick(fmt.Sprintf("%s > %d", c, n), fmt.Sprintf("%s %% 3 = 1", c), c+" in (1, 2, -3)", c+" between -3 and 5", fmt.Sprintf("%s <= %d", c, n*3),
			c+" & 1 = 1", fmt.Sprintf("%s is distinct from %d", c, n), fmt.Sprintf("(%s < %d) is not true", c, n))
	case t.IsFloat():
		return g.pick(fmt.Sprintf("%s > %d.5", c, n), "is_nan("+c+")", c+" <= 0", c+" between -100 and 100", c+" = 0")
	case t.ID == batch.Decimal:
		return g.pick(fmt.Sprintf("%s > %d.25", c, n), c+" <= 0", c+" <> 0")
	case t.ID == batch.String:
		return g.pick(c+" like 'p%'", c+" >= 'pp'", "length("+c+") > 2", c+" = ''", c+" not like '%a%'", "starts_with("+c+", 'pp')",
			c+" ilike 'P%'", "regexp_matches("+c+", '[a-p]{2}')", c+" like '%$_%' escape '$'", "strpos("+c+", 'p') > 1")
	case t.ID == batch.Date, t.ID == batch.Timestamp:
		return g.pick("year("+c+") > 1990", "month("+c+") in (1, 5, 7)", c+" is not null", "extract(isodow from "+c+") > 5", c+" + interval '1 month' > date '1990-01-01'")
	}
	return c + g.pick(" is null", " is not null")
}

// value returns an expression of any type.
func (g *gen) value(s *batch.Schema) string {
	f := g.field(s)
	c := ref(f.Name)
	if g.r.IntN(4) == 0 {
		return g.anyValue(s, f)
	}
	switch t := f.Type; {
	case t.ID == batch.Bool:
		return g.pick("not "+c, c+" or "+g.test(s), "if("+c+", 1, 2)")
	case t.IsInteger():
		return g.pick(c+" % 7", c+" % 5 + 1", "abs("+c+" % 100)", "cast("+c+" as float64)", "-("+c+" % 5)", c+" / 4", "cast("+c+" as string)", "coalesce("+c+", 0)", "greatest("+c+", 3)",
			c+" // 3", "try(100 // ("+c+" % 3))", c+" | 8", c+" >> 2", "hex("+c+")", "concat_ws('-', "+c+", 'n')", "gcd(cast("+c+" % 100 as int64), 36)", "bit_count("+c+")")
	case t.IsFloat():
		return g.pick(c+" * 2", c+" + 0.125", "abs("+c+")", "floor("+c+")", "ln(abs("+c+") + 1)", "nullif("+c+", 0)", "coalesce("+c+", 0)", "-"+c, c+" - "+c, "least("+c+", 1.5)", "trunc("+c+", 1)", "atan("+c+")", "degrees("+c+")", "fmod("+c+", 3)")
	case t.ID == batch.Decimal:
		return g.pick("coalesce("+c+", 0)", "-"+c, "cast("+c+" as float64)", "nullif("+c+", 0)", "abs("+c+")", "trunc("+c+")", "round("+c+")")
	case t.ID == batch.String:
		return g.pick("upper("+c+")", "lower("+c+")", "length("+c+")", c+" || 'x'", "substr("+c+", 1, 2)", "reverse("+c+")", "coalesce("+c+", 'none')",
			"lpad("+c+", 4, '.')", "split_part("+c+", 'p', 2)", "regexp_replace("+c+", '(.)(.)', '\\2\\1', 'g')", "translate("+c+", 'ap', 'A')", "md5("+c+")", "initcap("+c+")", "repeat("+c+", 2)", "concat("+c+", null, 1)", "levenshtein("+c+", 'pp')", "unicode("+c+")")
	case t.ID == batch.Date, t.ID == batch.Timestamp:
		return g.pick("year("+c+")", "month("+c+")", "cast("+c+" as date)", "date_trunc('month', "+c+")",
			c+" - interval '1 month 2 days'", "monthname("+c+")", "last_day("+c+")", "yearweek("+c+")", "date_sub('month', "+c+", date '2000-02-29')", "date_diff('week', date '2000-01-01', "+c+")")
	}
	return g.anyValue(s, f)
}

func (g *gen) anyValue(s *batch.Schema, f batch.Field) string {
	c := ref(f.Name)
	other, _ := g.fieldOf(s, func(t batch.Type) bool { return t == f.Type })
	return g.pick(
		c+" is null",
		"case when "+g.test(s)+" then "+c+" else null end",
		"case when "+g.test(s)+" then "+c+" else "+ref(other.Name)+" end",
		"coalesce("+c+", "+ref(other.Name)+")",
		"if("+g.test(s)+", 1, 2)",
		c,
	)
}

// apply returns an expression of value for a column of type t.
func (g *gen) apply(t batch.Type) string {
	switch {
	case t.IsFloat():
		return g.pick("value * 2", "abs(value)", "value + 1")
	case t.IsInteger():
		return g.pick("value % 7", "cast(value as float64)", "value % 3 = 0")
	case t.ID == batch.String:
		return g.pick("upper(value)", "length(value)")
	}
	return g.pick("value is null", "coalesce(value, value)")
}
