// Package nested is what columns of lists, maps and structs are made of: the tree of their
// type, and how a value lies in the bytes of a column of type batch.Nested.
//
// A batch.Type with ID Nested carries the canonical text of its tree in Shape, so that ==
// still compares types; Parse reads the text, Type.String writes it:
//
//	list<int64>    list<string not null>    map<string, list<float64>>
//	struct<a: int64 not null, "b c": timestamp(us, utc)>
//
// Elements, values of maps and fields may be null unless they are "not null"; keys of maps
// never are. A null of the whole value is the column's, like that of any other column.
//
// The encoding of a value delimits itself, so a value may stand within another as it is:
//
//	leaf      LeafWidth bytes, little endian, narrow (int32: 4); strings and binary: uvarint length, bytes
//	list      uvarint n<<1|s, where s is 1: a bitmap of n bits (1: not null), then the elements that are not null
//	map       the same of entries: the bitmap is that of the values; then key, value, key, ...
//	struct    a bitmap of its fields that may be null, in their order, then the fields that are not null
//
// Invariants:
//
//   - Equal values have equal bytes (NaNs and negative zeros by their bits, entries of a map in their
//     order): s is 1 only where there is a null, and bits past the last are zero.
//   - Any value of n bytes has at most 8n parts: every element takes a bit at least. Decoding
//     checks each length against the bytes that are left: bytes that are no value are
//     ErrMalformed, never a panic and never memory.
//   - Trees are at most MaxDepth deep and immutable; a Walker and a Builder are one goroutine's.
package nested
