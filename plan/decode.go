package plan

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"pqjoin/expr"
)

// decoder turns nodes into the fields of a Job. Its methods panic with an *Error, which parseJob returns.
type decoder struct {
	job  *Job
	vars *variables
}

// fail stops with an error at pos.
func (j *Job) fail(pos Pos, hint, format string, args ...any) {
	panic(j.errorAt(pos, hint, format, args...))
}

func (j *Job) errorAt(pos Pos, hint, format string, args ...any) *Error {
	e := &Error{File: j.File, Line: pos.Line, Column: pos.Column, Hint: j.Redact(hint), Msg: j.Redact(fmt.Sprintf(format, args...))}
	if pos.Line > 0 && pos.Line <= len(j.lines) {
		e.Text = j.lines[pos.Line-1]
	}
	return e
}

// unsupported stops with an error about something that is not built yet.
func (j *Job) unsupported(pos Pos, hint, what string) {
	e := j.errorAt(pos, hint, "%s is not supported yet", what)
	e.Err = ErrUnsupported
	panic(e)
}

// describe names what a node is, for messages.
func describe(n *yamlNode) string {
	switch n.kind {
	case yamlNull:
		return "nothing"
	case yamlSeq:
		return "a list"
	case yamlMap:
		return "a mapping"
	}
	return fmt.Sprintf("%q", firstWord(n.value))
}

// object is a mapping whose keys are known; get marks a key as read.
type object struct {
	d      *decoder
	what   string
	pos    Pos
	fields map[string]*yamlNode
	keys   map[string]Pos
}

// object reads a mapping that may have the keys named, each once.
func (d *decoder) object(n *yamlNode, what string, keys ...string) *object {
	if n.kind != yamlMap {
		d.job.fail(n.pos, "it has the keys "+strings.Join(keys, ", "), "%s must be a mapping, not %s", what, describe(n))
	}
	o := &object{d, what, n.pos, map[string]*yamlNode{}, map[string]Pos{}}
	for _, e := range n.entries {
		k := e.key.value
		if _, twice := o.fields[k]; twice {
			d.job.fail(e.key.pos, "", "%q is given twice in %s", k, what)
		}
		known := false
		for _, name := range keys {
			known = known || name == k
		}
		if !known {
			d.job.fail(e.key.pos, hintKey(k, keys), "unknown key %q in %s", k, what)
		}
		o.fields[k], o.keys[k] = e.value, e.key.pos
	}
	return o
}

// get returns the value of a key, or nil.
func (o *object) get(key string) *yamlNode { return o.fields[key] }

// need returns the value of a key that must be there.
func (o *object) need(key, hint string) *yamlNode {
	if n := o.fields[key]; n != nil {
		return n
	}
	o.d.job.fail(o.pos, hint, "%s has no %q", o.what, key)
	return nil
}

// text reads a string; numbers written without quotes count as text, true and null do not.
func (d *decoder) text(n *yamlNode, what string) Text {
	if n.kind != yamlScalar {
		d.job.fail(n.pos, "", "%s must be text, not %s", what, describe(n))
	}
	if n.style == 0 && isBool(n.value) {
		d.job.fail(n.pos, "put it in quotes if it is meant as text", "%s must be text, not %s", what, n.value)
	}
	value, show, _ := d.expand(n)
	if value == "" {
		d.job.fail(n.pos, "", "%s is empty", what)
	}
	return Text{value, show, n.pos}
}

func isBool(s string) bool {
	switch s {
	case "true", "false", "True", "False", "TRUE", "FALSE":
		return true
	}
	return false
}

// texts reads a text or a list of texts without repeats.
func (d *decoder) texts(n *yamlNode, what string) []Text {
	if n.kind != yamlSeq {
		return []Text{d.text(n, what)}
	}
	return d.list(n, what)
}

// list reads a list of texts without repeats.
func (d *decoder) list(n *yamlNode, what string) []Text {
	if n.kind != yamlSeq {
		d.job.fail(n.pos, "write [a, b]", "%s must be a list, not %s", what, describe(n))
	}
	if len(n.items) == 0 {
		d.job.fail(n.pos, "", "%s is an empty list", what)
	}
	seen := map[string]bool{}
	var out []Text
	for _, item := range n.items {
		t := d.text(item, what)
		if seen[t.Value] {
			d.job.fail(item.pos, "", "%q is given twice in %s", t.Show, what)
		}
		seen[t.Value] = true
		out = append(out, t)
	}
	return out
}

// boolean reads true or false.
func (d *decoder) boolean(n *yamlNode, what string) bool {
	if n == nil {
		return false
	}
	v := ""
	if n.kind == yamlScalar && (n.style == 0 || len(d.vars.names(n.value)) > 0) {
		v, _, _ = d.expand(n)
	}
	if v != "true" && v != "false" {
		d.job.fail(n.pos, "", "%s must be true or false, not %s", what, describe(n))
	}
	return v == "true"
}

// whole reads an integer of at least least.
func (d *decoder) whole(n *yamlNode, what string, least int64) int64 {
	if n.kind == yamlScalar && (n.style == 0 || len(d.vars.names(n.value)) > 0) {
		v, _, _ := d.expand(n)
		i, err := strconv.ParseInt(v, 10, 64)
		if err == nil && !strings.HasPrefix(v, "+") {
			if i < least {
				d.job.fail(n.pos, "", "%s must be at least %d, not %d", what, least, i)
			}
			return i
		}
		if errors.Is(err, strconv.ErrRange) {
			d.job.fail(n.pos, "", "%s must be at most %d", what, int64(math.MaxInt64))
		}
	}
	d.job.fail(n.pos, "", "%s must be a whole number, not %s", what, describe(n))
	return 0
}

// choice reads one of the words; those of later are refused by name.
func (d *decoder) choice(n *yamlNode, what string, words, later []string) string {
	t := d.text(n, what)
	for _, w := range words {
		if t.Value == w {
			return w
		}
	}
	for _, w := range later {
		if t.Value == w {
			d.job.unsupported(n.pos, "use "+strings.Join(words, " or "), fmt.Sprintf("%s: %s", what, w))
		}
	}
	d.job.fail(n.pos, hintName(t.Value, words), "%s cannot be %q", what, t.Show)
	return ""
}

// expression reads and parses an expression.
func (d *decoder) expression(n *yamlNode, what string) *exprText {
	switch n.kind {
	case yamlNull:
		d.job.fail(n.pos, "write one, or leave the line out; the value null is written in an expression with quotes: \"null\"", "%s needs an expression", what)
	case yamlSeq, yamlMap:
		d.job.fail(n.pos, "put the expression in quotes if it begins with a bracket or a brace", "%s must be an expression, not %s", what, describe(n))
	}
	if n.comment.Line > 0 {
		d.job.fail(n.comment, "put the expression in quotes if the # is part of it, else move the comment to a line of its own", "the expression is cut by a comment")
	}
	value, show, segs := d.expand(n)
	if strings.TrimSpace(value) == "" {
		d.job.fail(n.pos, "", "%s is an empty expression", what)
	}
	at := func(offset int) Pos { return placeOf(value, segs, offset) }
	return d.parseExpr(&exprText{Text: Text{value, show, n.pos}, at: at})
}

// parseExpr parses the text of e, whose places are known.
func (d *decoder) parseExpr(e *exprText) *exprText {
	tree, err := expr.Parse(e.Value)
	if err != nil {
		panic(d.job.exprError(e, err))
	}
	tree.Locate(func(offset int) expr.Place { return expr.Place(e.at(offset)) })
	e.tree = tree
	d.job.exprs = append(d.job.exprs, e)
	return e
}

// exprError places an error of package expr in the file.
func (j *Job) exprError(e *exprText, err error) *Error {
	var at *expr.Error
	if errors.As(err, &at) {
		return j.errorAt(e.at(at.Offset), at.Hint, "%s", at.Msg)
	}
	return j.errorAt(e.Pos, "", "%s", err)
}

// part returns value[from:to] of e as an expression of its own.
func (e *exprText) part(from, to int) *exprText {
	value := e.Value[from:to]
	cut := len(value) - len(strings.TrimLeft(value, " \t\n"))
	value = strings.TrimSpace(value)
	from += cut
	at := func(offset int) Pos { return e.at(from + offset) }
	return &exprText{Text: Text{value, value, at(0)}, at: at}
}
