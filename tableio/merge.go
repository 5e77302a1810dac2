package tableio

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/tableio/format"
)

// maxName is the most bytes that the name of a column may have: messages name columns.
const maxName = 1000

// checkNames refuses columns of longer names, which are damage or no names.
func checkNames(f format.File) error {
	for i, field := range f.Schema().Fields {
		if n := len(field.Name); n > maxName {
			return fmt.Errorf("%s: %w: the name of column %d has %d bytes, and may have %d", f.Path(), ErrSchema, i+1, n, maxName)
		}
	}
	return nil
}

// merge makes one schema of the files' and says, for each file, where its columns go. Columns
// come in the first file's order, then (union) in the order in which later files bring them, then those
// of directories. Where both files and directories have a column, it is the directories'.
func merge(spec *Spec, files []format.File, dirs *hive) (*batch.Schema, [][]mapping, error) {
	out := &batch.Schema{}
	origin := []format.File{} // the file that first had the column
	at := map[string]int{}
	lead, mute := silent(files)
	first := files[lead]
	for i, f := range files {
		if mute[i] {
			continue
		}
		for _, field := range f.Schema().Fields {
			j, ok := at[field.Name]
			if k := dirs.index(field.Name); k >= 0 {
				if !ok {
					at[field.Name] = len(out.Fields)
					out.Fields, origin = append(out.Fields, dirs.fields[k]), append(origin, f)
				}
				continue
			}
			switch {
			case !ok && i != lead && spec.SchemaMode != Union:
				return nil, nil, fmt.Errorf("%w: column %s is in %s and not in %s (schema: union fills it with nulls)", ErrSchema, field.Name, f.Path(), first.Path())
			case !ok:
				at[field.Name] = len(out.Fields)
				field.Nullable = field.Nullable || i != lead
				out.Fields = append(out.Fields, field)
				origin = append(origin, f)
			default:
				to := &out.Fields[j]
				t, err := common(to.Type, field.Type)
				if _, decided := spec.Types[field.Name]; err != nil && !decided {
					return nil, nil, fmt.Errorf("%w: column %s is %s in %s and %s in %s (types: {%s: ...} decides)", ErrSchema,
						field.Name, typeIn(origin[j], to.Type, field.Name), origin[j].Path(), typeIn(f, field.Type, field.Name), f.Path(), field.Name)
				}
				to.Type, to.Nullable = t, to.Nullable || field.Nullable
			}
		}
	}
	for _, field := range dirs.fields {
		if _, ok := at[field.Name]; !ok {
			out.Fields = append(out.Fields, field)
		}
	}
	decide(spec, out)
	for j := range out.Fields {
		f := &out.Fields[j]
		if f.Type.ID == batch.Null { // no value anywhere
			f.Type = batch.Of(batch.String)
		}
		f.Nullable = f.Nullable || spec.NanAsNull && f.Type.IsFloat()
	}
	maps := make([][]mapping, len(files))
	if len(out.Fields) == 0 {
		if e, ok := first.(empty); ok {
			return nil, nil, e.Empty()
		}
	}
	for i, f := range files {
		if mute[i] {
			maps[i] = absent(dirs, out, i)
			continue
		}
		m, err := mapFile(spec, out, f, first, dirs, i)
		if err != nil {
			return nil, nil, err
		}
		maps[i] = m
	}
	return out, maps, nil
}

// empty is a file of a format whose columns are those of its rows. Empty returns nil where there are some, else what is wrong
// with a table of such files alone.
type empty interface{ Empty() error }

// silent says which files have no rows and tell nothing of columns, where others do, and returns the position of the first of those.
func silent(files []format.File) (lead int, mute []bool) {
	mute = make([]bool, len(files))
	for i, f := range files {
		e, ok := f.(empty)
		mute[i] = ok && e.Empty() != nil
	}
	if lead = slices.Index(mute, false); lead < 0 {
		return 0, make([]bool, len(files))
	}
	return lead, mute
}

// absent maps the columns of the table in file i, which has no rows: but for directories it has none of them.
func absent(dirs *hive, s *batch.Schema, i int) []mapping {
	out := make([]mapping, len(s.Fields))
	for j, f := range s.Fields {
		out[j].from = -1
		if k := dirs.index(f.Name); k >= 0 {
			out[j].value = dirs.values[i][k]
		}
	}
	return out
}

// decide applies the types that the job gives. That it gives none of columns that are not there is for the job's reader to see to.
func decide(spec *Spec, s *batch.Schema) {
	for j, f := range s.Fields {
		if t, ok := spec.Types[f.Name]; ok {
			s.Fields[j].Type = t
		}
	}
}

// mapFile finds the columns of the table in file i and checks that each can be read as its type.
func mapFile(spec *Spec, s *batch.Schema, f, first format.File, dirs *hive, i int) ([]mapping, error) {
	out := make([]mapping, len(s.Fields))
	for j := range s.Fields {
		to := &s.Fields[j]
		from := f.Schema().Index(to.Name)
		if k := dirs.index(to.Name); k >= 0 {
			out[j] = mapping{from: -1, value: dirs.values[i][k]}
			if out[j].value == nil && from >= 0 {
				return nil, fmt.Errorf("%w: column %s comes from the directories of other files, and from within %s", ErrSchema, to.Name, f.Path())
			}
			continue
		}
		out[j] = mapping{from: from}
		if from < 0 {
			if spec.SchemaMode != Union {
				return nil, fmt.Errorf("%w: column %s is in %s and not in %s (schema: union fills it with nulls)", ErrSchema, to.Name, first.Path(), f.Path())
			}
			to.Nullable = true
			continue
		}
		have := f.Schema().Fields[from].Type
		if have == to.Type || f.ReadsAs(from, to.Type) {
			continue
		}
		if !convertible(have, to.Type) {
			return nil, fmt.Errorf("%w: column %s of %s is %s and cannot be read as %s", ErrSchema, to.Name, f.Path(), typeIn(f, have, to.Name), to.Type)
		}
		var err error
		if out[j].conv, err = newConversion(have, to.Type); err != nil {
			return nil, fmt.Errorf("%w: column %s of %s: %w", ErrSchema, to.Name, f.Path(), err)
		}
	}
	return out, nil
}

// common returns the narrowest type that holds both exactly.
func common(a, b batch.Type) (batch.Type, error) {
	if t, ok := batch.Meet(a, b); ok {
		return t, nil
	}
	switch {
	case b.ID == batch.Null:
		return a, nil
	case a.ID == batch.Null:
		return b, nil
	case isText(a) && isText(b):
		return batch.Of(batch.Binary), nil
	}
	return a, fmt.Errorf("%s and %s have no common type", a, b)
}

func isText(t batch.Type) bool {
	return t.ID == batch.String || t.ID == batch.Binary
}

// choose returns the positions of the named columns, or of all.
func choose(spec *Spec, s *batch.Schema) ([]int, error) {
	if spec.Columns == nil {
		all := make([]int, len(s.Fields))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	idx := make([]int, len(spec.Columns))
	for i, name := range spec.Columns {
		if idx[i] = s.Index(name); idx[i] < 0 {
			return nil, fmt.Errorf("%w: there is no column %s; there are %s", ErrSchema, name, someNames(s))
		}
		if slices.Contains(idx[:i], idx[i]) {
			return nil, fmt.Errorf("%w: column %s is named twice", ErrSchema, name)
		}
	}
	return idx, nil
}

// someNames lists the columns, the first dozen of many.
func someNames(s *batch.Schema) string {
	const most = 12
	names := s.Names()
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
