package refexpr

import (
	"crypto/md5"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode"

	"pqjoin/batch"
)

var textCalls = map[string]function{
	"concat": concat, "concat_ws": concat, "repeat": textOf, "lpad": textOf, "rpad": textOf, "split_part": textOf, "translate": textOf, "initcap": textOf,
	"chr": textOf, "hex": textOf, "md5": textOf, "regexp_replace": textOf, "regexp_extract": textOf,
	"strpos": countOf, "ascii": countOf, "unicode": countOf, "levenshtein": countOf, "strlen": countOf, "bit_length": countOf,
	"regexp_matches": matches, "regexp_full_match": matches,
}

func concat(name string, args []val) (val, error) {
	t := batch.Of(batch.String)
	sep := ""
	if name == "concat_ws" {
		if args[0].null {
			return null(t), nil
		}
		sep, args = args[0].s, args[1:]
	}
	var parts []string
	for _, a := range args {
		s, err := cast(a, t)
		if err != nil {
			return null(t), err
		}
		if !s.null {
			parts = append(parts, s.s)
		}
	}
	return val{typ: t, s: strings.Join(parts, sep)}, nil
}

func textOf(name string, args []val) (val, error) {
	t := batch.Of(batch.String)
	if anyNull(args) {
		return null(t), nil
	}
	s, err := makeText(name, args)
	if err != nil {
		return null(t), err
	}
	return val{typ: t, s: s}, nil
}

func makeText(name string, args []val) (string, error) {
	s := args[0].s
	switch name {
	case "repeat":
		return strings.Repeat(s, int(max(0, args[1].num.Num().Int64()))), nil
	case "lpad", "rpad":
		return padded(name, []rune(s), int(args[1].num.Num().Int64()), []rune(args[2].s))
	case "split_part":
		return part1(strings.Split(s, args[1].s), int(args[2].num.Num().Int64())), nil
	case "translate":
		return translated(s, []rune(args[1].s), []rune(args[2].s)), nil
	case "initcap":
		words := regexp.MustCompile(`[\p{L}\p{N}]+`)
		return words.ReplaceAllStringFunc(s, func(w string) string {
			r := []rune(w)
			return string(unicode.ToUpper(r[0])) + strings.ToLower(string(r[1:]))
		}), nil
	case "chr":
		n := args[0].num.Num()
		if !n.IsInt64() || n.Int64() < 0 || n.Int64() > unicode.MaxRune || n.Int64() >= 0xd800 && n.Int64() <= 0xdfff {
			return "", fail("chr of %s", n)
		}
		return string(rune(n.Int64())), nil
	case "md5":
		return fmt.Sprintf("%x", md5.Sum([]byte(s))), nil
	case "hex":
		if args[0].num != nil {
			n := new(big.Int).Set(args[0].num.Num())
			if n.Sign() < 0 {
				n.Add(n, new(big.Int).Lsh(big.NewInt(1), 64))
			}
			return strings.ToUpper(n.Text(16)), nil
		}
		return fmt.Sprintf("%X", s), nil
	}
	return regexpText(name, args)
}

func padded(name string, s []rune, n int, pad []rune) (string, error) {
	if n <= len(s) {
		return string(s[:max(n, 0)]), nil
	}
	if len(pad) == 0 {
		return "", fail("nothing to pad with")
	}
	var fill []rune
	for len(fill) < n-len(s) {
		fill = append(fill, pad[len(fill)%len(pad)])
	}
	if name == "lpad" {
		return string(fill) + string(s), nil
	}
	return string(s) + string(fill), nil
}

func part1(parts []string, k int) string {
	if k < 0 {
		k += len(parts) + 1
	}
	if k < 1 || k > len(parts) {
		return ""
	}
	return parts[k-1]
}

func translated(s string, from, to []rune) string {
	var out []rune
	for _, r := range s {
		at := strings.IndexRune(string(from), r)
		if at < 0 {
			out = append(out, r)
			continue
		}
		if k := len([]rune(string(from)[:at])); k < len(to) {
			out = append(out, to[k])
		}
	}
	return string(out)
}

// compiled reads a pattern with the options at args[at].
func compiled(args []val, at int) (re *regexp.Regexp, all bool) {
	text := args[1].s
	if len(args) > at {
		if strings.Contains(args[at].s, "i") {
			text = "(?i:" + text + ")"
		}
		all = strings.Contains(args[at].s, "g")
	}
	return regexp.MustCompile(text), all
}

func matches(name string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Bool)), nil
	}
	re, _ := compiled(args, 2)
	if name == "regexp_full_match" {
		re = regexp.MustCompile(`^(?:` + re.String() + `)$`)
	}
	return boolean(re.MatchString(args[0].s)), nil
}

func regexpText(name string, args []val) (string, error) {
	s := args[0].s
	if name == "regexp_extract" {
		re, _ := compiled(args, 3)
		group := 0
		if len(args) > 2 {
			group = int(args[2].num.Num().Int64())
		}
		if m := re.FindStringSubmatch(s); m != nil {
			return m[group], nil
		}
		return "", nil
	}
	re, all := compiled(args, 3)
	to := regexp.MustCompile(`\\(\d)`).ReplaceAllString(strings.ReplaceAll(args[2].s, "$", "$$"), "$${$1}")
	if all {
		return re.ReplaceAllString(s, to), nil
	}
	at := re.FindStringSubmatchIndex(s)
	if at == nil {
		return s, nil
	}
	return s[:at[0]] + string(re.ExpandString(nil, to, s, at)) + s[at[1]:], nil
}

func countOf(name string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Int64)), nil
	}
	s := args[0].s
	switch name {
	case "strlen":
		return whole64(int64(len(s))), nil
	case "bit_length":
		return whole64(int64(8 * len(s))), nil
	case "strpos":
		before, _, found := strings.Cut(s, args[1].s)
		if !found {
			return whole64(0), nil
		}
		return whole64(int64(len([]rune(before)) + 1)), nil
	case "levenshtein":
		return whole64(int64(changes(s, args[1].s))), nil
	}
	for _, r := range s {
		return whole64(int64(r)), nil
	}
	if name == "unicode" {
		return whole64(-1), nil
	}
	return whole64(0), nil
}

// changes is the definition of the edit distance, with a table of all prefixes.
func changes(a, b string) int {
	d := map[[2]int]int{}
	for i := 0; i <= len(a); i++ {
		for j := 0; j <= len(b); j++ {
			switch {
			case i == 0 || j == 0:
				d[[2]int{i, j}] = i + j
			case a[i-1] == b[j-1]:
				d[[2]int{i, j}] = d[[2]int{i - 1, j - 1}]
			default:
				d[[2]int{i, j}] = 1 + min(d[[2]int{i - 1, j}], d[[2]int{i, j - 1}], d[[2]int{i - 1, j - 1}])
			}
		}
	}
	return d[[2]int{len(a), len(b)}]
}
