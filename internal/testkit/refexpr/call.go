package refexpr

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"pqjoin/batch"
	"pqjoin/internal/floats"
)

var floatCalls = map[string]func(float64) float64{
	"ln": floats.Log, "log10": floats.Log10, "log2": floats.Log2, "exp": floats.Exp, "sqrt": math.Sqrt, "cbrt": math.Cbrt,
	"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
	"sinh": floats.Sinh, "cosh": floats.Cosh, "tanh": math.Tanh, "asinh": math.Asinh, "acosh": math.Acosh, "atanh": math.Atanh,
	"degrees": func(x float64) float64 { return x * (180 / math.Pi) }, "radians": func(x float64) float64 { return x * (math.Pi / 180) },
}

// results are the types of strict functions that do not depend on the arguments.
var results = map[string]batch.TypeID{
	"pow": batch.Float64, "atan2": batch.Float64, "is_nan": batch.Bool, "is_finite": batch.Bool, "sign": batch.Int8,
	"upper": batch.String, "lower": batch.String, "trim": batch.String, "ltrim": batch.String, "rtrim": batch.String,
	"replace": batch.String, "reverse": batch.String, "substr": batch.String, "left": batch.String, "right": batch.String,
	"length": batch.Int64, "starts_with": batch.Bool, "ends_with": batch.Bool, "contains": batch.Bool,
	"year": batch.Int64, "quarter": batch.Int64, "month": batch.Int64, "week": batch.Int64, "day": batch.Int64,
	"dayofweek": batch.Int64, "dayofyear": batch.Int64, "hour": batch.Int64, "minute": batch.Int64, "second": batch.Int64,
	"epoch": batch.Float64,
}

func call(name string, args []val) (val, error) {
	for _, calls := range []map[string]function{numberCalls, textCalls, timeCalls, partCalls} {
		if f, ok := calls[name]; ok {
			return f(name, args)
		}
	}
	switch name {
	case "hash":
		return hashCall(name, args)
	case "greatest", "least":
		return extreme(name, args)
	case "nullif":
		return nullIf(args)
	case "mod":
		return arithmetic("%", args[0], args[1])
	case "abs", "round", "floor", "ceil":
		return whole(name, args)
	case "date_trunc":
		return trunc(args)
	}
	t := batch.Of(batch.Float64)
	if id, ok := results[name]; ok {
		t = batch.Of(id)
	} else if floatCalls[name] == nil {
		return val{}, fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	if slices.ContainsFunc(args, func(v val) bool { return v.null }) {
		return null(t), nil
	}
	if f := floatCalls[name]; f != nil {
		return float(f(args[0].toFloat()), t), nil
	}
	switch t.ID {
	case batch.Float64:
		return floatCall(name, args, t)
	case batch.Int8:
		return sign(args[0])
	}
	if args[0].typ.ID == batch.Date || args[0].typ.ID == batch.Timestamp {
		return val{typ: t, num: new(big.Rat).SetInt64(int64(part(name, moment(args[0]))))}, nil
	}
	return textCall(name, args, t)
}

func floatCall(name string, args []val, t batch.Type) (val, error) {
	switch name {
	case "pow":
		return float(floats.Pow(args[0].toFloat(), args[1].toFloat()), t), nil
	case "atan2":
		return float(floats.Atan2(args[0].toFloat(), args[1].toFloat()), t), nil
	}
	sec := new(big.Rat).Mul(args[0].num, new(big.Rat).SetInt64(86400))
	f, _ := sec.Quo(sec, perDay(args[0].typ)).Float64()
	return float(f, t), nil
}

func sign(v val) (val, error) {
	n := int64(0)
	if v.typ.IsFloat() {
		n = int64(btoi(v.f > 0) - btoi(v.f < 0))
	} else {
		n = int64(v.num.Sign())
	}
	return val{typ: batch.Of(batch.Int8), num: new(big.Rat).SetInt64(n)}, nil
}

func extreme(name string, args []val) (val, error) {
	t, vs, err := together(args...)
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
	}
	best := null(t)
	for _, v := range vs {
		if v.null {
			continue
		}
		c := 0
		if !best.null {
			c = compare(v, best)
		}
		if best.null || name == "greatest" && c > 0 || name == "least" && c < 0 {
			best = v
		}
	}
	return best, err
}

func nullIf(args []val) (val, error) {
	t := args[0].typ
	if t.ID == batch.Null {
		return null(t), nil
	}
	_, vs, err := together(args...)
	if err != nil || args[0].null || !vs[1].null && compare(vs[0], vs[1]) == 0 {
		return null(t), err
	}
	args[0].lit = false
	return args[0], nil
}

// whole is abs, round, trunc, floor and ceil.
func whole(name string, args []val) (val, error) {
	v, digits := args[0], 0
	if len(args) == 2 {
		digits = int(args[1].num.Num().Int64())
	}
	if v.lit = false; v.typ.ID == batch.Null {
		return null(batch.Of(batch.Int32)), nil
	}
	t := v.typ
	if t.ID == batch.Decimal && name != "abs" {
		scale := min(max(digits, 0), int(t.Scale))
		t = batch.DecimalOf(min(38, int(t.Prec)-int(t.Scale)+scale+1), scale)
	}
	if v.null {
		return null(t), nil
	}
	if t.IsFloat() {
		return float(wholeFloat(name, v.f, digits), t), nil
	}
	r := v.num
	switch name {
	case "abs":
		r = new(big.Rat).Abs(r)
	case "floor":
		r = floor(r)
	case "ceil":
		r = new(big.Rat).Neg(floor(new(big.Rat).Neg(r)))
	case "trunc":
		if t.ID != batch.Decimal || digits < int(v.typ.Scale) {
			r = truncated(r, digits)
		}
	default:
		if t.ID != batch.Decimal || digits < int(v.typ.Scale) {
			r = roundHalfAway(r, digits)
		}
	}
	return number(r, t)
}

func wholeFloat(name string, f float64, digits int) float64 {
	switch name {
	case "abs":
		return math.Abs(f)
	case "floor":
		return math.Floor(f)
	case "ceil":
		return math.Ceil(f)
	case "trunc":
		return truncatedFloat(f, digits)
	}
	if digits < 0 {
		p := floats.Ten(-digits)
		return math.Round(f/p) * p
	}
	p := floats.Ten(digits)
	if r := math.Round(f*p) / p; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return f
}

func truncatedFloat(f float64, digits int) float64 {
	p := floats.Ten(max(digits, -digits))
	if digits < 0 {
		return math.Trunc(f/p) * p
	}
	if r := math.Trunc(f*p) / p; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return f
}

func textCall(name string, args []val, t batch.Type) (val, error) {
	s := args[0].s
	str := func(s string) (val, error) { return val{typ: t, s: s}, nil }
	cut := " "
	if len(args) > 1 {
		cut = args[1].s
	}
	switch name {
	case "is_nan":
		return boolean(math.IsNaN(args[0].toFloat())), nil
	case "is_finite":
		return boolean(!math.IsNaN(args[0].toFloat()) && !math.IsInf(args[0].toFloat(), 0)), nil
	case "upper":
		return str(strings.ToUpper(s))
	case "lower":
		return str(strings.ToLower(s))
	case "trim":
		return str(strings.Trim(s, cut))
	case "ltrim":
		return str(strings.TrimLeft(s, cut))
	case "rtrim":
		return str(strings.TrimRight(s, cut))
	case "replace":
		if args[1].s == "" {
			return str(s)
		}
		return str(strings.ReplaceAll(s, args[1].s, args[2].s))
	case "reverse":
		r := []rune(s)
		slices.Reverse(r)
		return str(string(r))
	case "length":
		return val{typ: t, num: new(big.Rat).SetInt64(int64(len([]rune(s))))}, nil
	case "starts_with":
		return boolean(strings.HasPrefix(s, cut)), nil
	case "ends_with":
		return boolean(strings.HasSuffix(s, cut)), nil
	case "contains":
		return boolean(strings.Contains(s, cut)), nil
	}
	return str(slice(name, []rune(s), args))
}

// slice is substr with a positive start and no negative length, left and right; the
// oddities of other starts are golden cases of package expr.
func slice(name string, r []rune, args []val) string {
	k := int(args[1].num.Num().Int64())
	n := len(r)
	switch {
	case name == "left" && k < 0:
		return string(r[:max(0, n+k)])
	case name == "left":
		return string(r[:min(k, n)])
	case name == "right" && k < 0:
		return string(r[min(-k, n):])
	case name == "right":
		return string(r[n-min(k, n):])
	}
	from, to := min(k-1, n), n
	if len(args) == 3 {
		to = min(n, from+int(args[2].num.Num().Int64()))
	}
	return string(r[from:to])
}

func part(name string, m time.Time) int {
	_, week := m.ISOWeek()
	return map[string]int{
		"year": m.Year(), "quarter": (int(m.Month()) + 2) / 3, "month": int(m.Month()), "week": week, "day": m.Day(),
		"dayofweek": int(m.Weekday()), "dayofyear": m.YearDay(), "hour": m.Hour(), "minute": m.Minute(), "second": m.Second(),
	}[name]
}

func trunc(args []val) (val, error) {
	v := args[1]
	t := v.typ
	if t.ID != batch.Timestamp {
		t = batch.TimestampOf(batch.Micro, false)
	}
	if v.null {
		return null(t), nil
	}
	m := moment(v)
	day := time.Date(m.Year(), m.Month(), m.Day(), 0, 0, 0, 0, time.UTC)
	switch args[0].s {
	case "year":
		m = time.Date(m.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		m = time.Date(m.Year(), (m.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case "month":
		m = time.Date(m.Year(), m.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "week":
		m = day.AddDate(0, 0, -(int(m.Weekday())+6)%7)
	case "day":
		m = day
	case "hour":
		m = day.Add(time.Duration(m.Hour()) * time.Hour)
	case "minute":
		m = day.Add(time.Duration(m.Hour()*60+m.Minute()) * time.Minute)
	default:
		m = m.Add(-time.Duration(m.Nanosecond()))
	}
	return fromMoment(m, t)
}
