package expr

import (
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
)

// How two types combine, in arithmetic, comparisons, case, coalesce and lists:
//
//	int, int              the wider; int64 where one is unsigned (up to uint32); decimal(20, 0) for uint64 with a signed one
//	int, decimal          a decimal with the digits of both
//	int or decimal, float float64
//	float32, float64      float64
//	date, timestamp       the timestamp; of two timestamps the finer unit
//
// A literal takes the other side's type where its value fits: int8 + 1 is int8, float32 *
// 1.5 is float32, and a string literal beside a date, a timestamp, a bool or a uuid is read as one.

var sqlTypes = map[string]batch.Type{
	"bool": batch.Of(batch.Bool), "boolean": batch.Of(batch.Bool),
	"int8": batch.Of(batch.Int8), "tinyint": batch.Of(batch.Int8),
	"int16": batch.Of(batch.Int16), "smallint": batch.Of(batch.Int16),
	"int32": batch.Of(batch.Int32), "int": batch.Of(batch.Int32), "integer": batch.Of(batch.Int32),
	"int64": batch.Of(batch.Int64), "bigint": batch.Of(batch.Int64), "long": batch.Of(batch.Int64),
	"uint8": batch.Of(batch.Uint8), "utinyint": batch.Of(batch.Uint8),
	"uint16": batch.Of(batch.Uint16), "usmallint": batch.Of(batch.Uint16),
	"uint32": batch.Of(batch.Uint32), "uinteger": batch.Of(batch.Uint32),
	"uint64": batch.Of(batch.Uint64), "ubigint": batch.Of(batch.Uint64),
	"float16": batch.Of(batch.Float16), "float32": batch.Of(batch.Float32), "float": batch.Of(batch.Float32), "real": batch.Of(batch.Float32),
	"float64": batch.Of(batch.Float64), "double": batch.Of(batch.Float64),
	"decimal": batch.DecimalOf(18, 3), "numeric": batch.DecimalOf(18, 3),
	"string": batch.Of(batch.String), "varchar": batch.Of(batch.String), "text": batch.Of(batch.String),
	"binary": batch.Of(batch.Binary), "blob": batch.Of(batch.Binary), "bytea": batch.Of(batch.Binary),
	"fixed": {ID: batch.Fixed}, // its width is a parameter that must be there
	"uuid":  batch.Of(batch.UUID), "date": batch.Of(batch.Date),
	"time":      {ID: batch.Time, Unit: batch.Micro},
	"timestamp": batch.TimestampOf(batch.Micro, false), "datetime": batch.TimestampOf(batch.Micro, false),
	"timestamptz": batch.TimestampOf(batch.Micro, true),
}

func namedType(lower string) (batch.Type, bool) {
	t, ok := sqlTypes[lower]
	return t, ok
}

// TypeNames returns the names of types, SQL's among them, sorted, without their parameters.
func TypeNames() []string {
	names := make([]string, 0, len(sqlTypes))
	for n := range sqlTypes {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// typeWith applies the parameters behind a type's name.
func typeWith(t batch.Type, params []string) (batch.Type, bool) {
	switch {
	case t.ID == batch.Decimal && (len(params) == 1 || len(params) == 2):
		prec, err := strconv.Atoi(params[0])
		scale := 0
		if err == nil && len(params) == 2 {
			scale, err = strconv.Atoi(params[1])
		}
		return batch.DecimalOf(prec, scale), err == nil && prec >= 1 && prec <= 38 && scale >= 0 && scale <= prec
	case t.ID == batch.Fixed && len(params) == 1:
		width, err := strconv.ParseUint(params[0], 10, 16)
		t.Width = uint16(width)
		return t, err == nil && width > 0
	case t.ID == batch.String && len(params) == 1:
		_, err := strconv.Atoi(params[0])
		return t, err == nil
	case (t.ID == batch.Timestamp || t.ID == batch.Time) && (len(params) == 1 || len(params) == 2 && params[1] == "utc"):
		unit, ok := map[string]batch.Unit{"s": batch.Second, "ms": batch.Milli, "us": batch.Micro, "ns": batch.Nano}[params[0]]
		t.Unit, t.UTC = unit, t.UTC || len(params) == 2
		return t, ok
	}
	return t, false
}

// intDigits returns the decimal digits that every value of an integer type fits in.
func intDigits(t batch.Type) int {
	switch t.ID {
	case batch.Int8, batch.Uint8:
		return 3
	case batch.Int16, batch.Uint16:
		return 5
	case batch.Int32, batch.Uint32:
		return 10
	case batch.Int64:
		return 19
	}
	return 20
}

// asDecimal returns the decimal type that holds every value of an integer or decimal type.
func asDecimal(t batch.Type) batch.Type {
	if t.ID == batch.Decimal {
		return t
	}
	return batch.DecimalOf(intDigits(t), 0)
}

// common returns the type in which a and b meet; false where there is none.
func common(a, b batch.Type) (batch.Type, bool) {
	switch {
	case a == b, b.ID == batch.Null:
		return a, true
	case a.ID == batch.Null:
		return b, true
	case a.IsInteger() && b.IsInteger():
		return commonInt(a, b), true
	case a.IsNumeric() && b.IsNumeric():
		if !a.IsFloat() && !b.IsFloat() {
			a, b = asDecimal(a), asDecimal(b)
			scale := max(a.Scale, b.Scale)
			whole := max(int(a.Prec)-int(a.Scale), int(b.Prec)-int(b.Scale))
			return batch.DecimalOf(min(whole+int(scale), 38), int(scale)), true
		}
		if a.IsFloat() && b.IsFloat() && a.ID != batch.Float64 && b.ID != batch.Float64 {
			return batch.Of(batch.Float32), true
		}
		return batch.Of(batch.Float64), true
	case a.ID == batch.Date && b.ID == batch.Timestamp:
		return b, true
	case a.ID == batch.Timestamp && b.ID == batch.Date:
		return a, true
	case a.ID == b.ID && (a.ID == batch.Timestamp || a.ID == batch.Time) && a.UTC == b.UTC:
		if perSecond(a.Unit) < perSecond(b.Unit) {
			return b, true
		}
		return a, true
	case isBinary(a) && isBinary(b):
		return batch.Of(batch.Binary), true
	}
	return batch.Type{}, false
}

func isBinary(t batch.Type) bool { return t.ID == batch.Binary || t.ID == batch.Fixed }

func commonInt(a, b batch.Type) batch.Type {
	switch {
	case a.IsUnsigned() == b.IsUnsigned():
		return batch.Of(max(a.ID, b.ID))
	case a.ID == batch.Uint64 || b.ID == batch.Uint64:
		return batch.DecimalOf(20, 0)
	}
	return batch.Of(batch.Int64)
}

// perSecond returns how many ticks of the unit a second has.
func perSecond(u batch.Unit) int64 {
	switch u {
	case batch.Second:
		return 1
	case batch.Milli:
		return 1e3
	case batch.Micro:
		return 1e6
	}
	return 1e9
}

// maxName bounds the names that are compared with others.
const maxName = 200

// didYouMean returns a hint that names the candidate nearest to name, or "".
func didYouMean(name string, candidates []string) string {
	best, bestDist := "", 1+max(1, len(name)/3)
	for _, c := range candidates {
		if len(name) > maxName || len(c) > len(name)+bestDist || len(name) > len(c)+bestDist {
			continue
		}
		d := EditDistance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)), true)
		if d < bestDist {
			best, bestDist = c, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + QuoteName(best) + "?"
}
