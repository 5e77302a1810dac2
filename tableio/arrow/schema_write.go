package arrow

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// field appends a column and returns its position. Columns may always have nulls.
func (w *builder) field(f batch.Field) (int, error) {
	t, err := nested.Of(f.Type)
	if err != nil {
		return 0, fmt.Errorf("column %q: %w", f.Name, err)
	}
	at, err := w.part(nested.Field{Name: f.Name, Type: t, Nullable: true})
	if err != nil {
		return 0, fmt.Errorf("column %q %w", f.Name, err)
	}
	return at, nil
}

// part appends a field of a tree and returns its position.
func (w *builder) part(f nested.Field) (int, error) {
	kids, err := w.parts(f.Type)
	if err != nil {
		return 0, err
	}
	kind, typ, err := w.kind(f.Type)
	if err != nil {
		return 0, err
	}
	meta := 0
	if f.Type.Leaf.ID == batch.UUID {
		key, value, data, none := w.string("ARROW:extension:name"), w.string("arrow.uuid"), w.string("ARROW:extension:metadata"), w.string("")
		name := w.table(slot{i: 0, to: key}, slot{i: 1, to: value})
		meta = w.offsets([]int{name, w.table(slot{i: 0, to: data}, slot{i: 1, to: none})})
	}
	name, children, nullable := w.string(f.Name), w.offsets(kids), int64(0)
	if f.Nullable {
		nullable = 1
	}
	slots := []slot{{i: 0, to: name}, {i: 3, to: typ}, {i: 5, to: children}}
	if meta > 0 {
		slots = append(slots, slot{i: 6, to: meta})
	}
	return w.table(append(slots, slot{i: 1, size: 1, v: nullable}, slot{i: 2, size: 1, v: kind})...), nil
}

// parts appends the parts of a type and returns their positions. They have the names that Arrow gives them.
func (w *builder) parts(t *nested.Type) (at []int, err error) {
	fields := t.Fields
	switch t.Kind {
	case nested.List:
		fields = []nested.Field{{Name: "item", Type: fields[0].Type, Nullable: fields[0].Nullable}}
	case nested.Map:
		entries := &nested.Type{Kind: nested.Struct, Fields: []nested.Field{
			{Name: "key", Type: fields[0].Type}, {Name: "value", Type: fields[1].Type, Nullable: fields[1].Nullable},
		}}
		fields = []nested.Field{{Name: "entries", Type: entries}}
	}
	at = make([]int, len(fields))
	for i, f := range fields {
		if at[i], err = w.part(f); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// kind appends the type of a part, without its parts.
func (w *builder) kind(t *nested.Type) (kind int64, at int, err error) {
	switch t.Kind {
	case nested.List:
		return typeList, w.table(), nil
	case nested.Map:
		return typeMap, w.table(), nil
	case nested.Struct:
		return typeStruct, w.table(), nil
	}
	return w.typ(t.Leaf)
}

// typ appends a type.
func (w *builder) typ(t batch.Type) (kind int64, at int, err error) {
	switch {
	case t.IsInteger():
		signed := int64(1)
		if t.IsUnsigned() {
			signed = 0
		}
		return typeInt, w.table(slot{i: 0, size: 4, v: int64(8 * t.StoredWidth())}, slot{i: 1, size: 1, v: signed}), nil
	case t.IsFloat():
		return typeFloat, w.table(slot{i: 0, size: 2, v: int64(t.ID - batch.Float16)}), nil
	}
	switch t.ID {
	case batch.Bool:
		return typeBool, w.table(), nil
	case batch.String:
		return typeUtf8, w.table(), nil
	case batch.Binary:
		return typeBinary, w.table(), nil
	case batch.Fixed, batch.UUID:
		return typeFixedBinary, w.table(slot{i: 0, size: 4, v: int64(t.StoredWidth())}), nil
	case batch.Decimal:
		return typeDecimal, w.table(slot{i: 0, size: 4, v: int64(t.Prec)}, slot{i: 1, size: 4, v: int64(t.Scale)}, slot{i: 2, size: 4, v: 128}), nil
	case batch.Date:
		return typeDate, w.table(slot{i: 0, size: 2, v: 0}), nil
	case batch.Time:
		return typeTime, w.table(slot{i: 1, size: 4, v: int64(8 * timeWidth(t))}, slot{i: 0, size: 2, v: unitNumber(t.Unit)}), nil
	case batch.Timestamp:
		slots := []slot{{i: 0, size: 2, v: unitNumber(t.Unit)}}
		if t.UTC {
			slots = append([]slot{{i: 1, to: w.string("UTC")}}, slots...)
		}
		return typeTimestamp, w.table(slots...), nil
	}
	return 0, 0, fmt.Errorf("is %s, which is not written to Arrow files", t)
}

func timeWidth(t batch.Type) int {
	if t.Unit == batch.Second || t.Unit == batch.Milli {
		return 4
	}
	return 8
}

// schema appends a schema.
func (w *builder) schema(s *batch.Schema) (int, error) {
	fields := make([]int, len(s.Fields))
	for i, f := range s.Fields {
		var err error
		if fields[i], err = w.field(f); err != nil {
			return 0, err
		}
	}
	return w.table(slot{i: 1, to: w.offsets(fields)}), nil
}
