package plan

import (
	"fmt"
	"slices"

	"pqjoin/batch"
)

// The approximate aggregates group by less than the values. What comes out depends on the values alone, not on their
// order, nor on how they were grouped on the way.
//
//	GroupBy k: approx_nunique(x)      GroupBy k: registers(h)      streaming
//	             |                                    |
//	                                  GroupBy k, hash(x) >> 52: h = min(hash(x))      sorted
//
// A register of HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) is the most leading zeros that hashes have behind the
// bits that choose it, so those of the least one. The 4,096 of them are groups like any other, and take no more room than
// there are values. The number is estimated as in Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (2017); its standard error is 1.04 / sqrt(4096), 1.6 %.
//
//	GroupBy k: approx_quantile(x)     GroupBy k: quantile(m; n, total)      streaming
//	             |                                    |
//	                                     Join k: with total = sum(n) by k
//	                                                  |
//	                                  GroupBy k, round(x): n = count(x), m = min(x)      sorted
//
// round keeps nine binary digits, so the buckets' width is relative to the values, as in DDSketch (Masson, Rim, Lee 2019),
// and the result is a value of the group whose neighbour in rank, the exact quantile, is less than 1 part in 256 away.

// sketchBits is how many bits of a hash choose the register.
const sketchBits = 12

// ofHashes makes the piece of the aggregates that count distinct values by a sketch.
func (s *groupSplit) ofHashes(v values, aggs []int) {
	x := s.quoted(v.arg)
	hash := fmt.Sprintf("case when %s is not null then hash(%s) end", x, x)
	in, at := s.appended(s.where(v, fmt.Sprintf("(%s) >> %d", hash, 64-sketchBits)), s.where(v, hash))
	counted := s.bucketed(in, at, Agg{Func: "min", Arg: at + 1, Filter: -1, Type: batch.Of(batch.Uint64)})
	var made []Agg
	for _, i := range aggs {
		a := s.op.Aggs[i]
		a.Func, a.Arg, a.Filter = "registers", s.keys+1, -1
		made = append(made, a)
	}
	s.group(counted, batch.Positions(s.keys), made, aggs)
}

// rounded is the text of a number's nearest of nine binary digits: what is left of it when its product with 2^44 + 1 is
// taken off and added again, in doubles (T. J. Dekker, "A floating-point technique for extending the available
// precision"). Where that would overflow, and of NaN, it is the number itself.
const rounded = "case when abs(%[1]s) < 1e290 then %[1]s * 17592186044417e0 - (%[1]s * 17592186044417e0 - %[1]s) else %[1]s end"

// ofRounded makes the piece of the aggregates that take quantiles of rounded values.
func (s *groupSplit) ofRounded(v values, aggs []int) {
	x := s.quoted(v.arg)
	typ := s.in.Schema.Fields[v.arg].Type
	bucket := fmt.Sprintf(rounded, "cast("+x+" as float64)")
	if typ.IsFloat() {
		x = fmt.Sprintf("cast(%s + 0e0 as %s)", x, typ) // one zero
	}
	in, at := s.appended(s.where(v, bucket), s.where(v, x))
	counted := s.bucketed(in, at,
		Agg{Func: "count", Arg: at + 1, Filter: -1, Type: batch.Of(batch.Int64)},
		Agg{Func: "min", Arg: at + 1, Filter: -1, Type: typ})
	total := len(counted.Schema.Fields)
	counted = s.totalled(counted)
	var made []Agg
	for _, i := range aggs {
		a := s.op.Aggs[i]
		a.Func, a.Arg, a.Filter, a.Arg2, a.Weighted, a.Weight = "quantile_disc", s.keys+2, -1, total, true, s.keys+1
		made = append(made, a)
	}
	s.group(counted, batch.Positions(s.keys), made, aggs)
}

// appended appends columns to the input, and returns where the first of them is.
func (s *groupSplit) appended(texts ...string) (*Node, int) {
	names, refs := s.in.Schema.Names(), columnRefs(s.in.Schema)
	for _, text := range texts {
		names, refs = append(names, hidden(names, "value")), append(refs, s.bind(text))
	}
	return projected(s.in, names, refs), len(s.in.Schema.Fields)
}

// bucketed groups in by the keys and the column bucket, sorted.
func (s *groupSplit) bucketed(in *Node, bucket int, aggs ...Agg) *Node {
	fields := s.keyFields()
	f := in.Schema.Fields[bucket]
	f.Name = hidden(namesOf(fields), "bucket")
	fields = append(fields, f)
	for i := range aggs {
		a := &aggs[i]
		a.Name = hidden(namesOf(fields), a.Func)
		nullable := a.Func == "min" && in.Schema.Fields[a.Arg].Nullable
		fields = append(fields, batch.Field{Name: a.Name, Type: a.Type, Nullable: nullable})
	}
	return s.node(&GroupBy{Keys: append(slices.Clone(s.op.Keys), bucket), Aggs: aggs, Sort: true}, fields, in)
}
