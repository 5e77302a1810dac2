package groupby

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"pqjoin/batch"
)

// Partial states travel between aggregations as values of a column: an aggregate with
// Agg.Partial puts its state out, one with Agg.Merge takes states in. With Agg.Weighted states, or
// values, count as many times as a column says. A count is its own state, an int64; that of a sum or mean is its words, in
// a binary value. Min and max need neither: their result is their state, and how often it counts is nothing to them.
//
//	rows -> count, sum(x) Partial -> join -> sum Merge, weight: the other side's count -> result
//
// Both are exact: what comes out has the bits that adding every value weight times would give.

// maxCount is the most rows that a merged state counts; it stays there, and is an overflow in the end.
// As long as it is not reached no sum of states can leave its 128 or 192 bits.
const maxCount = math.MaxInt64

// additive is a kernel whose state is a few words that add up, the last of them the count of values.
type additive interface {
	kernel
	// single sets dst to the state of the one value at row of c, which is not null; c is nil for count().
	single(c *batch.Column, row int, dst []uint64)
	// add adds m times the state src to dst.
	add(dst, src []uint64, m uint64)
}

// pickStates chooses the kernel of an aggregate that takes states or weights in, puts states out, or both.
func pickStates(spec *Spec, a Agg) (kernel, error) {
	var of batch.Type // of the values
	switch {
	case a.Merge:
		of = a.Of
	case a.Arg >= 0:
		of = spec.In.Fields[a.Arg].Type
	}
	var k additive
	switch {
	case a.Func == "count":
		k = count{}
	case a.Func != "sum" && a.Func != "mean" || !of.IsNumeric() || a.Arg < 0:
		return nil, fmt.Errorf("%s of %s has no partial state", a.Func, of)
	case of.IsFloat():
		k = sumFloat{mean: a.Func == "mean"}
	default:
		k = newSumInt(of, a.Func == "mean")
	}
	state := stateType(k)
	if a.Merge && (a.Arg < 0 || spec.In.Fields[a.Arg].Type != state) {
		return nil, fmt.Errorf("the states of %s are %s", a.Func, state)
	}
	if a.Weighted && spec.In.Fields[a.Weight].Type != batch.Of(batch.Int64) {
		return nil, fmt.Errorf("%s of weights that are no int64", a.Func)
	}
	if a.Merge || a.Weighted {
		k = tally{k, a.Merge}
	}
	if a.Partial {
		if a.Type != state {
			return nil, fmt.Errorf("the state of %s is %s, not %s", a.Func, state, a.Type)
		}
		k = partial{k}
	}
	return k, nil
}

// stateType is the type of the column that holds the states of an additive kernel.
func stateType(k additive) batch.Type {
	if k.words() == 1 {
		return batch.Of(batch.Int64)
	}
	return batch.Of(batch.Binary)
}

// partial puts states out instead of results.
type partial struct{ additive }

func (k partial) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	n := k.words()
	if n == 1 {
		return wordColumn(t, off, ents, typ)
	}
	c, err := batch.NewVar(t.acct, typ, len(ents), 8*n*len(ents))
	if err != nil {
		return nil, err
	}
	for i, e := range ents {
		c.Off[i] = uint32(8 * n * i)
		copy(c.Data[8*n*i:8*n*(i+1)], batch.BytesOf(t.ent[int(e)*t.lay.stride+off:][:n]))
	}
	c.Off[len(ents)] = uint32(8 * n * len(ents))
	return c, nil
}

// tally adds up states, or values as the states that they are alone, each as often as its weight
// says. A null weight is one, a null state nothing.
type tally struct {
	additive
	states bool
}

const maxStateWords = sumFloatWords

func (k tally) update(t *table, off int, in *input) error {
	var buf [maxStateWords]uint64
	src := buf[:k.words()]
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		row, m := in.lo+i, uint64(1)
		if in.weight != nil && !in.weight.IsNull(row) {
			m = uint64(in.weight.Int64s()[row])
		}
		switch {
		case !k.states:
			k.single(in.col, row, src)
		case len(src) == 1:
			src[0] = uint64(in.col.Int64s()[row])
		default:
			value := in.col.Value(row)
			for w := range src {
				src[w] = binary.NativeEndian.Uint64(value[8*w:])
			}
		}
		k.add(t.ent[int(e)*t.lay.stride+off:][:len(src)], src, m)
	}
	return nil
}

func (k tally) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	var buf [maxStateWords]uint64
	src := buf[:k.words()]
	for i, e := range ent {
		for w, c := range cols {
			src[w] = uint64(c.Int64s()[lo+i])
		}
		k.add(t.ent[int(e)*t.lay.stride+off:][:len(src)], src, 1)
	}
	return nil
}

func (k tally) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	for i, e := range ents {
		if t.ent[int(e)*t.lay.stride+off+k.words()-1] >= maxCount {
			return nil, &overflow{i: i, value: "a count of 2^63 rows or more"}
		}
	}
	return k.additive.result(t, off, ents, typ)
}

// addCount adds m times n to a count, which stops at maxCount.
func addCount(dst *uint64, n, m uint64) {
	hi, lo := bits.Mul64(n, m)
	sum, carry := bits.Add64(*dst, lo, 0)
	if hi != 0 || carry != 0 || sum > maxCount {
		sum = maxCount
	}
	*dst = sum
}

func (count) single(_ *batch.Column, _ int, dst []uint64) { dst[0] = 1 }

func (count) add(dst, src []uint64, m uint64) { addCount(&dst[0], src[0], m) }

func (k sumInt) single(c *batch.Column, row int, dst []uint64) {
	clear(dst)
	switch v := c.Fixed; {
	case k.wide:
		x := batch.View[batch.Int128](v)[row]
		dst[0], dst[1], dst[2] = x.Lo, uint64(x.Hi), uint64(x.Hi>>63)
	case k.unsigned:
		dst[0] = batch.View[uint64](v)[row]
	default:
		x := batch.View[int64](v)[row]
		dst[0], dst[1] = uint64(x), uint64(x>>63)
	}
	dst[k.words()-1] = 1
}

// add multiplies in two's complement, where the words above those of a factor repeat its sign:
// the low words of the product are right whatever the signs are.
func (k sumInt) add(dst, src []uint64, m uint64) {
	n := k.words() - 1
	var carry uint64 // of the product, into the next word
	var c uint64     // of the sum
	for w := range n {
		hi, lo := bits.Mul64(src[w], m)
		var over uint64
		lo, over = bits.Add64(lo, carry, 0)
		carry = hi + over
		dst[w], c = bits.Add64(dst[w], lo, c)
	}
	addCount(&dst[n], src[n], m)
}

func (sumFloat) single(c *batch.Column, row int, dst []uint64) {
	clear(dst)
	binState(dst).Add(c.Float64s()[row])
	dst[sumFloatWords-1] = 1
}

func (sumFloat) add(dst, src []uint64, m uint64) {
	s := *binState(src)
	s.Scale(int64(m))
	binState(dst).Merge(&s)
	addCount(&dst[sumFloatWords-1], src[sumFloatWords-1], m)
}
