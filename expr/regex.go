package expr

import (
	"regexp"
	"strconv"
	"strings"

	"pqjoin/batch"
)

// A pattern of a regexp function, as constants give it: RE2's syntax, of which Go's and DuckDB's are the same.
type pattern struct {
	re    *regexp.Regexp
	group int  // regexp_extract
	all   bool // option g
}

// bindRegexp checks the constants and types the function; the pattern is compiled once, when the kernel is made.
func bindRegexp(n *node) (*node, *Error) {
	result := batch.Of(batch.String)
	texts := 2
	switch n.op {
	case "regexp_matches", "regexp_full_match":
		result = batch.Of(batch.Bool)
	case "regexp_replace":
		texts = 3
	}
	for i, a := range n.args[1:] {
		if !a.literal() {
			return nil, errorAt(a.off, `write it in quotes, for example '\d+'`, "the pattern of %s, and what follows it, must be constants", n.op)
		}
		if a.val.Null { // as is the result
			n.args[i+1] = conv(a, batch.Of(batch.String))
		}
	}
	if _, err := bindStrings(n, result, min(texts, len(n.args))); err != nil {
		return nil, err
	}
	_, err := patternOf(n)
	return n, err
}

// optionsAt is where the options of a function stand.
func optionsAt(op string) int {
	if op == "regexp_matches" || op == "regexp_full_match" {
		return 2
	}
	return 3
}

// patternOf compiles the pattern of a bound call; nil where a constant is null.
func patternOf(n *node) (*pattern, *Error) {
	for _, a := range n.args[1:] {
		if a.val.Null {
			return nil, nil
		}
	}
	p := &pattern{}
	flags, literal := "", false
	if at := optionsAt(n.op); at < len(n.args) {
		o := n.args[at]
		if o.typ.ID != batch.String {
			return nil, errorAt(o.off, "", "the options of %s are a text, not %s", n.op, o.typ)
		}
		for _, c := range string(o.val.Bytes) {
			switch {
			case c == 'i':
				flags += "i"
			case c == 's':
				flags += "s"
			case c == 'l':
				literal = true
			case c == 'g' && n.op == "regexp_replace":
				p.all = true
			case strings.ContainsRune("cmnp", c): // as it is without
			default:
				return nil, errorAt(o.off, "i ignores case, s lets . match line ends, l takes the pattern literally, g (regexp_replace) replaces all", "%s has no option %s", n.op, visible(string(c)))
			}
		}
	}
	if err := p.compile(n, flags, literal); err != nil {
		return nil, err
	}
	if n.op == "regexp_extract" && len(n.args) > 2 {
		g := n.args[2]
		if !g.typ.IsInteger() || g.val.Int < 0 || g.val.Int > int64(p.re.NumSubexp()) {
			return nil, errorAt(g.off, "", "the pattern has the groups 0 to %d, not %s", p.re.NumSubexp(), appendValue(nil, g.val, g.typ))
		}
		p.group = int(g.val.Int)
	}
	return p, nil
}

func (p *pattern) compile(n *node, flags string, literal bool) *Error {
	text := string(n.args[1].val.Bytes)
	if literal {
		text = regexp.QuoteMeta(text)
	}
	if n.op == "regexp_full_match" {
		text = `\A(?:` + text + `)\z`
	}
	if flags != "" {
		text = "(?" + flags + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return errorAt(n.args[1].off, "", "the pattern is no regular expression: %s", shorten(why))
	}
	p.re = re
	if n.op == "regexp_replace" {
		return p.checkReplacement(n.args[2])
	}
	return nil
}

// checkReplacement refuses groups that the pattern does not have, and a lone \.
func (p *pattern) checkReplacement(a *node) *Error {
	to := a.val.Bytes
	for i := 0; i < len(to); i++ {
		if to[i] != '\\' {
			continue
		}
		i++
		switch {
		case i < len(to) && to[i] == '\\':
		case !digitAt(string(to), i):
			return errorAt(a.off, `\1 is the first group, \\ a backslash`, `the replacement has a lone \`)
		case int(to[i]-'0') > p.re.NumSubexp():
			return errorAt(a.off, "", `the replacement has \%c, and the pattern %s groups`, to[i], strconv.Itoa(p.re.NumSubexp()))
		}
	}
	return nil
}

// expand appends the replacement for the match at m of s.
func expand(dst, to, s []byte, m []int) []byte {
	for i := 0; i < len(to); i++ {
		if to[i] != '\\' {
			dst = append(dst, to[i])
			continue
		}
		i++
		if to[i] == '\\' {
			dst = append(dst, '\\')
			continue
		}
		if g := 2 * int(to[i]-'0'); m[g] >= 0 {
			dst = append(dst, s[m[g]:m[g+1]]...)
		}
	}
	return dst
}

func kernelRegexpMatches(n *node) func(*frame) error {
	p, _ := patternOf(n)
	return func(f *frame) error {
		in := textsOf(f.args[0])
		for i := range f.n {
			if !f.null(i) {
				f.out.Fixed[i] = bit(p.re.Match(in.at(i)))
			}
		}
		return nil
	}
}

func kernelRegexpExtract(n *node) func(*frame) error {
	p, _ := patternOf(n)
	return func(f *frame) error {
		in := textsOf(f.args[0])
		return f.rows(func(i int) error {
			s := in.at(i)
			m := p.re.FindSubmatchIndex(s)
			if m == nil || m[2*p.group] < 0 {
				return nil
			}
			return f.w.put(s[m[2*p.group]:m[2*p.group+1]])
		})
	}
}

func kernelRegexpReplace(n *node) func(*frame) error {
	p, _ := patternOf(n)
	to := n.args[2].val.Bytes
	count := 1
	if p != nil && p.all {
		count = -1
	}
	return func(f *frame) error {
		in := textsOf(f.args[0])
		var scratch []byte
		return f.rows(func(i int) error {
			s := in.at(i)
			at := 0
			scratch = scratch[:0]
			for _, m := range p.re.FindAllSubmatchIndex(s, count) {
				scratch = append(scratch, s[at:m[0]]...)
				scratch = expand(scratch, to, s, m)
				at = m[1]
			}
			return f.w.put(append(scratch, s[at:]...))
		})
	}
}
