package tableio

import (
	"pqjoin/batch"
	"pqjoin/tableio/format"
)

// unreader is a file that may have columns that it cannot read as they are: their type is a batch.Nested without a shape.
type unreader interface {
	// Unread says what such a column is: "a duration", "a union"; "" of a column that is read.
	Unread(col int) string
}

// typeIn says what a column of a file is, for messages: its type, or why it is not read.
func typeIn(f format.File, t batch.Type, column string) string {
	if u, ok := f.(unreader); ok && t == batch.Of(batch.Nested) {
		if i := f.Schema().Index(column); i >= 0 && u.Unread(i) != "" {
			return u.Unread(i)
		}
	}
	return t.String()
}

// Unread says why a column cannot be read as it is, in the first file where it cannot, and whether it is read as an int64 if Spec.Types
// says so. Of a column that can be read, and of one that has a type by Spec.Types, why is empty.
func (t *Table) Unread(column string) (why string, counts bool) {
	if at := t.schema.Index(column); at < 0 || t.schema.Fields[at].Type != (batch.Type{ID: batch.Nested}) {
		return "", false
	}
	for _, f := range t.files {
		i := f.Schema().Index(column)
		u, ok := f.(unreader)
		if i < 0 || !ok {
			continue
		}
		if why := u.Unread(i); why != "" {
			return why, f.ReadsAs(i, batch.Of(batch.Int64))
		}
	}
	return "", false
}
