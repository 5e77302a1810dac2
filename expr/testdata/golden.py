"""Writes golden.csv: DuckDB's answers to constant expressions, as text.

Run it with a Python that has duckdb: python golden.py. Every line of golden.csv is an
expression and its value cast to varchar, NULL for null and ERROR where DuckDB refuses
or fails. Made with DuckDB 2.0.
"""

import csv
import pathlib

import duckdb

EXPRESSIONS = """
1 + 1
7 - 10
-7 % 3
5 % (-3)
5 % 0
7 / 2
1 / 0
-1 / 0
0 / 0
1.5 + 2.25
1.5 * 2.25
-1.5 - 0.005
5 % 3.5
1.0::double / 0
5.5 % 0::double
127::tinyint + 1::tinyint
2147483647::int + 1::int
9223372036854775807 + 1::bigint
-(-9223372036854775807 - 2::bigint)
255::utinyint + 1::utinyint
1::utinyint - 2::utinyint
(99999999999999999999999999999999999999)::decimal(38,0) + 1
2.5::double::int
3.5::double::int
-2.5::double::int
1.5::int
2.5::int
-2.5::int
'1.5'::int
'2.5'::int
' 12 '::int
'1e3'::int
'1e3'::decimal(10,2)
'1.555'::decimal(5,2)
'-1.555'::decimal(5,2)
'abc'::int
try_cast('abc' as int)
''::int
'300'::tinyint
try_cast(300 as tinyint)
1e10::double::int
'nan'::double::int
cast(1.999 as decimal(3,2))
cast(-1.995 as decimal(3,2))
cast(99.99 as decimal(3,2))
cast(1.5::double as varchar)
cast(1e20::double as varchar)
cast(1e15::double as varchar)
cast(1e16::double as varchar)
cast(123456789.125::double as varchar)
cast(0.1::float as varchar)
cast(1e-5::double as varchar)
cast(0.0001::double as varchar)
cast(100.0::double as varchar)
cast('inf'::double as varchar)
cast('-inf'::double as varchar)
cast(1.50 as varchar)
cast(-0.05 as varchar)
cast(true as int)
2::bool
0.5::double::bool
cast('t' as bool)
cast('no' as bool)
cast('maybe' as bool)
round(2.5)
round(-2.5)
round(0.5::double)
round(1.25, 1)
round(2.345::double, 2)
round(1234.5::double, -2)
round(15, -1)
round(1e300, 2)
floor(-1.5)
ceil(-1.5)
floor(1.5::double)
ceil(1.2::double)
abs(-5)
abs((-128)::tinyint)
sign(-1.5)
sign(0)
ln(0)
ln(-1)
ln(1)
log10(1000)
round(ln('5e-324'::double), 9)
round(log10('1e-310'::double), 9)
log10(1e15)
log2(1024)
round(log(2, '5e-324'::double), 9)
round(lgamma('5e-324'::double), 9)
round(pow('5e-324'::double, 0.1) * 1e32, 9)
round('5e-324'::double ** -0.1 / 1e32, 9)
round(exp(709.5) / 1e308, 9)
round(sinh(-710) / 1e308, 9)
round(cosh(710) / 1e308, 9)
atan2('-1e-310'::double, -1e300)
round(1.23456e300, -298)
log2(8)
exp(0)
exp(1000)
sqrt(2)
sqrt(-1)
pow(2, 10)
pow(0, -1)
greatest(1, null)
least(null, 3, 2)
least(null::int, null)
greatest('nan'::double, 1e308)
coalesce(null, 2)
coalesce(1, 1.5)
nullif(1, 1)
nullif(1, 2)
if(1 = 1, 1, 2.5)
if(null, 1, 2)
case when null then 1 else 2 end
case 3 when 1 then 'a' when 3 then 'b' end
case 9 when 1 then 'a' end
1 = 1.0
1::bigint = 1.0::float
9007199254740993::bigint = 9007199254740992::double
'nan'::double = 'nan'::double
'nan'::double > 1e308
0.0::double = -0.0::double
1 <> null
null = null
1 in (1, null)
2 in (1, null)
2 not in (1, null)
2 not in (1, 3)
null and false
null and true
null or true
null or false
not null
not 1 = 2
not true is null
1 between 0 and 2 and true
2 not between 0 and 1
1 = 2 is null
1 + 2 || 'a'
'a' || null
'a' || 1
2 + 3 * 4
-2 * 3
10 - 4 - 3
2 * 3 % 4
'a' < 'b'
'a' < 'B'
'abc' like 'a%'
'abc' like '_b_'
'abc' like 'b'
'abc' not like '%c'
'' like '%'
'aXbXc' like 'a%b%c'
'äb' like '_b'
upper('abc')
lower('ÄB')
length('é')
length('')
trim('  a ')
trim('xax', 'x')
ltrim('  a ')
rtrim('  a ')
replace('aaa', '', 'b')
replace('abcabc', 'bc', 'x')
reverse('añb')
substr('hello', 2)
substr('hello', 2, 2)
substr('hello', 0, 2)
substr('hello', -2)
substr('hello', -3, 2)
substr('hello', 2, -1)
substr('hello', -10, 3)
substr('hello', 10)
substr('hello', -7, 4)
substr('hello', -7)
substr('hello', -7, -1)
substr('hello', 0, -1)
substr('hello', 7, -3)
substr('hello', 100, -98)
substr('hello', 3, 100)
substr('héllo', 2, 1)
left('hello', 2)
left('hello', -2)
right('hello', 2)
right('hello', -2)
left('hello', 9)
starts_with('abc', 'ab')
ends_with('abc', 'bc')
contains('abc', '')
contains('abc', 'x')
date '2024-02-29' + 1
date '2024-03-01' - 1
date '2024-03-01' - date '2024-02-01'
date '2024-01-01' = timestamp '2024-01-01 00:00:00'
date '2024-01-01' < '2024-02-01'
'2024-1-2'::date
'2024-02-30'::date
cast(date '2024-01-02' as varchar)
cast(timestamp '2024-01-01 01:02:03.5' as varchar)
cast(timestamp '1969-12-31 23:59:59.999' as varchar)
cast(timestamp '1969-12-31 23:59:59' as date)
cast('2024-01-01T05:06:07' as timestamp)
year(date '2024-12-31')
quarter(date '2024-12-31')
month(date '2024-12-31')
week(date '2024-12-31')
week(date '2021-01-03')
day(date '2024-12-31')
dayofweek(date '2024-12-29')
dayofyear(date '2024-12-31')
hour(timestamp '2024-01-01 13:14:15')
minute(timestamp '2024-01-01 13:14:15')
second(timestamp '2024-01-01 13:14:15.9')
hour(date '2024-01-01')
year(timestamp '1969-12-31 23:59:59')
epoch(timestamp '2024-01-01 00:00:00.5')
date_trunc('month', timestamp '2024-05-17 10:11:12')
date_trunc('week', timestamp '2024-05-17 10:11:12')
date_trunc('quarter', timestamp '2024-05-17 10:11:12')
date_trunc('hour', timestamp '1960-05-17 10:11:12')
date_trunc('month', date '2024-05-17')
date_diff('day', date '2024-01-01', date '2024-02-01')
date_diff('month', date '2024-01-31', date '2024-02-01')
date_diff('year', date '2023-12-31', date '2024-01-01')
date_diff('week', date '2024-01-07', date '2024-01-08')
date_diff('week', date '2024-01-07', date '2024-01-14')
date_diff('week', date '2024-01-05', date '2024-01-11')
date_diff('hour', timestamp '2024-01-01 00:59:00', timestamp '2024-01-01 01:00:00')
strftime(timestamp '2024-01-02 03:04:05', '%Y/%m/%d %H-%M-%S')
strftime(timestamp '2024-01-02 15:04:05.25', '%d %b %B %a %A %y %j %I %p %f %%')
strptime('2024/01/02 03:04:05', '%Y/%m/%d %H:%M:%S')
strptime('02 Jan 2024 03 PM', '%d %b %Y %I %p')
strptime('x', '%Y')
try_strptime('x', '%Y')
1 < 2 < 3
true + 1
'a' + 1
nope(1)
pi()
1 + 2 & 3
1 | 2 + 4
1 << 2 + 1
5 & 3 = 1
~5 + 1
~5 * 2
-2 ^ 2
2 ** 3 ** 2
2 * 3 ^ 2
2 ** -1
1 is distinct from 2 + 1
1 is distinct from null
null is not distinct from null
not null is distinct from 1
1 = 1 is true
'a' ilike 'A' and true
'a_c' like 'a\_c' escape '\'
'abc' like 'abc' escape ''
'abc' like 'a$' escape '$'
'abc' like 'abc' escape 'xy'
date '2024-01-31' + interval '1 month'
date '2024-01-31' - interval (2) month
interval '3' day + date '2024-01-01'
date '2024-01-01' + interval '-1 day'
date '2024-01-01' + interval '1 mon'
date '2024-01-01' + interval '1.5 days'
date '2024-01-01' + interval '2 decades 1 quarter'
timestamp '2024-01-01 00:00:00' + interval '1 millennium 1 century'
timestamp '2024-01-01 00:00:00' + interval '3 milliseconds 7 microseconds'
timestamp '2024-03-31 10:00:00' + interval '1 month 2 days 3 hours'
date '2024-01-01' + interval 'x day'
date '2024-01-01' + interval '1 flurb'
date '2024-01-01' + interval ''
timestamp '2024-07-01 12:00:00' at time zone 'UTC'
timestamp '2024-07-01 12:00:00' at time zone 'Nope/Zone'
timestamptz '2024-07-01 12:00:00+00' at time zone 'Asia/Tokyo' + interval '1 hour'
extract('dow' from date '2024-05-06')
extract(century from date '2024-05-06')
date_part('nope', date '2024-05-06')
date_trunc('dayz', date '2024-05-06')
date_diff('days', date '1999-01-01', date '2001-01-01')
date_diff('DAY', date '1999-01-01', date '2001-01-01')
position('c' in 'abc')
-5 // 2
5 // -2
5 // 0
5.5 % 0.0
(-9223372036854775808) // -1
null // 0
1 << 63
1::bigint << 63
-1 << 1
5 >> -1
-8 >> 1
concat('a', null, 1, 1.5, true)
concat(null)
concat_ws(',', 'a', null, 'b')
concat_ws(null, 'a')
concat()
repeat('ab', 3)
lpad('abc', 5, '')
chr(55296)
factorial(20)
factorial(33)
factorial(34)
lcm(9223372036854775807, 2)
trunc(15, -1)
trunc(1.259, 2)
log(2, 8)
log(1, 5)
regexp_matches('abc', '(')
regexp_replace('abc', 'b', '\5')
regexp_replace('a.c', '.', 'x', 'l')
regexp_replace('aAa', 'a', 'b', 'gi')
regexp_matches('a', 'a', 'q')
regexp_extract('abc', null)
regexp_matches('aéb', 'a.b')
make_date(2023, 2, 29)
make_timestamp(2024, 2, 3, 13, 4, 60)
make_timestamp(2024, 2, 30, 13, 4, 5.123456)
to_timestamp(1e18)
epoch_ns(timestamp '2300-01-01 00:00:00')
time_bucket(interval '0 days', date '2024-01-07')
timestamp '2024-01-31 10:00:00' + interval '1 day' > date '2024-01-31'
ifnull(null, 2)
substring('hello' from 2 for 3)
substring('hello' from 2)
trim(both 'x' from 'xax')
trim(leading 'x' from 'xax')
trim(trailing 'x' from 'xax')
trim(leading from '  a ')
trim('x' from 'xax')
trim('xax', 'x')
1.7e35::double::decimal(38,0)
-1.2e37::double::decimal(38,0)
9e37::double::decimal(38,0)
1.28e36::double::decimal(38,2)
1.28e36::double::decimal(25,4)
epoch('2024-01-01 00:00:00.123456'::timestamp)
substring('hello', 2, 3)
"""


def answer(con, text):
    try:
        value = con.execute(f"select cast(({text}) as varchar)").fetchone()[0]
    except duckdb.Error:
        return "ERROR"
    return "NULL" if value is None else value


def main():
    con = duckdb.connect()
    with open(pathlib.Path(__file__).with_name("golden.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerows((t, answer(con, t)) for t in EXPRESSIONS.strip().splitlines())


if __name__ == "__main__":
    main()
