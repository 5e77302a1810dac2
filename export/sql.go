package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The words of SQL: identifiers, texts, numbers and their layout.

// name quotes an identifier.
func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// text quotes a string of the job; values of the environment in it are not shown.
func (w *writer) text(s string) string { return text(w.plan.Job.Redact(s)) }

var quoted = strings.NewReplacer("'", "''", "\x00", "' || chr(0) || '", "\n", "' || chr(10) || '", "\r", "' || chr(13) || '")

// text quotes a string, on one line.
func text(s string) string {
	q := "'" + quoted.Replace(s) + "'"
	if strings.ContainsAny(s, "\x00\n\r") {
		return "(" + q + ")"
	}
	return q
}

// double writes a number so that DuckDB reads a DOUBLE; digits alone are a decimal there.
func double(v float64) string {
	switch {
	case math.IsNaN(v):
		return "CAST('nan' AS DOUBLE)"
	case math.IsInf(v, 0):
		return "CAST('" + strings.ToLower(strings.TrimPrefix(fmt.Sprint(v), "+")) + "' AS DOUBLE)"
	}
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.Contains(s, "e") {
		s += "e0"
	}
	return s
}

// subselect puts a select in parentheses, its lines further in.
func subselect(s string) string { return "(" + strings.ReplaceAll(s, "\n", "\n      ") + ")" }

// commas joins columns, several lines of them where one gets long.
func commas(cols []string) string {
	s := strings.Join(cols, ", ")
	if len(s) <= 120 {
		return s
	}
	return "\n    " + strings.Join(cols, ",\n    ")
}
