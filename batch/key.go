package batch

// SortKey is one column of a sort order.
type SortKey struct {
	Column     int // position in the schema
	Desc       bool
	NullsFirst bool
}
