package plan

import (
	"slices"
	"strings"

	"pqjoin/batch"
)

// outputPartition takes partition_by, whose columns must be there once the table's schema is known.
func (d *decoder) outputPartition(out *Output, n *yamlNode, key Pos) {
	if out.SingleFile {
		d.job.fail(key, "end the path with / for a folder", "partition_by has no meaning for an output that is one file")
	}
	out.partitionBy = d.texts(n, "partition_by")
	for _, t := range out.partitionBy {
		if why := unfitDirectory(t.Value); why != "" {
			d.job.fail(t.Pos, "rename the column first", "the column %q cannot name a directory: %s", t.Show, why)
		}
	}
}

// unfitDirectory says why readers would not find a column in directories named after it.
func unfitDirectory(name string) string {
	switch {
	case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "."):
		return "readers skip those that begin with " + name[:1]
	case strings.ContainsAny(name, "/=%") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "it has one of / = % or a control character"
	case len(name) > 100:
		return "it is longer than 100 bytes"
	}
	return ""
}

// partition puts a table in the order in which its partitions are written: by the columns of partition_by, and
// within a partition as it was. It sets o.PartitionBy.
func (r *resolver) partition(o *Output) {
	n := o.Node
	for _, t := range o.partitionBy {
		c := r.key(n.Schema, t)
		switch typ := n.Schema.Fields[c].Type; typ.ID {
		case batch.Binary, batch.Fixed, batch.UUID, batch.Float16:
			r.job.fail(t.Pos, "cast it first, for example to a string", "the %s column %q cannot name directories", typ, t.Show)
		}
		o.PartitionBy = append(o.PartitionBy, c)
	}
	if len(o.PartitionBy) == 0 {
		return
	}
	if len(o.PartitionBy) == len(n.Schema.Fields) {
		r.job.fail(o.partitionBy[0].Pos, "leave one column out of partition_by", "the files of output %q would have no columns: partition_by names all of them", o.Label)
	}
	if leads(n.Index, o.PartitionBy, nil) {
		return
	}
	keys := make([]SortKey, len(o.PartitionBy))
	for i, c := range o.PartitionBy {
		keys[i] = SortKey{Column: c}
	}
	// Rows that agree in these are in the table's order, so that the result is sorted by its index, too.
	for _, k := range n.Index {
		if !slices.Contains(o.PartitionBy, k.Column) {
			keys = append(keys, k)
		}
	}
	r.table, r.verb = nil, Verb{Name: "partition_by", Pos: o.partitionBy[0].Pos}
	o.Node = r.add(&Index{Keys: keys, Loose: !n.Ordered}, n.Schema, n)
	o.Node.Table, o.Node.Index, o.Node.Ordered = n.Table, keys, n.Ordered
}
