package expr_test

import "testing"

// Types of which DuckDB has no counterpart, or another one: the answers are ours.
func TestTypesThatDuckDBDoesNotHave(t *testing.T) {
	for text, want := range map[string]string{
		// float16 has 11 binary digits; what is too great is refused.
		"cast(0.1 as float16)":                                  "0.099975586",
		"cast(2049 as float16)":                                 "2048.0",
		"cast(2051 as float16)":                                 "2052.0",
		"cast('65519' as float16)":                              "65504.0",
		"cast('65520' as float16)":                              "ERROR",
		"cast(70000 as float16)":                                "ERROR",
		"try_cast(70000 as float16)":                            "NULL",
		"cast(1e-8 as float16)":                                 "0.0",
		"cast(6e-8 as float16)":                                 "5.9604645e-08",
		"cast(1e300 as float16)":                                "ERROR",
		"cast('-inf' as float16)":                               "-inf",
		"round(cast(0.1 as float16), 2) = cast(0.1 as float16)": "true",
		"typeof(cast(1 as float16) + cast(2 as float16))":       "float32",
		// Bytes.
		"hex(cast('né' as binary))":                "6EC3A9",
		"strlen(cast('né' as binary))":             "3",
		"bit_length(encode('né'))":                 "24",
		"decode(cast('né' as binary)) = 'né'":      "true",
		"cast('ab' as binary) = encode('ab')":      "true",
		"md5(cast('a' as binary)) = md5('a')":      "true",
		"to_base64(unhex('ff00'))":                 "/wA=",
		"length(encode('a'))":                      "ERROR",
		"encode('a') || 'b'":                       "ERROR",
		"coalesce(null, encode('a')) > encode('')": "true",
		// Units of time: a finer unit gives the result its own.
		"typeof(timestamp '2024-01-01' + interval '1 nanosecond')":                                                    "timestamp(ns)",
		"typeof(cast(timestamp '2024-01-01' as timestamp(s)) + interval '1 hour')":                                    "timestamp(s)",
		"typeof(cast(timestamp '2024-01-01' as timestamp(s)) + interval '5 ms')":                                      "timestamp(ms)",
		"cast(timestamp '2024-01-01' as timestamp(s)) + interval '5 ms'":                                              "2024-01-01 00:00:00.005",
		"cast('2024-07-01 12:00:00.123456789' as timestamp(ns)) at time zone 'Asia/Tokyo'":                            "2024-07-01 03:00:00.123456789+00",
		"cast('10:11:12.123456789' as time(ns)) + interval '1 hour'":                                                  "11:11:12.123456789",
		"cast('23:59:59' as time(s)) + interval '1500 milliseconds'":                                                  "00:00:00",
		"date '2024-02-28' + cast('10:11:12.5' as time(ms))":                                                          "2024-02-28 10:11:12.5",
		"typeof(date '2024-02-28' + cast('10:11:12.5' as time(ms)))":                                                  "timestamp(ms)",
		"cast(timestamp '9999-12-31 23:59:59' as time(ns))":                                                           "23:59:59", // of a day that nanoseconds do not reach
		"time_bucket('day', 1, date '2024-02-28')":                                                                    "2024-02-28",
		"typeof(time_bucket('day', 1, date '2024-02-28'))":                                                            "date",
		"date_add('months', 1, date '2024-01-31')":                                                                    "2024-02-29 00:00:00",
		"date_add(date '2024-01-31', interval '1 month')":                                                             "2024-02-29 00:00:00",
		"nanosecond(cast('2024-01-01 00:00:01.5' as timestamp(ms)))":                                                  "1500000000",
		"microsecond(cast('2024-01-01 00:00:01.000000999' as timestamp(ns)))":                                         "1000000",
		"epoch_ns(cast('2024-01-01 00:00:00' as timestamp(s)))":                                                       "1704067200000000000",
		"date_diff('millisecond', cast('1969-12-31 23:59:59' as timestamp(s)), timestamp '1970-01-01 00:00:00.0019')": "1001",
		"date_diff('microsecond', date '2024-01-01', cast('2024-01-02' as timestamp(ns)))":                            "86400000000",
		"date_diff('microsecond', cast('0001-01-01' as timestamp(s)), cast('294247-01-01' as timestamp(s)))":          "ERROR",
		// Decimals to the last digit.
		"99999999999999999999999999999999999999 + 1":          "ERROR",
		"99999999999999999999999999999999999998 + 1":          "99999999999999999999999999999999999999",
		"-99999999999999999999999999999999999999 - 0":         "-99999999999999999999999999999999999999",
		"0.00000000000000000000000000000000000001 * 2":        "0.00000000000000000000000000000000000002",
		"12345678901234567890.12345 % 1":                      "0.12345",
		"trunc(-99999999999999999999999999999999.999999, -3)": "-99999999999999999999999999999000",
		"trunc(1.5, -38)":                         "0",
		"trunc(123, -300)":                        "0",
		"18446744073709551615::uint64 % 10":       "5",
		"trunc(18446744073709551615::uint64, -1)": "18446744073709551610",
		"hex(18446744073709551615::uint64)":       "FFFFFFFFFFFFFFFF",
		"~(18446744073709551615::uint64)":         "0",
		"9223372036854775808::uint64 >> 63":       "1",
	} {
		if got := one(text); got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
}
