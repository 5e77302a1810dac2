package jobgen

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio"
)

// HiveNull is the value of a directory that stands for null.
const HiveNull = "__HIVE_DEFAULT_PARTITION__"

// named says whether values of the type can name directories.
func named(t batch.Type) bool {
	switch t.ID {
	case batch.Binary, batch.Fixed, batch.UUID, batch.Float16, batch.Nested:
		return false
	}
	return true
}

// partitionBy makes some outputs directories of directories.
func (g *gen) partitionBy(o *Output) {
	if !strings.HasSuffix(o.Path, "/") || g.r.IntN(20) > 0 { // a table of many keys becomes thousands of files, each written and synced
		return
	}
	node, err := g.schemaOf(o.Table)
	if err != nil {
		return
	}
	var by []string
	for _, c := range g.r.Perm(len(node.Schema.Fields)) {
		if f := node.Schema.Fields[c]; named(f.Type) && len(by) < min(1+g.r.IntN(2), len(node.Schema.Fields)-1) {
			by = append(by, f.Name)
		}
	}
	if len(by) == 0 {
		return
	}
	before := o.Options
	o.Options += ", partition_by: " + list(by)
	if _, err := g.c.Resolve("/case"); err != nil {
		g.refused["partition_by: "+list(by)] = err.Error()
		o.Options = before
	}
}

// maxHiveDirs keeps inputs from being mostly directories.
const maxHiveDirs = 40

// asHive moves some columns of some inputs, the last ones, into the names of directories.
func (g *gen) asHive(in *Input) {
	if g.r.IntN(6) > 0 || len(in.Rows) == 0 {
		return
	}
	last := len(in.Schema.Fields)
	for n := 1 + g.r.IntN(2); n > 0 && last > 1 && named(in.Schema.Fields[last-1].Type); n-- {
		last--
		in.Hive = append([]int{last}, in.Hive...)
	}
	dirs := map[string]bool{}
	for _, row := range in.Rows {
		if dirs[in.dir(row)] = true; len(dirs) > maxHiveDirs {
			in.Hive = nil
			return
		}
		for _, c := range in.Hive {
			if row[c] == 0.0 {
				row[c] = 0.0 // not -0.0
			}
			if name := HiveDir(in.Schema.Fields[c].Type, row[c]); len(name) > 200 || name == HiveNull && row[c] != nil || !utf8.ValidString(fmt.Sprint(row[c])) {
				in.Hive = nil
				return
			}
		}
	}
	sort.SliceStable(in.Rows, func(i, j int) bool { return tableio.NaturalPaths(in.dir(in.Rows[i]), in.dir(in.Rows[j])) < 0 })
}

// dir is where a row lies.
func (in *Input) dir(row []any) string {
	dir := ""
	for _, c := range in.Hive {
		dir = filepath.Join(dir, in.Schema.Fields[c].Name+"="+HiveDir(in.Schema.Fields[c].Type, row[c]))
	}
	return dir
}

func (in *Input) writeHive(ctx context.Context, fsys vfs.FS, root string) error {
	inner := *in
	inner.Hive, inner.Schema = nil, &batch.Schema{Fields: slices.Clone(in.Schema.Fields[:in.Hive[0]])}
	for lo := 0; lo < len(in.Rows); {
		hi := lo + 1
		for hi < len(in.Rows) && in.dir(in.Rows[hi]) == in.dir(in.Rows[lo]) {
			hi++
		}
		inner.Rows = nil
		for _, row := range in.Rows[lo:hi] {
			inner.Rows = append(inner.Rows, row[:in.Hive[0]])
		}
		if err := inner.write(ctx, fsys, filepath.Join(root, in.dir(in.Rows[lo]))); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// HiveDir writes a value as the name of a directory has it, in another way than the writer does.
func HiveDir(t batch.Type, v any) string {
	s := ""
	switch v := v.(type) {
	case nil:
		return HiveNull
	case bool:
		s = strconv.FormatBool(v)
	case float64:
		s = floatDir(t, v)
	case batch.Int128:
		s = scaled(v.Big().String(), int(t.Scale))
	case int64:
		s = intDir(t, v)
	case string:
		s = v
	}
	out := ""
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == ' ':
			out += "%20"
		case r == '+' || r == ',' || r > 0x7f && r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			out += s[:n]
		default:
			out += url.QueryEscape(s[:n])
		}
		s = s[n:]
	}
	return out
}

func floatDir(t batch.Type, v float64) string {
	bits := 64
	if t.ID == batch.Float32 {
		bits = 32
	}
	switch {
	case v == 0:
		return "0.0"
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(fmt.Sprint(v)), "+")
	}
	s := strconv.FormatFloat(v, 'g', -1, bits)
	if a := math.Abs(v); a >= 1e-5 && a < 1e16 {
		s = strconv.FormatFloat(v, 'f', -1, bits)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func intDir(t batch.Type, v int64) string {
	switch t.ID {
	case batch.Uint64:
		return strconv.FormatUint(uint64(v), 10)
	case batch.Date:
		return time.Unix(v*86400, 0).UTC().Format("2006-01-02")
	case batch.Decimal:
		return scaled(strconv.FormatInt(v, 10), int(t.Scale))
	case batch.Timestamp:
		unit := map[batch.Unit]int64{batch.Second: 1e9, batch.Milli: 1e6, batch.Micro: 1e3, batch.Nano: 1}[t.Unit]
		per := int64(1e9) / unit
		sec, frac := v/per, v%per
		if frac < 0 {
			sec, frac = sec-1, frac+per
		}
		s := time.Unix(sec, frac*unit).UTC().Format("2006-01-02 15:04:05.999999999")
		if t.UTC {
			s += "Z"
		}
		return s
	case batch.Time:
		unit := map[batch.Unit]time.Duration{batch.Milli: 1e6, batch.Micro: 1e3, batch.Nano: 1}[t.Unit]
		return time.Unix(0, v*int64(unit)).UTC().Format("15:04:05.999999999")
	}
	return strconv.FormatInt(v, 10)
}

// scaled puts the point into the digits of a decimal.
func scaled(digits string, scale int) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if scale == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
