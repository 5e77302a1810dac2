package export

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

var typeNames = map[batch.TypeID]string{
	batch.Bool: "BOOLEAN", batch.Int8: "TINYINT", batch.Int16: "SMALLINT", batch.Int32: "INTEGER", batch.Int64: "BIGINT",
	batch.Uint8: "UTINYINT", batch.Uint16: "USMALLINT", batch.Uint32: "UINTEGER", batch.Uint64: "UBIGINT",
	batch.Float16: "FLOAT", batch.Float32: "FLOAT", batch.Float64: "DOUBLE", batch.String: "VARCHAR", batch.Binary: "BLOB", batch.Fixed: "BLOB",
	batch.UUID: "UUID", batch.Date: "DATE", batch.Time: "TIME", batch.Null: "INTEGER",
}

// typeName returns what DuckDB calls a type; of float16 and bytes of a fixed number the one that holds them. It is empty for
// nested types that DuckDB does not have.
func typeName(t batch.Type) string {
	switch {
	case t.ID == batch.Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Prec, t.Scale)
	case t.ID == batch.Timestamp && t.UTC && t.Unit == batch.Nano:
		return "TIMESTAMPTZ_NS"
	case t.ID == batch.Timestamp && t.UTC:
		return "TIMESTAMPTZ"
	case t.ID == batch.Timestamp:
		return map[batch.Unit]string{batch.Second: "TIMESTAMP_S", batch.Milli: "TIMESTAMP_MS", batch.Micro: "TIMESTAMP", batch.Nano: "TIMESTAMP_NS"}[t.Unit]
	case t.ID == batch.Time && t.Unit == batch.Nano:
		return "TIME_NS"
	case t.ID == batch.Nested:
		tree, err := nested.Of(t)
		if err != nil {
			return ""
		}
		return nestedName(tree)
	}
	return typeNames[t.ID]
}

// nestedName returns what DuckDB calls a type with parts; empty where a part has no name, or two fields of a struct have one that
// DuckDB does not tell apart.
func nestedName(t *nested.Type) string {
	switch {
	case t.Kind == nested.Leaf && t.Leaf.ID == batch.Time && t.Leaf.UTC:
		return "TIMETZ" // as it is in files; scans cast the ones that are columns
	case t.Kind == nested.Leaf:
		return typeName(t.Leaf)
	}
	var parts []string
	seen := map[string]bool{}
	for i := range t.Fields {
		f := &t.Fields[i]
		part, low := nestedName(f.Type), strings.ToLower(f.Name)
		if part == "" || t.Kind == nested.Struct && (seen[low] || strings.ContainsAny(f.Name, "\n\r")) {
			return ""
		}
		seen[low] = true
		if t.Kind == nested.Struct {
			part = name(f.Name) + " " + part
		}
		parts = append(parts, part)
	}
	switch all := strings.Join(parts, ", "); t.Kind {
	case nested.List:
		return all + "[]"
	case nested.Map:
		return "MAP(" + all + ")"
	default:
		return "STRUCT(" + all + ")"
	}
}

// cutShort says whether a type has times of nanoseconds in UTC, which DuckDB reads from Parquet files as microseconds.
func cutShort(t batch.Type) bool {
	if t.ID != batch.Nested {
		return t.ID == batch.Time && t.UTC && t.Unit == batch.Nano
	}
	tree, err := nested.Of(t)
	return err == nil && anyLeaf(tree, cutShort)
}

func anyLeaf(t *nested.Type, is func(batch.Type) bool) bool {
	if t.Kind == nested.Leaf {
		return is(t.Leaf)
	}
	return slices.ContainsFunc(t.Fields, func(f nested.Field) bool { return anyLeaf(f.Type, is) })
}
