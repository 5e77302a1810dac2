package mutate

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
)

// The types of Thrift's compact protocol.
const (
	ctTrue   = 1
	ctFalse  = 2
	ctByte   = 3
	ctI16    = 4
	ctI32    = 5
	ctI64    = 6
	ctDouble = 7
	ctBinary = 8
	ctList   = 9
	ctSet    = 10
	ctMap    = 11
	ctStruct = 12
)

var errThrift = errors.New("mutate: not a Thrift struct in the compact protocol")

// node is a value of Thrift's compact protocol.
type node struct {
	typ    byte
	n      int64   // of integers
	raw    []byte  // of doubles and binaries
	fields []field // of structs
	elem   byte    // of lists and sets; of maps the types of key and value
	list   []*node // of lists and sets; of maps keys and values by turns
	lie    int64   // added to the count or the length that is written
}

type field struct {
	id int16
	*node
}

// get returns the field of a struct, nil where it has none.
func (t *node) get(id int16) *node {
	if t == nil {
		return nil
	}
	for _, f := range t.fields {
		if f.id == id {
			return f.node
		}
	}
	return nil
}

// set sets an integer, if the struct has it.
func (t *node) set(id int16, v int64) {
	if f := t.get(id); f != nil {
		f.n = v
	}
}

// int returns an integer of a struct, 0 where it has none.
func (t *node) int(id int16) int64 {
	if f := t.get(id); f != nil {
		return f.n
	}
	return 0
}

// elements returns the elements of a list.
func (t *node) elements() []*node {
	if t == nil {
		return nil
	}
	return t.list
}

// thriftReader decodes what is well formed.
type thriftReader struct {
	b     []byte
	at    int
	depth int
	bad   bool
}

// parseThrift decodes the struct that b begins with, and returns its length.
func parseThrift(b []byte) (*node, int, error) {
	r := &thriftReader{b: b}
	t := r.value(ctStruct)
	if r.bad {
		return nil, 0, errThrift
	}
	return t, r.at, nil
}

func (r *thriftReader) byte() byte {
	if r.at >= len(r.b) {
		r.bad = true
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[min(r.at, len(r.b)):])
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.at += n
	return v
}

func (r *thriftReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

func (r *thriftReader) value(typ byte) *node {
	t := &node{typ: typ}
	if r.depth++; r.depth > 60 {
		r.bad = true
	}
	defer func() { r.depth-- }()
	if r.bad {
		return t
	}
	switch typ {
	case ctByte:
		t.n = int64(int8(r.byte()))
	case ctI16, ctI32, ctI64:
		u := r.uvarint()
		t.n = int64(u>>1) ^ -int64(u&1)
	case ctDouble:
		t.raw = r.bytes(8)
	case ctBinary:
		t.raw = r.bytes(r.uvarint())
	case ctList, ctSet:
		r.list(t)
	case ctMap:
		r.pairs(t)
	case ctStruct:
		r.fields(t)
	default:
		r.bad = true
	}
	return t
}

// element is a value in a list, where a bool takes a byte.
func (r *thriftReader) element(typ byte) *node {
	if typ == ctTrue || typ == ctFalse {
		return &node{typ: typ, n: int64(r.byte())}
	}
	return r.value(typ)
}

func (r *thriftReader) list(t *node) {
	h := r.byte()
	n := uint64(h >> 4)
	if n == 15 {
		n = r.uvarint()
	}
	t.elem = h & 15
	for ; n > 0 && !r.bad; n-- {
		t.list = append(t.list, r.element(t.elem))
	}
}

func (r *thriftReader) pairs(t *node) {
	n := r.uvarint()
	if n == 0 {
		return
	}
	t.elem = r.byte()
	for ; n > 0 && !r.bad; n-- {
		t.list = append(t.list, r.element(t.elem>>4), r.element(t.elem&15))
	}
}

func (r *thriftReader) fields(t *node) {
	id := int16(0)
	for !r.bad {
		h := r.byte()
		if h == 0 {
			return
		}
		if d := int16(h >> 4); d != 0 {
			id += d
		} else {
			u := r.uvarint()
			id = int16(int64(u>>1) ^ -int64(u&1))
		}
		if typ := h & 15; typ == ctTrue || typ == ctFalse {
			t.fields = append(t.fields, field{id, &node{typ: typ}})
		} else {
			t.fields = append(t.fields, field{id, r.value(typ)})
		}
	}
}

// append encodes a value.
func (t *node) append(b []byte) []byte {
	zigzag := func(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }
	switch t.typ {
	case ctTrue, ctFalse: // in a list; as a field its type says it
		return append(b, byte(t.n))
	case ctByte:
		return append(b, byte(t.n))
	case ctI16, ctI32, ctI64:
		return binary.AppendUvarint(b, zigzag(t.n))
	case ctDouble:
		return append(b, t.raw...)
	case ctBinary:
		return append(binary.AppendUvarint(b, uint64(int64(len(t.raw))+t.lie)), t.raw...)
	case ctList, ctSet:
		if n := uint64(int64(len(t.list)) + t.lie); n < 15 {
			b = append(b, byte(n)<<4|t.elem)
		} else {
			b = binary.AppendUvarint(append(b, 0xf0|t.elem), n)
		}
	case ctMap:
		n := uint64(int64(len(t.list)/2) + t.lie)
		if b = binary.AppendUvarint(b, n); n > 0 {
			b = append(b, t.elem)
		}
	case ctStruct:
		return t.appendFields(b)
	}
	for _, e := range t.list {
		b = e.append(b)
	}
	return b
}

func (t *node) appendFields(b []byte) []byte {
	id := int16(0)
	for _, f := range t.fields {
		if d := f.id - id; d > 0 && d < 16 {
			b = append(b, byte(d)<<4|f.typ)
		} else {
			v := int64(f.id)
			b = binary.AppendUvarint(append(b, f.typ), uint64(v)<<1^uint64(v>>63))
		}
		id = f.id
		if f.typ != ctTrue && f.typ != ctFalse {
			b = f.append(b)
		}
	}
	return append(b, 0)
}

// all appends the value and all those in it.
func (t *node) all(to []*node) []*node {
	to = append(to, t)
	for _, f := range t.fields {
		to = f.all(to)
	}
	for _, e := range t.list {
		to = e.all(to)
	}
	return to
}

// clone copies the value and all those in it.
func (t *node) clone() *node {
	out := *t
	out.fields, out.list = slices.Clone(t.fields), slices.Clone(t.list)
	for i := range out.fields {
		out.fields[i].node = out.fields[i].clone()
	}
	for i := range out.list {
		out.list[i] = out.list[i].clone()
	}
	return &out
}

// maxNodes bounds the trees that are made larger.
const maxNodes = 1 << 14

// change changes something of the tree, of which other may lend parts.
func (t *node) change(r *rand.Rand, other *node) {
	nodes := t.all(nil)
	if len(nodes) > maxNodes {
		return
	}
	x := nodes[r.IntN(len(nodes))]
	if r.IntN(12) == 0 && x != t { // another value in its place: of any type, or of its own
		lent := other.all(nil)
		y := lent[r.IntN(len(lent))]
		for range 20 {
			if y.typ == x.typ {
				break
			}
			y = lent[r.IntN(len(lent))]
		}
		if y.typ == x.typ || r.IntN(3) == 0 {
			*x = *y.clone()
			return
		}
	}
	switch x.typ {
	case ctByte, ctI16, ctI32, ctI64:
		x.changeInt(r, nodes)
	case ctDouble:
		x.raw = binary.LittleEndian.AppendUint64(nil, uint64(odd(r)))
	case ctBinary:
		x.changeBytes(r)
	case ctList, ctSet, ctMap:
		x.changeList(r)
	case ctStruct:
		x.changeStruct(r)
	default:
		x.typ = ctTrue + ctFalse - x.typ
	}
}

func (t *node) changeInt(r *rand.Rand, nodes []*node) {
	t.n = Near(r, t.n)
	if r.IntN(6) == 0 {
		t.n = nodes[r.IntN(len(nodes))].n
	}
	switch {
	case t.typ == ctI32 && r.IntN(8) > 0: // mostly a number that the type has
		t.n = int64(int32(t.n))
	case t.typ == ctI32 || t.typ == ctI16:
		t.typ = ctI32
	}
}

func (t *node) changeBytes(r *rand.Rand) {
	switch r.IntN(5) {
	case 0:
		t.raw = nil
	case 1:
		t.raw = t.raw[:r.IntN(len(t.raw)+1)]
	case 2:
		t.raw = append(slices.Clone(t.raw), make([]byte, 1+r.IntN(40))...)
	case 3:
		t.lie = Near(r, 0)
	default:
		t.raw = Splice(r, t.raw, t.raw)
	}
}

func (t *node) changeList(r *rand.Rand) {
	n := len(t.list)
	switch i := r.IntN(n + 1); {
	case r.IntN(6) == 0:
		t.lie = Near(r, 0)
	case r.IntN(10) == 0:
		t.elem = byte(r.IntN(14))
	case i == n:
		t.list = nil
	case t.typ == ctMap || r.IntN(3) == 0:
		t.list = slices.Delete(slices.Clone(t.list), i, i+1)
	case r.IntN(2) == 0:
		for range 1 << r.IntN(8) {
			t.list = append(t.list, t.list[i].clone())
		}
	default:
		j := r.IntN(n)
		t.list[i], t.list[j] = t.list[j], t.list[i]
	}
}

func (t *node) changeStruct(r *rand.Rand) {
	if len(t.fields) == 0 {
		return
	}
	i, j := r.IntN(len(t.fields)), r.IntN(len(t.fields))
	switch r.IntN(6) {
	case 0, 1:
		t.fields = slices.Delete(slices.Clone(t.fields), i, i+1)
	case 2:
		t.fields = append(t.fields, field{t.fields[i].id, t.fields[i].clone()})
	case 3:
		t.fields[i].id += int16(Near(r, 0))
	case 4:
		t.fields[i].node, t.fields[j].node = t.fields[j].node, t.fields[i].node
	default:
		changed := *t.fields[i].node // the same number or text as another type
		changed.typ = []byte{ctI32, ctI64, ctI16, ctBinary, ctStruct, ctList, ctTrue, ctByte}[r.IntN(8)]
		t.fields[i].node = &changed
	}
}
