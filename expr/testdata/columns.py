"""Writes columns.csv: DuckDB's answers to expressions over columns a, b, c, row by row.

Run it with a Python that has duckdb: python columns.py. A line holds the expression, the types
of its columns, their values as text (NULL for null) and the result cast to varchar, ERROR where
DuckDB refuses or fails. Binary results are written in hexadecimal. Made with DuckDB 2.0, whose
session time zone is set to UTC.
"""

import csv
import itertools
import pathlib

import duckdb

TYPES = {
    "int8": "tinyint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "uint8": "utinyint", "uint16": "usmallint", "uint32": "uinteger", "uint64": "ubigint",
    "float32": "float", "float64": "double", "string": "varchar", "bool": "boolean", "date": "date",
    "time(us)": "time", "timestamp(us)": "timestamp", "timestamp(ms)": "timestamp_ms", "timestamp(ns)": "timestamp_ns",
    "timestamp(s)": "timestamp_s", "timestamp(us, utc)": "timestamptz", "uuid": "uuid",
    "decimal(9, 2)": "decimal(9, 2)", "decimal(38, 10)": "decimal(38, 10)", "decimal(20, 0)": "decimal(20, 0)",
}

VALUES = {
    "int8": ["0", "1", "-1", "7", "127", "-128", None],
    "int32": ["0", "3", "-7", "2147483647", "-2147483648", None],
    "int64": ["0", "1", "-1", "5", "-18", "9223372036854775807", "-9223372036854775808", None],
    "uint8": ["0", "5", "255", None],
    "uint64": ["0", "6", "18446744073709551615", None],
    "float32": ["0", "-0.0", "1.5", "-2.5", "nan", "inf", None],
    "float64": ["0", "-0.0", "1", "-1", "0.5", "2.345", "-1234.5", "1e300", "1e-300", "nan", "inf", "-inf", None],
    "string": ["", "a", "abc", "Hello World", "  x ", "né€", "12", "a,b,c", "100%", None],
    "bool": ["true", "false", None],
    "date": ["1970-01-01", "1969-12-31", "2024-02-29", "2024-12-31", "1900-03-01", "2021-01-03", "0001-01-01", None],
    "timestamp(us)": ["1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "2024-02-29 13:14:15.5", "1883-06-15 01:02:03", "2024-03-31 02:30:00", "2024-10-27 02:30:00", None],
    "timestamp(ms)": ["1969-12-31 23:59:59.999", "2024-02-29 13:14:15.5", None],
    "timestamp(ns)": ["1969-12-31 23:59:59.999999999", "2024-02-29 13:14:15.5", None],
    "timestamp(us, utc)": ["1970-01-01 00:00:00+00", "2024-07-01 12:00:00+00", "2024-10-27 00:30:00+00", None],
    "time(us)": ["00:00:00", "13:14:15.5", "23:59:59.999999", None],
    "int16": ["0", "32767", "-32768", None],
    "uint16": ["0", "65535", None],
    "uint32": ["0", "4294967295", None],
    "uuid": ["00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000", "ffffffff-ffff-ffff-ffff-ffffffffffff", None],
    "timestamp(s)": ["1969-12-31 23:59:59", "2024-02-29 13:14:15", None],
    "decimal(20, 0)": ["0", "7", "-99999999999999999999", None],
    "decimal(9, 2)": ["0", "1.25", "-1.25", "1234567.89", "-9999999.99", None],
    "decimal(38, 10)": ["0", "1.5", "-1234567890123456789012345678.0123456789", None],
}

# Expression and the types of its columns; the values are those above, in all combinations.
GRID = """
abs(a) | int32
abs(a) | float64
abs(a) | decimal(38, 10)
sign(a) | float64
sign(a) | int64
sign(a) | decimal(9, 2)
round(a) | float64
round(a, 1) | float64
round(a, -2) | float64
round(a, 1) | decimal(9, 2)
round(a, -1) | int32
trunc(a) | float64
trunc(a) | float32
trunc(a) | int64
trunc(a) | decimal(9, 2)
trunc(a) | decimal(38, 10)
trunc(a, 1) | float64
trunc(a, 1) | decimal(9, 2)
trunc(a, -1) | int32
floor(a) | float64
floor(a) | decimal(9, 2)
ceil(a) | float64
ceil(a) | decimal(38, 10)
even(a) | float64
a + b | int8 int8
a - b | int8 int8
a * b | int8 int8
a + b | uint8 int8
a - b | decimal(9, 2) decimal(9, 2)
a * b | decimal(9, 2) decimal(9, 2)
a / b | int32 int32
a / b | float64 float64
a // b | int32 int32
a // b | int64 int64
a // b | uint64 uint64
a % b | int32 int32
a % b | decimal(9, 2) decimal(9, 2)
a % b | float64 float64
mod(a, b) | int8 int8
fmod(a, b) | float64 float64
fdiv(a, b) | float64 float64
divide(a, b) | int8 int8
-a | int32
-a | float64
a ** b | float64 float64
a & b | int64 int64
a | b | int64 int64
a & b | uint8 uint8
xor(a, b) | int64 int64
xor(a, b) | int8 int8
a << b | int32 int8
a << b | uint8 int8
a << 3 | uint64
a >> b | int64 int8
a >> b | uint64 int8
~a | int8
~a | uint8
~a | uint64
bit_count(a) | int8
bit_count(a) | int64
bit_count(a) | uint64
ln(a) | float64
log(a) | float64
log(2, a) | float64
log10(a) | float64
log2(a) | float64
exp(a) | float64
pow(a, b) | float64 float64
sqrt(a) | float64
cbrt(a) | float64
sin(a) | float64
cos(a) | float64
tan(a) | float64
cot(a) | float64
asin(a) | float64
acos(a) | float64
atan(a) | float64
atan2(a, b) | float64 float64
sinh(a) | float64
cosh(a) | float64
tanh(a) | float64
asinh(a) | float64
acosh(a) | float64
atanh(a) | float64
degrees(a) | float64
radians(a) | float64
gamma(a) | float64
lgamma(a) | float64
factorial(a) | int8
gcd(a, b) | int64 int64
lcm(a, b) | int32 int32
isnan(a) | float64
isinf(a) | float64
isfinite(a) | float64
signbit(a) | float64
greatest(a, b) | float64 float64
greatest(a, b) | string string
least(a, b) | float64 float64
least(a, b) | int64 uint8
coalesce(a, b) | string string
ifnull(a, b) | int64 int64
nullif(a, b) | float64 float64
nullif(a, b) | string string
if(a, b, 7) | bool int64
try(a // b) | int64 int64
try(a * b) | int8 int8
try(cast(a as int)) + 1 | string
case a when b then 'same' when 1 then 'one' else 'other' end | int64 int64
case when a > 0 then a when a = 0 then null else -1 end | float64
a = b | float64 float64
a <> b | float64 float64
a < b | float64 float64
a <= b | string string
a is distinct from b | float64 float64
a is not distinct from b | string string
a is true | bool
a is not true | bool
a is false | bool
a is not false | bool
a is unknown | bool
a is not unknown | bool
a is null | string
a and b | bool bool
a or b | bool bool
not a | bool
a between b and 1 | float64 float64
a in (1, 5, null) | int64
a not in (1, 5) | int64
upper(a) | string
lower(a) | string
trim(a) | string
ltrim(a) | string
rtrim(a) | string
trim(a, 'a1 ') | string
replace(a, b, '-') | string string
translate(a, 'abclé', 'xy') | string
reverse(a) | string
repeat(a, b) | string int8
lpad(a, 5, 'xyz') | string
lpad(a, b, 'é') | string int8
rpad(a, 5, 'xyz') | string
rpad(a, 2, b) | string string
substr(a, b) | string int8
substr(a, b, 2) | string int8
left(a, b) | string int8
right(a, b) | string int8
split_part(a, ',', b) | string int8
split_part(a, b, 2) | string string
concat(a, b, 1) | string string
concat_ws(a, b, 'x', b) | string string
a || b | string string
a || 1 | string
length(a) | string
strlen(a) | string
bit_length(a) | string
strpos(a, b) | string string
instr(a, 'l') | string
position('l' in a) | string
starts_with(a, b) | string string
ends_with(a, b) | string string
contains(a, b) | string string
a like b | string string
a like '%$%' escape '$' | string
a ilike '%L%' | string
a not ilike 'A%' | string
a like '_b%' | string
ascii(a) | string
unicode(a) | string
chr(a + 100) | int32
chr(a + 8300) | int8
levenshtein(a, b) | string string
damerau_levenshtein(a, b) | string string
hamming(a, b) | string string
regexp_matches(a, '[a-c]+') | string
regexp_matches(a, 'HELLO', 'i') | string
regexp_full_match(a, '[a-z]*') | string
regexp_replace(a, '[aeiou]', '<\\0>') | string
regexp_replace(a, '(.)(.)', '\\2\\1', 'g') | string
regexp_replace(a, 'x*', '-', 'g') | string
regexp_extract(a, '[a-z]+') | string
regexp_extract(a, '([a-z])([a-z])', 2) | string
hex(a) | string
hex(a) | int64
hex(a) | uint64
unhex(a) | string
to_base64(encode(a)) | string
from_base64(a) | string
decode(encode(a)) | string
encode(a) | string
url_encode(a) | string
url_decode(a) | string
md5(a) | string
sha1(a) | string
sha256(a) | string
cast(a as varchar) | float64
cast(a as varchar) | float32
cast(a as varchar) | decimal(38, 10)
cast(a as varchar) | timestamp(ns)
cast(a as varchar) | time(us)
cast(a as int) | float64
cast(a as tinyint) | int64
try_cast(a as tinyint) | int64
try_cast(a as double) | string
try_cast(a as int) | string
cast(a as decimal(5, 1)) | decimal(9, 2)
cast(a as date) | timestamp(us)
cast(a as date) | timestamp(ns)
cast(a as timestamp) | date
cast(a as timestamp) | timestamp(us, utc)
cast(a as timestamptz) | timestamp(us)
cast(a as time) | timestamp(us)
era(a) | date
millennium(a) | date
century(a) | date
decade(a) | date
year(a) | date
isoyear(a) | date
quarter(a) | date
month(a) | date
yearweek(a) | date
week(a) | date
day(a) | date
dayofweek(a) | date
isodow(a) | date
dayofyear(a) | date
julian(a) | date
year(a) | timestamp(us)
week(a) | timestamp(ms)
hour(a) | timestamp(us)
minute(a) | timestamp(us)
second(a) | timestamp(us)
millisecond(a) | timestamp(us)
microsecond(a) | timestamp(us)
nanosecond(a) | timestamp(ns)
microsecond(a) | time(us)
hour(a) | time(us)
julian(a) | timestamp(us)
epoch(a) | timestamp(us)
epoch(a) | date
epoch_ms(a) | timestamp(us)
epoch_us(a) | timestamp(ms)
epoch_ns(a) | timestamp(ns)
epoch_ms(a) | int32
epoch_ms(a) | date
monthname(a) | date
dayname(a) | timestamp(us)
last_day(a) | date
last_day(a) | timestamp(us)
extract(year from a) | timestamp(us)
date_part('dow', a) | date
date_part('doy', a) | timestamp(us)
date_trunc('millennium', a) | timestamp(us)
date_trunc('century', a) | timestamp(us)
date_trunc('decade', a) | timestamp(us)
date_trunc('year', a) | timestamp(us)
date_trunc('isoyear', a) | timestamp(us)
date_trunc('quarter', a) | timestamp(us)
date_trunc('month', a) | date
date_trunc('week', a) | timestamp(us)
date_trunc('day', a) | timestamp(us)
date_trunc('hour', a) | timestamp(us)
date_trunc('minute', a) | timestamp(us)
date_trunc('second', a) | timestamp(us)
date_trunc('millisecond', a) | timestamp(us)
date_trunc('microsecond', a) | timestamp(us)
date_diff('decade', a, b) | date date
date_diff('year', a, b) | date date
date_diff('quarter', a, b) | date date
date_diff('month', a, b) | timestamp(us) timestamp(us)
date_diff('week', a, b) | date date
date_diff('day', a, b) | timestamp(us) timestamp(us)
date_diff('hour', a, b) | timestamp(us) timestamp(us)
date_diff('minute', a, b) | timestamp(us) timestamp(us)
date_diff('second', a, b) | timestamp(us) timestamp(us)
date_diff('millisecond', a, b) | timestamp(us) timestamp(us)
date_diff('microsecond', a, b) | timestamp(us) timestamp(us)
date_sub('decade', a, b) | date date
date_sub('year', a, b) | date date
date_sub('quarter', a, b) | date date
date_sub('month', a, b) | timestamp(us) timestamp(us)
date_sub('week', a, b) | timestamp(us) timestamp(us)
date_sub('day', a, b) | timestamp(us) timestamp(us)
date_sub('hour', a, b) | timestamp(us) timestamp(us)
date_sub('second', a, b) | timestamp(us) timestamp(us)
date_sub('microsecond', a, b) | timestamp(us) timestamp(us)
a + interval '1 month' | date
a + interval '1 year 1 month -3 days' | timestamp(us)
a - interval 13 month | timestamp(us)
a - interval '36 hours' | timestamp(us)
interval '1.5 seconds' + a | timestamp(us)
a + interval (b) day | timestamp(us) int8
a + interval '90 minutes' | time(us)
a - interval '1 day' | time(us)
a + interval '1 hour' | timestamp(us, utc)
date_add(a, interval 3 day) | date
a + 7 | date
a + b | date time(us)
a - b | date date
time_bucket(interval '15 minutes', a) | timestamp(us)
time_bucket(interval '2 weeks', a) | timestamp(us)
time_bucket(interval '3 months', a) | date
time_bucket(interval '5 days', a) | date
make_date(a, 2, b) | int32 int8
make_date(a, 2, 29) | int8
era(make_date(a, 2, 29)) | int8
millennium(make_date(a, 2, 29)) | int8
century(make_date(a, 2, 29)) | int8
decade(make_date(a, 2, 29)) | int8
yearweek(make_date(a, 2, 29)) | int8
isoyear(make_date(a, 2, 29)) | int8
isodow(make_date(a, 2, 29)) | int8
dayofyear(make_date(a, 2, 29)) | int8
julian(make_date(a, 2, 29)) | int8
date_diff('century', make_date(a, 2, 29), date '2024-01-01') | int8
make_timestamp(2024, 2, 29, a, 30, 1.5) | int8
make_timestamp(a) | int32
make_time(a, 5, 6.25) | int8
to_timestamp(a) | float64
to_timestamp(a) | int32
a at time zone 'Europe/Berlin' | timestamp(us)
a at time zone 'Europe/Berlin' | timestamp(us, utc)
timezone('America/New_York', a) | timestamp(us)
timezone('Asia/Kolkata', a) | timestamp(us, utc)
a at time zone 'UTC' | date
strftime(a, '%Y-%m-%d %H:%M:%S.%f %a %A %b %B %j %y %I %p %%') | timestamp(us)
strftime(a, '%-d.%-m.%Y %-H:%-M:%-S %-I %-j %w %u %G-W%V %g %h %z') | timestamp(us)
strftime(a, '%U %W %n') | timestamp(us)
strftime(a, '%d/%m/%y') | date
typeof(a) = typeof(b) | int64 float64
a + b | int64 int64
a - b | int64 int64
a * b | int64 int64
a + b | uint64 uint64
a - b | uint64 uint64
a * b | uint64 uint64
a + b | int16 int32
a * b | uint16 uint16
a + b | uint32 int32
a - b | uint16 int16
-a | int64
-a | int16
abs(a) | int64
abs(a) | int16
a + b | decimal(38, 10) decimal(38, 10)
a - b | decimal(38, 10) decimal(9, 2)
a * b | decimal(20, 0) decimal(9, 2)
a + b | decimal(20, 0) decimal(9, 2)
a % b | decimal(20, 0) decimal(9, 2)
a + b | decimal(9, 2) int32
a = b | decimal(20, 0) int64
a < b | decimal(38, 10) float64
a = b | float32 float64
a < b | uint64 int64
greatest(a, b) | uint32 int16
a = b | uuid uuid
a < b | uuid uuid
cast(a as varchar) | uuid
a = '123e4567-e89b-12d3-a456-426614174000' | uuid
coalesce(a, b) | timestamp(s) timestamp(us)
a < b | timestamp(ms) timestamp(us)
a = b | date timestamp(us)
a < b | time(us) time(us)
year(a) | timestamp(s)
date_trunc('hour', a) | timestamp(s)
cast(a as timestamp) | timestamp(s)
cast(a as timestamp) | timestamp(ms)
cast(a as varchar) | timestamp(us, utc)
cast(a as varchar) | timestamp(us)
cast(a as varchar) | date
cast(a as varchar) | int8
cast(a as varchar) | uint64
cast(a as varchar) | bool
cast(a as varchar) | decimal(20, 0)
cast(a as bigint) | decimal(20, 0)
cast(a as bigint) | float64
cast(a as ubigint) | int64
cast(a as decimal(20, 3)) | float64
cast(a as double) | decimal(38, 10)
cast(a as float) | float64
cast(a as double) | float32
cast(a as double) | int64
cast(a as double) | uint64
cast(a as bool) | float64
cast(a as int) | bool
round(a, 2) | decimal(38, 10)
round(a) | float32
"""

# Texts that formats read: expression over a, and the texts.
TEXTS = [
    ("strptime(a, '%Y-%m-%d')", ["2024-02-29", "2023-02-29", "1969-12-31", "x", "", None, "2024-1-2", "2024-01-02 "]),
    ("try_strptime(a, '%d.%m.%y %H:%M')", ["01.02.24 03:04", "01.02.70 23:59", "1.2.3", None, "32.01.24 00:00"]),
    ("strptime(a, '%a %d %b %Y')", ["Thu 29 Feb 2024", "thu 29 feb 2024", "Foo 29 Feb 2024", None]),
    ("strptime(a, '%Y-%j')", ["2024-366", "2023-366", "2023-001", None]),
    ("strptime(a, '%H:%M:%S.%f')", ["01:02:03.5", "01:02:03.123456", "24:00:00.0", None]),
    ("cast(a as date)", ["2024-02-29", "1969-12-31", "0001-01-01", "2024-13-01", "", None]),
    ("cast(a as timestamp)", ["2024-02-29 01:02:03", "2024-02-29T01:02:03.123456", "2024-02-29", "x", None]),
    ("cast(a as time)", ["01:02:03", "23:59:59.999999", "25:00:00", None]),
    ("cast(a as uuid)", ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000", "x", None]),
    ("cast(a as boolean)", ["true", "F", "1", "0", "maybe", None]),
    ("cast(a as decimal(38, 10))", ["1.5", "-1234567890123456789012345678.0123456789", "1e10", "1e30", "x", None]),
    ("cast(a as double)", ["1.5", "-inf", "nan", "1e400", " 2 ", "1_0", None]),
    ("cast(a as ubigint)", ["18446744073709551615", "-1", "18446744073709551616", "1.5", None]),
    ("levenshtein(a, 'kitten')", ["sitting", "kitten", "", "KITTEN", None]),
    ("regexp_extract(a, '(\\d+)-(\\d+)', 1)", ["2024-05", "a1-2b", "none", "", None]),
    ("url_decode(a)", ["a%20b", "%C3%A9", "%zz", "100%", "%", None]),
    ("from_base64(a)", ["YWI=", "", "YWJj", "x", None]),
    ("unhex(a)", ["6162", "616", "C3a9", "zz", "", None]),
]


def answer(con, text, types, values):
    cols = ", ".join(f"cast(? as {TYPES[t]}) as {c}" for c, t in zip("abc", types))
    try:
        value = con.execute(
            f"select cast(x as varchar), typeof(x) from (select ({text}) as x from (select {cols}))",
            values,
        ).fetchone()
        if value[1] == "BLOB" and value[0] is not None:
            value = con.execute(f"select hex({text}) from (select {cols})", values).fetchone()
    except duckdb.Error:
        return "ERROR"
    return "NULL" if value[0] is None else value[0].replace("-nan", "nan")


def cases():
    for line in GRID.strip().splitlines():
        text, _, types = line.rpartition(" | ")
        names = []
        for t in types.split(" "):  # decimal(9, 2) has a blank of its own
            if names and names[-1].count("(") > names[-1].count(")"):
                names[-1] += " " + t
            else:
                names.append(t)
        for values in itertools.product(*(VALUES[t] for t in names)):
            yield text, names, list(values)
    for text, values in TEXTS:
        for v in values:
            yield text, ["string"], [v]


def main():
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    with open(pathlib.Path(__file__).with_name("columns.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        for text, types, values in cases():
            shown = ["NULL" if v is None else v for v in values]
            out.writerow([text, "; ".join(types), *shown, answer(con, text, types, values)])


if __name__ == "__main__":
    main()
