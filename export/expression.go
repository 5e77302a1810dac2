package export

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// expression writes one expression in DuckDB's SQL. Its semantics are ours but for what is rewritten here: types that come
// out wider are cast back, and names are DuckDB's.
type expression struct {
	w      *writer
	schema *batch.Schema
	b      strings.Builder
}

// maxText bounds the text of an expression that shares parts many times over.
const maxText = 1 << 20

func (e *expression) put(parts ...string) {
	for _, s := range parts {
		e.b.WriteString(s)
	}
	if e.b.Len() > maxText {
		panic(e.w.plan.Job.ErrorAt(e.w.at.Pos, "compute parts of it as columns of a table with persist", "an expression that is longer than 1 MiB as SQL cannot be exported to DuckDB"))
	}
}

// binary are the operators between two operands.
var binary = map[string]string{
	"or": "OR", "and": "AND", "=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "||": "||", "&": "&", "|": "|", "<<": "<<", ">>": ">>",
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "//": "//", "divide": "//", "is distinct from": "IS DISTINCT FROM", "is not distinct from": "IS NOT DISTINCT FROM",
}

func (e *expression) write(p expr.Part) {
	op, args := p.Op(), p.Args()
	switch op {
	case "literal":
		e.literal(p)
	case "column":
		e.put(name(e.schema.Fields[p.Column()].Name))
	case "neg", "~":
		e.put(map[string]string{"neg": "-", "~": "~"}[op])
		e.operand(args[0], "")
	case "not":
		e.put("NOT ")
		e.operand(args[0], "")
	case "is null", "in", "between", "like":
		e.test(p)
	case "case":
		e.caseWhen(args)
	case "cast", "try_cast":
		e.castTo(strings.ToUpper(op), args[0], p.Type())
	default:
		if binary[op] != "" && len(args) == 2 {
			e.infix(p, args)
		} else {
			e.call(p, args)
		}
	}
}

// operand writes an operand in parentheses, where it is an operator other than the one that may stand there bare.
func (e *expression) operand(p expr.Part, bare string) {
	op := p.Op()
	_, infix := binary[op]
	infix = infix || slices.Contains([]string{"neg", "~", "not", "is null", "in", "between", "like", "date_add"}, op) ||
		op == "literal" && strings.HasPrefix(p.Text(), "-")
	if infix && op != bare {
		e.put("(")
		defer e.put(")")
	}
	e.write(p)
}

// infix writes an operator between its operands, whose types it keeps.
func (e *expression) infix(p expr.Part, args []expr.Part) {
	op, t := p.Op(), p.Type()
	if t.ID == batch.Date && (op == "+" || op == "-") { // days
		e.operand(args[0], "")
		e.put(" ", op, " CAST(")
		e.write(args[1])
		e.put(" AS INTEGER)")
		return
	}
	bare := ""
	if slices.Contains([]string{"and", "or", "||", "+", "*"}, op) {
		bare = op
	}
	e.operand(args[0], bare)
	e.put(" ", binary[op], " ")
	e.operand(args[1], "")
}

func (e *expression) test(p expr.Part) {
	args, not := p.Args(), ""
	if p.Negated() {
		not = "NOT "
	}
	e.operand(args[0], "")
	switch p.Op() {
	case "is null":
		e.put(" IS ", not, "NULL")
	case "in":
		e.put(" ", not, "IN ")
		e.list(args[1:])
	case "between":
		e.put(" ", not, "BETWEEN ")
		e.operand(args[1], "")
		e.put(" AND ")
		e.operand(args[2], "")
	case "like":
		e.put(" ", not, "LIKE ")
		e.operand(args[1], "")
		if len(args) == 3 {
			e.put(" ESCAPE ")
			e.write(args[2])
		}
	}
}

func (e *expression) list(args []expr.Part) {
	e.put("(")
	for i, a := range args {
		if i > 0 {
			e.put(", ")
		}
		e.write(a)
	}
	e.put(")")
}

func (e *expression) caseWhen(args []expr.Part) {
	e.put("CASE")
	if !args[0].None() {
		e.put(" ")
		e.operand(args[0], "")
	}
	last := len(args) - 1
	for i := 1; i < last; i += 2 {
		e.put(" WHEN ")
		e.write(args[i])
		e.put(" THEN ")
		e.write(args[i+1])
	}
	if !args[last].None() {
		e.put(" ELSE ")
		e.write(args[last])
	}
	e.put(" END")
}

// typeName refuses types that have no name in DuckDB's SQL.
func (e *expression) typeName(t batch.Type) string {
	s := typeName(t)
	if s == "" {
		panic(e.w.plan.Job.ErrorAt(e.w.at.Pos, "leave the column out", fmt.Sprintf("a column of type %s that is filled with nulls cannot be exported to DuckDB", t)))
	}
	return s
}

// literal writes a value so that DuckDB reads it as one of its type; whole numbers and decimals adapt to what they meet.
func (e *expression) literal(p expr.Part) {
	t, s := p.Type(), p.Text()
	switch {
	case t.ID == batch.Null:
		e.put("NULL")
	case p.Null():
		e.put("CAST(NULL AS ", e.typeName(t), ")")
	case t.ID == batch.String:
		e.put(e.w.text(s))
	case t.ID == batch.Bool, t.ID == batch.Int32, t.ID == batch.Int64, t.ID == batch.Decimal && fits(s, t):
		e.put(s)
	case t.ID == batch.Float64:
		e.put(double(p.Float()))
	case t.ID == batch.Binary || t.ID == batch.Fixed:
		e.put("unhex('", s, "')")
	case t.ID == batch.Date:
		e.put("DATE '", s, "'")
	case t.IsInteger() || t.ID == batch.Decimal:
		e.put("CAST(", s, " AS ", typeName(t), ")")
	default:
		e.put("CAST('", s, "' AS ", typeName(t), ")")
	}
}

// fits says whether DuckDB gives the digits the type that they have here.
func fits(s string, t batch.Type) bool {
	digits := strings.TrimLeft(strings.TrimPrefix(s, "-"), "0")
	return t.Scale > 0 && len(strings.ReplaceAll(digits, ".", "")) == int(t.Prec)
}

// called are functions that DuckDB calls otherwise.
var called = map[string]string{"is_nan": "isnan", "is_inf": "isinf", "is_finite": "isfinite"}

// lost are functions that DuckDB has no counterpart for, or one with another result.
var lost = []string{"initcap", "hash"}

// recast are functions whose results DuckDB gives another type.
var recast = []string{"bit_count", "ascii", "unicode", "factorial", "round", "trunc", "floor", "ceil", "fdiv", "date_trunc", "strptime", "try_strptime", "timezone", "sign"}

// narrow are the arguments that DuckDB takes as an INTEGER only, by their position.
var narrow = map[string]int{"lpad": 1, "rpad": 1, "chr": 0, "factorial": 0}

func (e *expression) call(p expr.Part, args []expr.Part) {
	op := p.Op()
	switch {
	case slices.Contains(lost, op):
		e.refuse(op)
	case op == "date_add":
		e.add(p, args)
		return
	case op == "time_bucket":
		e.bucket(p, args)
		return
	}
	if slices.Contains(recast, op) && !(op == "round" || op == "trunc" || op == "floor" || op == "ceil") || p.Type().ID == batch.Decimal && slices.Contains(recast, op) {
		if t := p.Type(); !(t.ID == batch.Timestamp && t.Unit == batch.Micro) {
			e.put("CAST(")
			defer e.put(" AS ", typeName(t), ")")
		}
	}
	if to := called[op]; to != "" {
		op = to
	}
	e.put(op, "(")
	for i, a := range args {
		if i > 0 {
			e.put(", ")
		}
		if at, ok := narrow[op]; ok && at == i {
			e.castTo("CAST", a, batch.Of(batch.Int32))
		} else {
			e.write(a)
		}
	}
	e.put(")")
}

func (e *expression) refuse(function string) {
	at := e.w.plan.Job.CallAt(function, e.w.at.Pos)
	panic(e.w.plan.Job.ErrorAt(at, "", fmt.Sprintf("the function %s cannot be exported to DuckDB", function)))
}

// add writes t + interval. DuckDB adds in microseconds.
func (e *expression) add(p expr.Part, args []expr.Part) {
	t := p.Type()
	unit := args[0].Text()
	if t.Unit == batch.Nano {
		e.refuse("date_add")
	}
	plain := t.ID == batch.Time || t.Unit == batch.Micro
	if !plain {
		e.put("CAST(")
	}
	e.operand(args[2], "date_add")
	e.put(" + INTERVAL (")
	e.write(args[1])
	e.put(") ", strings.ToUpper(unit))
	if !plain {
		e.put(" AS ", typeName(t), ")")
	}
}

func (e *expression) bucket(p expr.Part, args []expr.Part) {
	t := p.Type()
	if t.Unit == batch.Nano {
		e.refuse("time_bucket")
	}
	if t.Unit != batch.Micro {
		e.put("CAST(")
		defer e.put(" AS ", typeName(t), ")")
	}
	e.put("time_bucket(INTERVAL (")
	e.write(args[1])
	e.put(") ", strings.ToUpper(args[0].Text()), ", ")
	e.write(args[2])
	e.put(")")
}
