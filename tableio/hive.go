package tableio

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
	"pqjoin/tableio/text"
)

// HiveNull stands for null in the name of a hive directory.
const HiveNull = "__HIVE_DEFAULT_PARTITION__"

// hive is what the directories of a table's files say: name=value of one is a column that has that value in every row of the file.
type hive struct {
	fields []batch.Field // in the order in which the files bring them
	values [][]*constant // by file, then as fields; nil where the file lies in no such directory
}

// constant is a column that has one value in all rows of a file.
type constant struct {
	one *batch.Column // the value, as one row on the heap; nil: it is null
	val expr.Value
}

// hivePart is one directory of a path; the value is as it is written.
type hivePart struct{ name, raw string }

// hiveParts returns the directories name=value of a file's path. Those that the path shares with base, the
// folder in which the job lies, are none of the table's.
func hiveParts(path, base string) ([]hivePart, error) {
	dirs := strings.Split(filepath.Dir(path), "/")
	if filepath.IsAbs(path) {
		for _, above := range strings.Split(base, "/") {
			if len(dirs) == 0 || dirs[0] != above {
				break
			}
			dirs = dirs[1:]
		}
	}
	var parts []hivePart
	for _, d := range dirs {
		name, raw, ok := strings.Cut(d, "=")
		if !ok || name == "" {
			continue
		}
		name = unescapePath(name)
		if slices.ContainsFunc(parts, func(p hivePart) bool { return p.name == name }) {
			return nil, fmt.Errorf("%s: %w: two directories on its way give the column %s", path, ErrSchema, name)
		}
		parts = append(parts, hivePart{name, raw})
	}
	return parts, nil
}

// hiveOf reads the columns that the files' directories give.
func hiveOf(spec *Spec, found []found) (*hive, error) {
	h := &hive{}
	at := map[string]int{}
	raws := make([][]*string, len(found)) // by file, then as fields
	origin := []string{}                  // the file that first had the column
	for i, f := range found {
		parts, err := hiveParts(f.path, spec.Base)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			if _, ok := at[p.name]; !ok {
				at[p.name] = len(h.fields)
				h.fields = append(h.fields, batch.Field{Name: p.name})
				origin = append(origin, f.path)
			}
			k := at[p.name]
			raws[i] = append(raws[i], make([]*string, max(0, k+1-len(raws[i])))...)
			raws[i][k] = &p.raw
		}
	}
	for i, f := range found {
		raws[i] = append(raws[i], make([]*string, len(h.fields)-len(raws[i]))...)
		k := slices.Index(raws[i], nil)
		if k < 0 || spec.SchemaMode == Union {
			continue
		}
		return nil, fmt.Errorf("%w: %s lies in a directory %s=..., and %s does not (schema: union makes the column null there)", ErrSchema,
			origin[k], h.fields[k].Name, f.path)
	}
	return h, h.read(spec, found, raws)
}

// index returns the position of a column, or -1.
func (h *hive) index(name string) int {
	return slices.IndexFunc(h.fields, func(f batch.Field) bool { return f.Name == name })
}

// read gives the columns their types and reads the values.
func (h *hive) read(spec *Spec, found []found, raws [][]*string) error {
	h.values = make([][]*constant, len(found))
	for i := range h.values {
		h.values[i] = make([]*constant, len(h.fields))
	}
	for k := range h.fields {
		f := &h.fields[k]
		var ok bool
		if f.Type, ok = spec.Types[f.Name]; !ok {
			f.Type = guessHive(raws, k)
		} else if !text.Reads(f.Type) {
			return fmt.Errorf("%w: column %s comes from directories, and a %s is not read from their names", ErrSchema, f.Name, f.Type)
		}
		seen := map[string]*constant{}
		for i, file := range found {
			raw := raws[i][k]
			if raw == nil {
				f.Nullable = true
				continue
			}
			c := seen[*raw]
			if c == nil {
				var err error
				if c, err = readHive(f.Type, *raw, spec.NanAsNull); err != nil {
					return fmt.Errorf("%s: %w: the directory %s=%s: %w (types: {%s: string} reads it as it is)", file.path, ErrSchema, f.Name, *raw, err, f.Name)
				}
				seen[*raw] = c
			}
			h.values[i][k] = c
			f.Nullable = f.Nullable || c.one == nil
		}
	}
	return nil
}

// guessHive returns the first of int64, date and string that fits all values of column k.
func guessHive(raws [][]*string, k int) batch.Type {
	ints, dates, any := true, true, false
	for _, r := range raws {
		if r[k] == nil || *r[k] == HiveNull {
			continue
		}
		p := []byte(unescapePath(*r[k]))
		any = true
		if ints {
			_, ints = text.ParseInt(p)
		}
		if dates {
			_, dates = text.ParseDate(p)
		}
	}
	switch {
	case any && ints:
		return batch.Of(batch.Int64)
	case any && dates:
		return batch.Of(batch.Date)
	}
	return batch.Of(batch.String)
}

// readHive reads a directory's value.
func readHive(t batch.Type, raw string, nanAsNull bool) (*constant, error) {
	if raw == HiveNull {
		return &constant{}, nil
	}
	p := []byte(unescapePath(raw))
	var one *batch.Column
	var err error
	if t.ID == batch.String || t.ID == batch.Binary {
		if t.ID == batch.String && !utf8.Valid(p) {
			return nil, fmt.Errorf("it is not UTF-8")
		}
		if one, err = batch.NewVar(nil, t, 1, len(p)); err != nil {
			return nil, err
		}
		one.Off[0], one.Off[1] = 0, uint32(copy(one.Data, p))
		return &constant{one, expr.Value{Bytes: one.Data}}, nil
	}
	if t.IsInteger() {
		p = dropZeros(p)
	}
	if len(p) == 0 {
		return nil, fmt.Errorf("nothing is no %s", t)
	}
	one, err = text.Convert(nil, t, &text.Cells{Buf: p, Spans: []text.Span{{Len: uint32(len(p))}}, Stride: 1, N: 1}, 0)
	if err != nil {
		return nil, err
	}
	v := valueOf(one)
	if nanAsNull && v.Float != v.Float {
		return &constant{}, nil
	}
	return &constant{one, v}, nil
}

// dropZeros drops zeros before a whole number: a month 01 is the number 1 where the job says that it is a number.
func dropZeros(p []byte) []byte {
	sign, digits := p[:0], p
	if len(p) > 0 && p[0] == '-' {
		sign, digits = p[:1], p[1:]
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return slices.Concat(sign, digits)
}

// valueOf returns the value of a column of one row that is not of bytes.
func valueOf(c *batch.Column) expr.Value {
	switch c.Type.Kind() {
	case batch.KindBool:
		return expr.Value{Bool: c.Fixed[0] != 0}
	case batch.KindFloat64:
		return expr.Value{Float: c.Float64s()[0]}
	case batch.KindInt128:
		return expr.Value{Int128: c.Int128s()[0]}
	}
	return expr.Value{Int: c.Int64s()[0]}
}

// stats is what is known of n rows of the value.
func (c *constant) stats(n int64) expr.Stats {
	if c.one == nil {
		return expr.Stats{Nulls: n, Rows: n}
	}
	nan := c.one.Type.IsFloat() && c.val.Float != c.val.Float
	return expr.Stats{Rows: n, HasBounds: !nan, Min: c.val, Max: c.val, NoNaN: !nan}
}

// column makes n rows of the value: texts as a dictionary of one.
func (c *constant) column(acct *mem.Account, t batch.Type, n int) (*batch.Column, error) {
	if c.one == nil {
		return batch.AllNull(acct, t, n)
	}
	w := t.Kind().Width()
	if w == 0 {
		out, err := batch.NewCodes(acct, c.one, n)
		if err != nil {
			return nil, err
		}
		c.one.Retain()
		clear(out.Codes)
		return out, nil
	}
	out, err := batch.NewFixed(acct, t, n)
	if err != nil || n == 0 {
		return out, err
	}
	for done := copy(out.Fixed, c.one.Fixed); done < n*w; done *= 2 {
		copy(out.Fixed[done:n*w], out.Fixed[:done])
	}
	return out, nil
}

// unescapePath replaces %41 and the like; what is none stays as it is.
func unescapePath(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
