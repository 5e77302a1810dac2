package refexpr

// Forms returns expressions of every form, wrong ones too, over the columns a (a whole number), f (a float), s (a string),
// d (a decimal), t (a timestamp) and b (a bool): where fuzzing begins.
func Forms() []string {
	return []string{"a + 1", "ln(f) / 0", "case when a > 0 then 'x' else s end", "s like '%_%' and not a in (1, null)", "try_cast(s as decimal(38, 10))",
		"date_trunc('week', date '2024-01-01')", "-9223372036854775808 % -1", "a::int8::string || \"a\"", "substr(s, -9223372036854775807, 5)",
		"strptime(s, '%Y-%m-%d')", "round(1e308, 300)", "between", "((((", "'", "1e999", "a between 1 and 2 is null", "left(s, -9223372036854775807 - 1)",
		"99999999999999999999999999999999999999 * 10", "cast(f as decimal(38, 38))", "round(a, -300)", "strftime(date '2024-01-01' + 2147483647 , '%j%z')",
		"date '2024-01-01' + interval '1 year -3 days'", "interval (a) month + timestamp '1969-12-31 23:59:59'", "date_add('decade', a, date '2024-01-01')", "interval '9223372036854775807 millennia' + date '0001-01-01'",
		"extract(yearweek from date '0000-01-01')", "date_diff('microsecond', date '2024-01-01', make_timestamp(a))", "time_bucket(interval '7 weeks', make_timestamp(a))", "date_sub('month', make_timestamp(a), date '1970-01-01')",
		"make_timestamp(a) at time zone 'Europe/Berlin' at time zone 'Asia/Tokyo'", "to_timestamp(f) at time zone 'America/New_York'", "make_date(a, a, a)", "make_time(1, 2, f)",
		"s ilike '%$_' escape '$' is not true", "a is distinct from f is unknown", "~a & a | a << 3 >> 1 // a", "2 ** -a ^ f", "position('a' in s) + strpos(s, 'b')", "factorial(a) * gcd(a, 7) - lcm(a, 3)",
		"concat_ws(s, a, null, f)", "lpad(s, a, s) || repeat(s, a)", "split_part(s, '', a)", "translate(s, s, 'ß')", "regexp_replace(s, '(a|b*)+', '\\1\\\\', 'gi')", "regexp_extract(s, '(?P<x>.)', 1)",
		"try(a // (a - 1)) + try(cast(s as int64))", "trim(both s from s)", "trim(leading from s)", "substring(s from a for a)", "date '2024-01-01' + time '23:59:59'", "trim(both)",
		"unhex(hex(s)) = encode(s)", "url_decode(url_encode(s))", "from_base64(s)", "decode(unhex(s))", "chr(a)", "hash(a, f, s) % 10", "levenshtein(s, s) + hamming(s, s)", "typeof(interval '1 day')", "trunc(f, -300) + trunc(a, -40)", "strftime(make_timestamp(a), '%-d%G%V%U%W%g%n')",
		"d * d + 1", "t + interval '1 month'", "b and not b or a is null", "cast(d as float64) / f", "coalesce(a, 1)", "case a when 1 then s when 2 then 'x' end", "cast(t as date)", "d::decimal(38, 10)",
		"extract(year from t)", "least(a, 3, f)", "greatest(s, 'x')", "nullif(a, 2)", "upper(s) || lower(s)", "date_diff('day', t, t)", "sqrt(f) + ln(f)", "s in ('a', 'b')",
	}
}
