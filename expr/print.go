package expr

import (
	"regexp"
	"slices"
	"strings"

	"pqjoin/batch"
)

var bareName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

// QuoteName writes a column's name as an expression must.
func QuoteName(name string) string {
	if bareName.MatchString(name) && !slices.Contains(reserved, strings.ToLower(name)) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func joinNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteName(n)
	}
	return strings.Join(quoted, ", ")
}

// maxPrinted bounds the text of an expression that shares parts many times over.
const maxPrinted = 1 << 20

type printer struct{ b strings.Builder }

func printNode(n *node) string {
	var p printer
	p.write(n, 0)
	return p.b.String()
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

// write writes n, in parentheses where it binds no more strongly than the context.
func (p *printer) write(n *node, context int) {
	if p.b.Len() > maxPrinted {
		return
	}
	if n.implicit {
		p.write(n.args[0], context)
		return
	}
	own := strength(n)
	if own <= context {
		p.put("(")
		defer p.put(")")
	}
	switch n.op {
	case "literal":
		p.literal(n.written)
	case "column":
		p.put(QuoteName(n.name))
	case "neg":
		p.put("-")
		if n.args[0].literal() { // in parentheses: -(1) is not the literal -1
			p.write(n.args[0], bindCast+1)
		} else {
			p.write(n.args[0], bindNeg)
		}
	case "not":
		p.put("not ")
		p.write(n.args[0], bindNot-1)
	case "is null", "in", "between", "like":
		p.test(n)
	case "~":
		p.put("~")
		p.write(n.args[0], bindOther)
	case "case":
		p.caseWhen(n)
	case "cast", "try_cast":
		p.put(n.op, "(")
		p.write(n.args[0], 0)
		p.put(" as ", n.typ.String(), ")")
	default:
		p.operator(n)
	}
}

// test writes the tests that may be negated.
func (p *printer) test(n *node) {
	not := ""
	if n.negated {
		not = "not "
	}
	switch n.op {
	case "is null":
		p.write(n.args[0], bindIs-1)
		p.put(" is ", not, "null")
	case "in":
		p.write(n.args[0], bindRange)
		p.put(" ", not, "in ")
		p.list(n.args[1:])
	case "between":
		p.write(n.args[0], bindRange)
		p.put(" ", not, "between ")
		p.write(n.args[1], bindRange)
		p.put(" and ")
		p.write(n.args[2], bindRange)
	case "like":
		p.write(n.args[0], bindRange)
		p.put(" ", not, "like ")
		p.write(n.args[1], bindRange)
		if len(n.args) == 3 {
			p.put(" escape ")
			p.write(n.args[2], bindRange)
		}
	}
}

func strength(n *node) int {
	if op, ok := binaryOps[n.op]; ok {
		return op.strength
	}
	switch n.op {
	case "not":
		return bindNot
	case "is null":
		return bindIs
	case "in", "between", "like":
		return bindRange
	case "neg":
		return bindNeg
	case "~":
		return bindOther
	}
	return bindCast + 1
}

func (p *printer) operator(n *node) {
	op, binary := binaryOps[n.op]
	if !binary {
		p.put(n.op)
		p.list(n.args)
		return
	}
	left := op.strength - 1
	if op.strength == bindCompare {
		left = op.strength
	}
	p.write(n.args[0], left)
	p.put(" ", n.op, " ")
	p.write(n.args[1], op.strength)
}

func (p *printer) list(args []*node) {
	p.put("(")
	for i, a := range args {
		if i > 0 {
			p.put(", ")
		}
		p.write(a, 0)
	}
	p.put(")")
}

func (p *printer) caseWhen(n *node) {
	p.put("case")
	if n.args[0] != nil {
		p.put(" ")
		p.write(n.args[0], 0)
	}
	last := len(n.args) - 1
	for i := 1; i < last; i += 2 {
		p.put(" when ")
		p.write(n.args[i], 0)
		p.put(" then ")
		p.write(n.args[i+1], 0)
	}
	if n.args[last] != nil {
		p.put(" else ")
		p.write(n.args[last], 0)
	}
	p.put(" end")
}

// literal writes a literal as it was typed in the text.
func (p *printer) literal(n *Node) {
	text := string(appendValue(nil, n.Value, n.Type))
	switch {
	case n.Value.Null:
		p.put("null")
	case n.Type.ID == batch.String:
		p.put("'", strings.ReplaceAll(text, "'", "''"), "'")
	case n.Type.ID == batch.Date:
		p.put("date '", text, "'")
	case n.Type.ID == batch.Time:
		p.put("time '", text, "'")
	case n.Type.ID == batch.Timestamp && n.Type.UTC:
		p.put("timestamptz '", text, "'")
	case n.Type.ID == batch.Timestamp:
		p.put("timestamp '", text, "'")
	case n.Type.ID == batch.Float64 && !strings.Contains(text, "e"):
		p.put(text, "e0")
	default:
		p.put(text)
	}
}
