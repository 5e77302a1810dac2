package plan

import "slices"

// asofSpec is the option asof of a join: its columns are the last of joinSpec.left and right.
type asofSpec struct {
	direction string
	tolerance *Text // nil: none
}

var directions = []string{"backward", "forward", "nearest"}

// asofJoin reads what an as-of join has instead of on alone: equal columns, in on or in asof.by, then the one column to come near to.
func (d *decoder) asofJoin(s *joinSpec, o *object) {
	for _, k := range [][2]string{{"validate", "m:m"}, {"strategy", "auto"}} {
		if v := o.get(k[0]); v != nil && (v.kind != yamlScalar || v.value != k[1]) {
			d.job.fail(v.pos, "leave it out", "an as-of join finds at most one row for each of the left's, in one way, and takes no %s", k[0])
		}
	}
	s.kind = AsofJoin
	s.asof = &asofSpec{direction: directions[0]}
	a := d.object(o.need("asof", "write asof: {on: column}"), "asof", asofKeys...)
	on := a.need("on", "write on: the column of times or numbers, the same in both tables, or {left: right}")
	if v := o.get("on"); v != nil {
		d.joinOn(s, v)
	}
	if v := a.get("by"); v != nil && (v.kind != yamlSeq || len(v.items) > 0) {
		d.asofBy(s, v)
	}
	near := &joinSpec{}
	d.joinOn(near, on)
	if len(near.left) != 1 {
		d.job.fail(on.pos, "put the columns that must be equal into by", "asof takes one column in on, not %d", len(near.left))
	}
	for i := range s.left { // on: [sym, ts] names all of them, as DuckDB's using does
		if s.left[i].Value == near.left[0].Value && s.right[i].Value == near.right[0].Value {
			s.left, s.right = slices.Delete(slices.Clone(s.left), i, i+1), slices.Delete(slices.Clone(s.right), i, i+1)
			break
		}
	}
	s.left, s.right = append(slices.Clone(s.left), near.left...), append(slices.Clone(s.right), near.right...)
	if v := a.get("direction"); v != nil {
		s.asof.direction = d.choice(v, "direction", directions, nil)
	}
	if v := a.get("tolerance"); v != nil {
		t := d.text(v, "tolerance")
		s.asof.tolerance = &t
	}
}

// asofBy adds the pairs of by to those of on that are not among them.
func (d *decoder) asofBy(s *joinSpec, n *yamlNode) {
	by := &joinSpec{}
	d.joinOn(by, n)
	for i, l := range by.left {
		known := false
		for k := range s.left {
			known = known || s.left[k].Value == l.Value && s.right[k].Value == by.right[i].Value
		}
		if !known {
			s.left, s.right = append(slices.Clone(s.left), l), append(slices.Clone(s.right), by.right[i])
		}
	}
}
