package plan

import (
	"slices"

	"pqjoin/batch"
)

// parquetOnly refuses an option that means something to Parquet alone.
func (d *decoder) parquetOnly(out *Output, option string, key Pos) {
	if out.Format != FormatParquet {
		d.job.fail(key, "leave it out, or write Parquet", "%s has no meaning for an output that is %s", option, out.Format)
	}
}

// outputBloom takes bloom, whose columns must be there once the table's schema is known.
func (d *decoder) outputBloom(out *Output, n *yamlNode, key Pos) {
	d.parquetOnly(out, "bloom", key)
	out.bloom = d.texts(n, "bloom")
}

// bloom sets o.Bloom.
func (r *resolver) bloom(o *Output) {
	for _, t := range o.bloom {
		c := r.key(o.Node.Schema, t)
		switch typ := o.Node.Schema.Fields[c].Type; {
		case typ.ID == batch.Bool, typ.IsFloat():
			r.job.fail(t.Pos, "bloom filters serve searches for equal values, of which these have too few or none", "the %s column %q cannot have a bloom filter", typ, t.Show)
		case slices.Contains(o.PartitionBy, c):
			r.job.fail(t.Pos, "leave it out of bloom", "the column %q is in partition_by, and not in the files", t.Show)
		}
		o.Bloom = append(o.Bloom, c)
	}
}
