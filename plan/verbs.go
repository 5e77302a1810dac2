package plan

import (
	"fmt"
	"strings"
)

// The specs are the verbs as they were written; resolve.go turns each into nodes.
type (
	fromSpec   struct{ table Text }
	selectSpec struct{ items []item }
	dropSpec   struct{ columns []Text }
	renameSpec struct{ from, to []Text }
	// computeSpec's items all have expressions.
	computeSpec struct{ items []item }
	whereSpec   struct{ cond *exprText }
	indexSpec   struct {
		keys       []keySpec
		nullsFirst bool
		unique     bool
	}
	lagSpec struct {
		columns, by []Text
		orderBy     []keySpec
		periods     []int
		as          Text
		apply       *exprText
	}
	joinSpec struct {
		with        Text
		left, right []Text
		kind        JoinKind
		validate    string
		suffix      Text
		nullsEqual  bool
		maxRows     int64
		strategy    string
		cross       bool
		indicator   *Text     // nil: none
		asof        *asofSpec // nil: no as-of join
	}
	groupbySpec struct {
		by        []item
		aggs      []aggSpec
		sort      bool
		dropNulls bool
	}
	headSpec  struct{ n int64 }
	checkSpec struct {
		minRows, maxRows int64
		notNull, unique  []Text
		expect           []*exprText
		warn             bool
	}
)

// item is an output column: an expression, or the column of that name where there is none.
type item struct {
	name Text
	expr *exprText
}

// keySpec is a column of an order.
type keySpec struct {
	column Text
	desc   bool
}

// builtVerbs are the verbs that exist.
var builtVerbs = []string{"from", "select", "compute", "drop", "rename", "where", "index", "lag", "window", "join", "groupby", "distinct", "union", "head", "check", "persist"}

func (d *decoder) decodeTables(n *yamlNode) {
	inputs := map[string]bool{}
	for _, in := range d.job.Inputs {
		inputs[in.Name] = true
	}
	for _, e := range d.section(n, "tables", "a table") {
		if inputs[e.name.Value] {
			d.job.fail(e.name.Pos, "give one of them another name", "%q is both an input and a table", e.name.Show)
		}
		d.job.Tables = append(d.job.Tables, d.decodeTable(e))
	}
}

func (d *decoder) decodeTable(e namedEntry) *Table {
	t := &Table{Name: e.name.Value, Pos: e.name.Pos}
	what := fmt.Sprintf("the table %q", e.name.Show)
	n := e.value
	if n.kind == yamlNull || n.kind == yamlSeq && len(n.items) == 0 {
		d.job.fail(n.pos, "a pipeline begins with: - from: input", "%s is empty", what)
	}
	if n.kind != yamlSeq {
		d.job.fail(n.pos, "write one verb a line, each behind a dash: - from: input", "%s must be a list of verbs, not %s", what, describe(n))
	}
	for i, step := range n.items {
		v := d.decodeVerb(step)
		if isFrom := v.Name == "from"; isFrom != (i == 0) {
			if isFrom {
				d.job.fail(v.Pos, "start another table", "from can only be the first verb of a table")
			}
			d.job.fail(v.Pos, "", "%s must begin with from", what)
		}
		t.Verbs = append(t.Verbs, v)
	}
	return t
}

func (d *decoder) decodeVerb(n *yamlNode) Verb {
	if n.kind != yamlMap {
		d.job.fail(n.pos, "write - verb: what it does", "a step must be a verb with its options, not %s", describe(n))
	}
	if len(n.entries) != 1 {
		if len(n.entries) == 0 {
			d.job.fail(n.pos, "", "a step is empty")
		}
		d.job.fail(n.entries[1].key.pos, "begin a line of its own with a dash, or indent it if it belongs to "+n.entries[0].key.value,
			"a step holds one verb, and %q is a second", n.entries[1].key.value)
	}
	key, value := n.entries[0].key, n.entries[0].value
	v := Verb{Name: key.value, Pos: key.pos}
	decode, ok := map[string]func(*yamlNode) any{
		"from":     func(n *yamlNode) any { return &fromSpec{d.text(n, "from")} },
		"select":   func(n *yamlNode) any { return &selectSpec{d.items(n, "select")} },
		"compute":  d.decodeCompute,
		"drop":     func(n *yamlNode) any { return &dropSpec{d.texts(n, "drop")} },
		"rename":   d.decodeRename,
		"where":    func(n *yamlNode) any { return &whereSpec{d.expression(n, "where")} },
		"index":    d.decodeIndex,
		"window":   d.decodeWindow,
		"lag":      d.decodeLag,
		"join":     d.decodeJoin,
		"groupby":  d.decodeGroupBy,
		"distinct": d.decodeDistinct,
		"union":    d.decodeUnion,
		"persist":  d.decodePersist,
		"head":     func(n *yamlNode) any { return &headSpec{d.whole(n, "head", 0)} },
		"check":    d.decodeCheck,
	}[v.Name]
	if !ok {
		d.job.fail(key.pos, hintVerb(v.Name, builtVerbs), "unknown verb %q", v.Name)
	}
	v.spec = decode(value)
	return v
}

// items reads [a, b], {new: expr}, or a list that mixes both.
func (d *decoder) items(n *yamlNode, what string) []item {
	var out []item
	seen := map[string]bool{}
	add := func(it item) {
		if seen[it.name.Value] {
			d.job.fail(it.name.Pos, "", "%q is given twice in %s", it.name.Show, what)
		}
		seen[it.name.Value] = true
		out = append(out, it)
	}
	computed := func(n *yamlNode) {
		for _, e := range d.named(n, what, "a column") {
			add(item{e.name, d.expression(e.value, fmt.Sprintf("%s %q", what, e.name.Show))})
		}
	}
	switch n.kind {
	case yamlMap:
		computed(n)
	case yamlSeq:
		for _, i := range n.items {
			if i.kind == yamlMap {
				computed(i)
			} else {
				add(item{name: d.text(i, what)})
			}
		}
	default:
		add(item{name: d.text(n, what)})
	}
	if len(out) == 0 {
		d.job.fail(n.pos, "", "%s is empty", what)
	}
	return out
}

func (d *decoder) decodeCompute(n *yamlNode) any {
	if n.kind != yamlMap || len(n.entries) == 0 {
		d.job.fail(n.pos, "write {name: expression}", "compute must be a mapping, not %s", emptyOr(n))
	}
	return &computeSpec{d.items(n, "compute")}
}

func emptyOr(n *yamlNode) string {
	if n.kind == yamlMap && len(n.entries) == 0 {
		return "an empty one"
	}
	return describe(n)
}

func (d *decoder) decodeRename(n *yamlNode) any {
	if n.kind != yamlMap || len(n.entries) == 0 {
		d.job.fail(n.pos, "write {old: new}", "rename must be a mapping, not %s", emptyOr(n))
	}
	s := &renameSpec{}
	for _, e := range d.named(n, "rename", "a column") {
		s.from = append(s.from, e.name)
		s.to = append(s.to, d.text(e.value, "the new name of "+e.name.Show))
	}
	return s
}

func (d *decoder) decodeIndex(n *yamlNode) any {
	s := &indexSpec{}
	if n.kind != yamlMap {
		s.keys = d.keys(n, "index")
		return s
	}
	o := d.object(n, "index", indexKeys...)
	s.keys = d.keys(o.need("by", "write by: [column]"), "by")
	if v := o.get("nulls"); v != nil {
		s.nullsFirst = d.choice(v, "nulls", ends, nil) == "first"
	}
	s.unique = d.boolean(o.get("unique"), "unique")
	return s
}

// keys reads "col", "col desc" or a list of them.
func (d *decoder) keys(n *yamlNode, what string) []keySpec {
	var out []keySpec
	seen := map[string]bool{}
	for _, t := range d.texts(n, what) {
		k := keySpec{column: t}
		k.column.Value, k.desc = splitKey(t.Value)
		k.column.Show, _ = splitKey(t.Show)
		if seen[k.column.Value] {
			d.job.fail(t.Pos, "", "%q is given twice in %s", k.column.Show, what)
		}
		seen[k.column.Value] = true
		if k.column.Value == "" {
			d.job.fail(t.Pos, "", "%s names no column", what)
		}
		out = append(out, k)
	}
	return out
}

// splitKey cuts asc or desc off a key. A name in double quotes is taken as it is.
func splitKey(s string) (name string, desc bool) {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexAny(s, " \t"); i >= 0 {
		switch strings.ToLower(s[i+1:]) {
		case "desc":
			s, desc = strings.TrimSpace(s[:i]), true
		case "asc":
			s = strings.TrimSpace(s[:i])
		}
	}
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s, desc
}

func (d *decoder) decodeCheck(n *yamlNode) any {
	s := &checkSpec{maxRows: -1}
	o := d.object(n, "check", checkKeys...)
	if len(o.fields) == 0 || len(o.fields) == 1 && o.get("on_fail") != nil {
		d.job.fail(n.pos, "give rows, not_null, unique or expect", "check checks nothing")
	}
	if r := o.get("rows"); r != nil {
		d.checkRows(s, r)
	}
	if v := o.get("not_null"); v != nil {
		s.notNull = d.texts(v, "not_null")
	}
	if v := o.get("unique"); v != nil {
		s.unique = d.texts(v, "unique")
	}
	if v := o.get("expect"); v != nil {
		items := []*yamlNode{v}
		if v.kind == yamlSeq {
			items = v.items
		}
		for _, i := range items {
			s.expect = append(s.expect, d.expression(i, "expect"))
		}
	}
	if v := o.get("on_fail"); v != nil {
		s.warn = d.choice(v, "on_fail", onFail, nil) == "warn"
	}
	return s
}

func (d *decoder) checkRows(s *checkSpec, n *yamlNode) {
	o := d.object(n, "rows", rowsKeys...)
	if len(o.fields) == 0 {
		d.job.fail(n.pos, "", "rows needs min or max")
	}
	if v := o.get("min"); v != nil {
		s.minRows = d.whole(v, "rows: min", 0)
	}
	if v := o.get("max"); v != nil {
		if s.maxRows = d.whole(v, "rows: max", 0); s.maxRows < s.minRows {
			d.job.fail(v.pos, "", "rows: max %d is less than min %d", s.maxRows, s.minRows)
		}
	}
}
