package expr_test

import (
	"errors"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

// A mistake in each of the later parts of the language: where it is, and what is said.
func TestErrorsOfFunctionsPointIntoTheText(t *testing.T) {
	for _, c := range []struct {
		text string
		at   int
		want string
	}{
		{"ts + interval '1 \n flurb'", 14, `cannot read '1 \n flurb' as an interval`},
		{"regexp_matches(s, 'a', '\n')", 23, `regexp_matches has no option \n`},
		{"ts + interval '1 flurb'", 14, "cannot read '1 flurb' as an interval (write it like interval '1 day'"},
		{"ts + interval 3 flurbs", 16, "expected a unit after the amount of the interval, found flurbs"},
		{"ts + interval 1.5 day", 14, "an interval needs a whole number of units, not decimal(2, 1)"},
		{"ts + interval 'x' day", 14, "an interval needs a whole number, not 'x'"},
		{"ts + interval '1 month 1 nanosecond'", 14, "cannot read"},
		{"interval '1 day'", 0, "an interval can only be added to"},
		{"2 * interval '1 day'", 4, "for n days write interval (n) day"},
		{"interval '1 day' - ts", 0, "an interval can only be added to"},
		{"coalesce(interval '1 day', null)", 9, "an interval can only be added to"},
		{"i32 + interval '1 day'", 0, "date_add needs a date or a timestamp, not int32"},
		{"'2024-01-01' + interval '1 day'", 0, "write timestamp '2024-01-31 23:59:59'"},
		{"ts - ts", 0, "date_diff('second', a, b) is the time between two"},
		{"date_add(ts, 3)", 13, "write date_add(t, interval '1 day')"},
		{"date_add('fortnight', 1, ts)", 9, "the part of date_add must be one of"},
		{"time_bucket(interval '1 day 1 hour', ts)", 12, "time_bucket needs an interval of one unit"},
		{"time_bucket('day', i32, ts)", 19, "must be a constant whole number"},
		{"extract(3 from ts)", 8, "expected a part of a date, found 3"},
		{"extract(year, ts)", 12, "write extract(year from t)"},
		{"extract(yaer from ts)", 8, "did you mean year?"},
		{"position('a', s)", 12, "write position(part in s)"},
		{"ts at time 'UTC'", 11, "expected zone in at time zone"},
		{"ts at time zone 'Europe/Berln'", 16, `did you mean "Europe/Berlin"?`},
		{"timezone(s, ts)", 9, "the time zone must be a constant text"},
		{"timezone('Local', ts)", 9, "no time zone is called Local"},
		{"make_date(2024, 1)", 0, "make_date takes 1 or 3 arguments"},
		{"make_timestamp(1, 2)", 0, "make_timestamp takes 1 or 6 arguments"},
		{"make_date(f64, 1, 1)", 10, "make_date needs a whole number here, not float64"},
		{"regexp_matches(s, s)", 18, "must be constants"},
		{"regexp_matches(s, '(a')", 18, "is no regular expression: missing closing )"},
		{"regexp_matches(s, 'a', 'z')", 23, "regexp_matches has no option z"},
		{"regexp_matches(s, 'a', 1)", 23, "the options of regexp_matches are a text"},
		{"regexp_extract(s, '(a)', 2)", 25, "the pattern has the groups 0 to 1, not 2"},
		{`regexp_replace(s, 'a', '\1')`, 23, `the replacement has \1, and the pattern 0 groups`},
		{`regexp_replace(s, 'a', 'x\')`, 23, `\1 is the first group`},
		{"s like 'a$' escape '$'", 7, "must not end with its escape character"},
		{"s like 'a' escape s", 18, "must be one constant character"},
		{"s is distinct 3", 14, "expected from after is distinct"},
		{"i32 is true", 0, "is true needs true or false, not int32"},
		{"f64 // 2", 0, "floor(x / y) divides any numbers"},
		{"u64 & i8", 4, "& does not take an uint64 and a signed number"},
		{"f64 & 1", 0, "& needs whole numbers, not float64"},
		{"1 << s", 5, "<< needs a whole number of bits"},
		{"gcd(f64, 1)", 4, "gcd needs a whole number up to int64"},
		{"split_part(s, ',', s)", 19, "split_part needs a whole number"},
		{"lpad(s, 3, 1)", 11, "lpad needs a string, not int32"},
		{"lpad(s, 3)", 0, "lpad takes 3 arguments, not 2 (it is used as lpad(s, n, pad) -> string)"},
		{"pi(1)", 0, "pi takes no arguments, not 1"},
		{"concat()", 0, "concat takes 1 or more arguments, not 0"},
		{"concat_ws(',')", 0, "concat_ws takes 2 or more arguments, not 1"},
		{"decode(s)", -1, ""},
		{"decode(i32)", 7, "decode needs a string, not int32"},
		{"a ~ b", 2, "unexpected ~"},
		{"i32 &", 5, "the expression ends too early"},
	} {
		tree, err := expr.Parse(c.text)
		if err == nil {
			_, err = expr.Bind(tree, testSchema)
		}
		if c.at < 0 {
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		var e *expr.Error
		if !errors.As(err, &e) || e.Offset != c.at || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: %#v, want at %d: %s", c.text, err, c.at, c.want)
		}
	}
}

func TestValuesWithoutAResultAreNamedWithWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"cast('x' || s as int64)":           "cannot read 'xab' as int64: it is not a number (try_cast in place of cast gives null there)",
		"cast(i32 * 100000 as int8)":        "int32 700000 does not fit int8 (try_cast in place of cast gives null there)",
		"strptime(s, '%Y')":                 "'ab' does not match the format '%Y' (try_strptime in place of strptime gives null there)",
		"i32 // (i32 - i32)":                "7 // 0: division by zero (nullif(y, 0) in place of y gives null there)",
		"i32 % (i32 - i32)":                 "7 % 0: division by zero",
		"d9 % (d9 - d9)":                    "1.25 % 0: division by zero",
		"u64 % (u64 - u64)":                 "9 % 0: division by zero",
		"i32 << 40":                         "7 << 40 does not fit int32",
		"factorial(i32 * 10)":               "factorial of 70 does not fit decimal(38, 0)",
		"lcm(9223372036854775807, i32 - 5)": "lcm of 9223372036854775807 and 2 does not fit int64",
		"gcd(-9223372036854775807 - cast(1 as int64), 0 * i32)": "gcd of -9223372036854775808 and 0 does not fit int64",
		"chr(i32 * -1)":                          "no character has the code point -7",
		"repeat(s, 1000000000)":                  "is more than 16 MiB",
		"lpad(s, 1000000000, 'x')":               "more than 16 MiB",
		"lpad(s, 9, substr(s, 9))":               "there is nothing to make 'ab' 9 characters long with",
		"hamming(s, 'abc')":                      "'ab' and 'abc' are not of the same length",
		"unhex(s || 'z')":                        "'abz' is not hexadecimal",
		"from_base64(s)":                         "'ab' is not base64",
		"decode(unhex('ff' || substr(s, 9)))":    "is not UTF-8",
		"url_decode('%ff' || s)":                 "means bytes that are not UTF-8",
		"s like s || '$' escape '$'":             "the pattern 'ab$' must not end with its escape character",
		"make_date(i32, 13, 1)":                  "there is no day 1 of month 13 of year 7",
		"make_time(i32, 60, 1)":                  "there is no time 7:60:1.000000",
		"make_timestamp(2024, 2, 30, i32, 0, 0)": "there is no timestamp 2024-2-30 7:0:0.000000",
		"to_timestamp(i32 * 1e18)":               "seconds do not fit timestamp(us, utc)",
		"epoch_ms(9223372036854775807 - i32)":    "milliseconds do not fit timestamp(us)",
		"epoch_ns(timestamp '2300-01-01 00:00:00' + interval (i32) day)": "epoch_ns of 2300-01-08 00:00:00 does not fit int64",
		"dt + interval (i32 * 100000000) day":                            "2024-02-29 00:00:00 plus 700000000 days does not fit timestamp(us)",
	} {
		if msg := failure(t, text); !strings.Contains(msg, want) {
			t.Errorf("%s: %q, want %q", text, msg, want)
		}
	}
}

// failure evaluates an expression of one row and returns the error's text.
func failure(t *testing.T, text string) string {
	b, err := bindText(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	row := map[string]string{"i8": "1", "i32": "7", "i64": "1", "u32": "1", "u64": "9", "f32": "1", "f64": "1", "d9": "1.25", "d25": "1", "s": "ab", "sd": "ab", "b": "true",
		"dt": "2024-02-29", "ts": "2024-02-29 01:02:03", "f16": "1", "i16": "1", "u8": "1", "tz": "2024-02-29 01:02:03+00", "tms": "2024-02-29 01:02:03"}
	exprs := make([]*expr.Bound, len(testSchema.Fields))
	for i, f := range testSchema.Fields {
		exprs[i] = constant(t, row[f.Name], f.Type)
	}
	_, err = expr.Compile([]*expr.Bound{b.Substitute(exprs)}).Eval(nil, &batch.Batch{Schema: batch.NewSchema(), N: 1})
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestARowErrorSaysWhichExpressionFailed(t *testing.T) {
	var bs []*expr.Bound
	for _, text := range []string{"1 + 1", "case when true then cast('x' || '' as int64) end", "cast('x' || '' as int64)", "cast('y' || '' as int64)"} {
		b, err := bindText(text)
		if err != nil {
			t.Fatal(err)
		}
		bs = append(bs, b)
	}
	for i, want := range []int{1, 0, 0} {
		_, err := expr.Compile(bs[i:i+2+i%2]).Eval(nil, &batch.Batch{Schema: batch.NewSchema(), N: 1})
		var re *expr.RowError
		if !errors.As(err, &re) || re.Out != want {
			t.Errorf("from %d: %#v, want expression %d", i, err, want)
		}
	}
}
