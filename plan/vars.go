package plan

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of what ${...} may grow to, against a file that multiplies itself.
const (
	maxText  = 64 << 10 // bytes of one string
	maxTexts = 4 << 20  // bytes of all strings
)

// variables replaces ${name} and ${env:NAME}.
type variables struct {
	job    *Job
	opts   Options
	values map[string]Text // from vars:, those above the current one
	used   map[string]bool // names that the job reads or defines
	total  int
}

// names returns the names inside ${...} of s.
func (v *variables) names(s string) []string {
	var out []string
	for {
		_, after, ok := strings.Cut(s, "${")
		if !ok {
			return out
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok {
			return out
		}
		out, s = append(out, name), rest
	}
}

// expand returns a scalar's value with ${...} replaced, how it is shown, and the places of the value's bytes.
func (d *decoder) expand(n *yamlNode) (value, show string, segs []segment) {
	if !strings.Contains(n.value, "${") {
		return n.value, n.value, n.segs
	}
	var val, shown strings.Builder
	s, from, at := n.value, 0, cursor{value: n.value, segs: n.segs}
	for {
		i := strings.Index(s[from:], "${")
		to := len(s)
		if i >= 0 {
			to = from + i
		}
		segs = at.copy(segs, from, to, val.Len())
		val.WriteString(s[from:to])
		shown.WriteString(s[from:to])
		if i < 0 {
			d.job.noteValue(val.String())
			return val.String(), shown.String(), segs
		}
		pos := at.place(to)
		end := strings.IndexByte(s[to:], '}')
		if end < 0 {
			d.job.fail(pos, "write ${name}", "${ without a closing }")
		}
		t := d.vars.lookup(s[to+2:to+end], pos)
		segs = append(segs, segment{val.Len(), pos, true})
		val.WriteString(t.Value)
		shown.WriteString(t.Show)
		from = to + end + 1
		d.vars.charge(len(t.Value), val.Len(), pos)
	}
}

// cursor finds the places of ascending offsets of a scalar, in time linear in the scalar.
type cursor struct {
	value  string
	segs   []segment
	offset int // of the last place
	pos    Pos
	next   int // the first segment behind offset
}

// place is placeOf for an offset that is not below the last one.
func (c *cursor) place(offset int) Pos {
	for c.next < len(c.segs) && c.segs[c.next].offset <= offset {
		c.offset, c.pos = c.segs[c.next].offset, c.segs[c.next].pos
		c.next++
	}
	c.pos.Column += utf8.RuneCountInString(c.value[c.offset:offset])
	c.offset = offset
	return c.pos
}

// copy appends the places of value[from:to], which begins at offset at of a new text.
func (c *cursor) copy(segs []segment, from, to, at int) []segment {
	segs = append(segs, segment{at, c.place(from), false})
	for i := c.next; i < len(c.segs) && c.segs[i].offset < to; i++ {
		segs = append(segs, segment{at + c.segs[i].offset - from, c.segs[i].pos, false})
	}
	return segs
}

func (v *variables) charge(n, length int, pos Pos) {
	if v.total += n; length > maxText || v.total > maxTexts {
		v.job.fail(pos, "", "${...} makes the text larger than %d KiB", maxText>>10)
	}
}

// lookup returns the value of the name inside ${...}.
func (v *variables) lookup(name string, pos Pos) Text {
	if env, ok := strings.CutPrefix(name, "env:"); ok {
		value, found := "", false
		if v.opts.Env != nil {
			value, found = v.opts.Env(env)
		}
		if !found {
			v.job.fail(pos, "set it before the run", "the environment variable %q is not set", env)
		}
		show := "${env:" + env + "}"
		v.job.addSecret(value, show)
		return Text{value, show, pos}
	}
	v.used[name] = true
	if value, ok := v.opts.Set[name]; ok {
		return Text{value, value, pos}
	}
	if t, ok := v.values[name]; ok {
		return t
	}
	v.job.fail(pos, v.hint(name), "unknown variable ${%s}", name)
	return Text{}
}

func (v *variables) hint(name string) string {
	if c := nearest(name, v.known()); c != "" {
		return fmt.Sprintf("did you mean ${%s}?", c)
	}
	return "define it under vars: (above its use there) or give --set " + name + "=value"
}

func (v *variables) known() []string {
	var names []string
	for k := range v.values {
		names = append(names, k)
	}
	for k := range v.opts.Set {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// decodeVars reads vars: in order; a value may use those above it.
func (d *decoder) decodeVars(n *yamlNode) {
	if n == nil {
		return
	}
	for _, e := range d.named(n, "vars", "a variable") {
		name := e.name.Value
		d.vars.used[name] = true
		if strings.ContainsAny(name, "{}$:") {
			d.job.fail(e.name.Pos, "use letters, digits and _", "%q cannot be the name of a variable", name)
		}
		if e.value.kind != yamlScalar {
			d.job.fail(e.value.pos, "", "the variable %q must be text or a number, not %s", name, describe(e.value))
		}
		value, show, _ := d.expand(e.value)
		d.vars.values[name] = Text{value, show, e.value.pos}
	}
}

// checkSet refuses --set of a name that the job does not know.
func (d *decoder) checkSet() {
	var names, used []string
	for k := range d.vars.opts.Set {
		names = append(names, k)
	}
	for k := range d.vars.used {
		used = append(used, k)
	}
	slices.Sort(names)
	slices.Sort(used)
	for _, name := range names {
		if !d.vars.used[name] {
			d.job.fail(Pos{}, hintName(name, used), "--set %s: the job uses no ${%s}", name, name)
		}
	}
}

// namedEntry is an entry of a mapping whose keys are the user's names.
type namedEntry struct {
	name  Text
	value *yamlNode
}

// named returns the entries of a mapping with names of the user's choice, each once.
func (d *decoder) named(n *yamlNode, what, one string) []namedEntry {
	if n.kind != yamlMap {
		d.job.fail(n.pos, "write name: value", "%s must be a mapping, not %s", what, describe(n))
	}
	seen := map[string]bool{}
	out := make([]namedEntry, 0, len(n.entries))
	for _, e := range n.entries {
		value, show, _ := d.expand(e.key)
		if strings.TrimSpace(value) == "" {
			d.job.fail(e.key.pos, "", "the name of %s is empty", one)
		}
		if seen[value] {
			d.job.fail(e.key.pos, "", "%q is given twice in %s", show, what)
		}
		seen[value] = true
		out = append(out, namedEntry{Text{value, show, e.key.pos}, e.value})
	}
	return out
}
