package plan

var joinKeys = []string{"with", "on", "how", "validate", "suffix", "indicator", "nulls", "max_rows", "strategy", "asof"}

// joinKinds are the kinds of join by name, besides cross.
var joinKinds = map[string]JoinKind{
	"left": LeftJoin, "inner": InnerJoin, "right": RightJoin, "outer": OuterJoin, "semi": SemiJoin, "anti": AntiJoin,
}

// builtJoins are the kinds of join that there are.
var builtJoins = []string{"left", "inner", "right", "outer", "semi", "anti", "cross", "asof"}

func (d *decoder) decodeJoin(n *yamlNode) any {
	s := &joinSpec{kind: InnerJoin, strategy: "auto", validate: "m:m", suffix: Text{Value: "_right", Show: "_right"}}
	o := d.object(n, "join", joinKeys...)
	s.with = d.text(o.need("with", "write with: table"), "with")
	how := "inner"
	if v := o.get("how"); v != nil {
		how = d.choice(v, "how", builtJoins, nil)
	}
	if how != "asof" && o.get("asof") != nil {
		d.job.fail(o.keys["asof"], "write how: asof", "asof belongs to joins of that kind, and this is how: %s", how)
	}
	switch how {
	case "cross":
		s.cross = true
		d.crossJoin(o)
	case "asof":
		d.asofJoin(s, o)
	default:
		s.kind = joinKinds[how]
		d.joinOn(s, o.need("on", "write on: column, or {left: right}"))
	}
	if v := o.get("validate"); v != nil {
		s.validate = d.choice(v, "validate", validates, nil)
	}
	if v := o.get("suffix"); v != nil {
		s.suffix = d.text(v, "suffix")
	}
	if v := o.get("indicator"); v != nil {
		t := d.text(v, "indicator")
		s.indicator = &t
	}
	if v := o.get("nulls"); v != nil {
		s.nullsEqual = d.choice(v, "nulls", joinNulls, nil) == "equal"
	}
	if v := o.get("max_rows"); v != nil {
		s.maxRows = d.whole(v, "max_rows", 1)
	}
	if v := o.get("strategy"); v != nil {
		s.strategy = d.choice(v, "strategy", strategies, nil)
	}
	return s
}

// crossJoin refuses the options that speak of keys.
func (d *decoder) crossJoin(o *object) {
	for _, k := range []string{"on", "nulls", "validate"} {
		if o.get(k) != nil {
			d.job.fail(o.keys[k], "leave it out, or choose another how", "a cross join has no keys, and so no %s", k)
		}
	}
}

func (d *decoder) joinOn(s *joinSpec, n *yamlNode) {
	if n.kind != yamlMap {
		s.left = d.texts(n, "on")
		s.right = s.left
		return
	}
	if len(n.entries) == 0 {
		d.job.fail(n.pos, "", "on is empty")
	}
	seen := map[string]bool{}
	for _, e := range d.named(n, "on", "a column") {
		s.left = append(s.left, e.name)
		r := d.text(e.value, "the right column of "+e.name.Show)
		if seen[r.Value] {
			d.job.fail(r.Pos, "", "%q is given twice in on", r.Show)
		}
		seen[r.Value] = true
		s.right = append(s.right, r)
	}
}
