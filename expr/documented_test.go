package expr

import (
	"slices"
	"strings"
)

// Functions returns the functions and operators of the language, in the order of the reference page: by group, then by name.
func Functions() []FunctionDoc {
	docs := operators()
	for _, f := range functionTable {
		if f.Example != "" { // an operator is documented among the operators
			d := f.FunctionDoc
			d.Signatures, d.Aliases = slices.Clone(d.Signatures), slices.Clone(d.Aliases)
			docs = append(docs, d)
		}
	}
	order := map[string]int{}
	for _, d := range docs {
		if _, ok := order[d.Group]; !ok {
			order[d.Group] = len(order)
		}
	}
	slices.SortStableFunc(docs, func(a, b FunctionDoc) int {
		if c := order[a.Group] - order[b.Group]; c != 0 || a.Group == groupOperators {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return docs
}

const groupOperators = "Operators"

// operators returns the documentation of what is written without a function's name, weakest first.
func operators() []FunctionDoc {
	var docs []FunctionDoc
	add := func(sig, doc, example string) {
		docs = append(docs, FunctionDoc{Group: groupOperators, Name: sig, Signatures: []string{sig}, Doc: doc, Example: example})
	}
	add("x or y", "true where one is; null where neither is and one is null", "null or true")
	add("x and y", "false where one is; null where neither is and one is null", "null and true")
	add("not x", "the contrary; null of null", "not 1 = 2")
	add("x is null, x is not null", "whether there is no value", "null is null")
	add("x is true, is false, is unknown (and is not ...)", "tests of a condition that are never null", "null is not true")
	add("x is distinct from y, is not distinct from", "<> and = that take null for a value like any other", "1 is distinct from null")
	add("x = y, <>, <, <=, >, >=", "comparisons; == and != are = and <>. nan equals nan and is above every number", "1 < 2")
	add("x between a and b, x not between a and b", "x >= a and x <= b", "2 between 1 and 3")
	add("x in (a, b, ...), x not in (...)", "whether x equals one of them; null where it does not and one is null", "2 in (1, 2)")
	add("s like pattern, s ilike pattern (escape c)", "% is any text, _ any character; ilike ignores case; after the escape character they stand for themselves", "'50%' like '%$%' escape '$'")
	add("a || b", "both as texts, one after the other", "'a' || 1")
	add("x & y, x | y", "bits that are set in both, in one of them", "6 & 3")
	add("x << n, x >> n", "bits moved up (an overflow is an error) and down", "1 << 4")
	add("~x", "all bits flipped", "~5")
	add("x + y, x - y", "sum and difference; an overflow of whole numbers and decimals is an error", "1.5 + 2")
	add("date + n, date - n, date - date", "days later, earlier, and between", "date '2024-02-28' + 2")
	add("date + time", "the timestamp of the two", "date '2024-02-28' + time '10:11:12'")
	add("t + interval '1 day', t - interval '2 hours'", "a date, time or timestamp moved; intervals are also written interval 3 day, interval (n) day. A date becomes a timestamp", "date '2024-01-31' + interval '1 month'")
	add("x * y", "product", "1.5 * 2")
	add("x / y", "quotient as float64; inf, -inf or nan where y is 0", "7 / 2")
	add("x // y", "quotient of whole numbers, the rest dropped; division by zero is an error", "-7 // 2")
	add("x % y", "the rest, with the sign of x; division of whole numbers and decimals by zero is an error, of floats nan", "-7 % 3")
	add("x ** y, x ^ y", "power, float64", "2 ** 10")
	add("t at time zone 'name'", "timezone('name', t)", "timestamp '2024-07-01 12:00:00' at time zone 'Europe/Berlin'")
	add("-x", "the negative", "-(1 + 2)")
	add("x::type", "cast(x as type)", "'12'::int64")
	add("cast(x as type), try_cast(x as type)", "x as another type; what does not fit is an error, of try_cast null", "try_cast('x' as int64)")
	add("case when c then x ... else y end", "x of the first condition that is true; also case v when a then x ...", "case 3 when 1 then 'a' else 'b' end")
	add("extract(part from t)", "date_part('part', t)", "extract(year from date '2024-05-06')")
	add("position(part in s)", "strpos(s, part)", "position('c' in 'abc')")
	add("substring(s from start for length)", "substr(s, start, length)", "substring('hello' from 2 for 3)")
	add("trim(both characters from s), leading, trailing", "trim(s, characters), ltrim, rtrim", "trim(leading '0' from '0070')")
	add("date '...', time '...', timestamp '...', timestamptz '...'", "literals of dates and times", "timestamp '2024-01-31 23:59:59.5'")
	return docs
}
