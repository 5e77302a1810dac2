"""Writes the inputs and, as DuckDB 2.0 reads them, expected.json: python make.py"""

import json
import pathlib

import duckdb

HERE = pathlib.Path(__file__).parent
FILES = {
    "plain.jsonl": '{"id":1,"name":"ann","px":1.5}\n{"id":2,"name":"bob","px":2}\n{"px":-1e3,"id":3}\n',
    "order.jsonl": '{"b":1}\n{"a":2,"b":3}\n\n{"c":true,"a":null}\n',
    "types.jsonl": '{"i":7,"f":0.1,"b":true,"d":"2024-02-29","t":"2024-01-01 10:00:00.5","s":"007"}\n'
    '{"i":2147483648,"f":NaN,"b":false,"d":"1969-12-31","t":"1969-12-31 23:59:59.999999","s":"+1"}\n'
    '{"i":0,"f":-Infinity,"b":true,"d":"0001-01-01","t":"2024-01-01 00:00:00.25","s":"x"}\n',
    "numbers.jsonl": '{"a":1,"b":1.0,"c":18446744073709551616,"d":1e400}\n{"a":1.5,"b":9007199254740993,"c":1,"d":-0.0}\n',
    "big.jsonl": '{"a":9223372036854775808}\n{"a":-5}\n{"a":18446744073709551615}\n',
    "strings.jsonl": '{"a":"1","b":"x","c":"2024-01-01"}\n{"a":"2","b":"","c":"2024-01-02 10:00:00"}\n{"a":null,"b":"true","c":null}\n',
    "escapes.jsonl": '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00","n\\u00e4me":"日本"}\r\n{ "a" : "x\\u0000y" , "näme" : "😀" }\n',
}
out = {}
for name, text in FILES.items():
    path = HERE / name
    path.write_bytes(text.encode())
    rel = duckdb.sql(f"select * from read_json_auto('{path}', format='newline_delimited')")
    casts = ", ".join(f'cast("{c}" as varchar)' for c in rel.columns)
    rows = duckdb.sql(f"select {casts} from rel").fetchall()
    out[name] = {"columns": rel.columns, "types": [str(t) for t in rel.types], "rows": rows}
(HERE / "expected.json").write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
