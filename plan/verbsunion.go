package plan

// union, distinct and persist, as they are written.

type (
	unionSpec    struct{ tables []Text }
	distinctSpec struct {
		all  bool
		by   []Text
		keep string // first or last
	}
	persistSpec struct{}
)

func (d *decoder) decodeUnion(n *yamlNode) any {
	s := &unionSpec{}
	items := []*yamlNode{n}
	if n.kind == yamlSeq {
		items = n.items
	}
	for _, i := range items { // a table may be given twice
		s.tables = append(s.tables, d.text(i, "union"))
	}
	if len(s.tables) == 0 {
		d.job.fail(n.pos, "write union: [table]", "union is an empty list")
	}
	return s
}

func (d *decoder) decodeDistinct(n *yamlNode) any {
	s := &distinctSpec{keep: "first"}
	switch n.kind {
	case yamlSeq:
		s.by = d.list(n, "distinct")
	case yamlMap:
		o := d.object(n, "distinct", distinctKeys...)
		s.by = d.texts(o.need("by", "write by: [columns]"), "by")
		if v := o.get("keep"); v != nil {
			s.keep = d.choice(v, "keep", ends, nil)
		}
	default:
		if n.kind == yamlScalar && isBool(n.value) {
			d.job.fail(n.pos, "write distinct: all", "distinct must be all, a list of columns or {by, keep}, not %s", n.value)
		}
		t := d.text(n, "distinct")
		if t.Value != "all" {
			d.job.fail(n.pos, "write distinct: all, or distinct: ["+t.Show+"]", "distinct must be all, a list of columns or {by, keep}, not %q", t.Show)
		}
		s.all = true
	}
	return s
}

func (d *decoder) decodePersist(n *yamlNode) any {
	if !d.boolean(n, "persist") {
		d.job.fail(n.pos, "write persist: true, or leave the line out", "persist can only be true")
	}
	return &persistSpec{}
}
