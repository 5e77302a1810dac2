"""Writes the inputs and, as DuckDB 2.0 reads them, expected.json: python make.py"""

import json
import pathlib

import duckdb

HERE = pathlib.Path(__file__).parent
FILES = {
    "plain.csv": "id,name,px\n1,ann,1.5\n2,bob,2\n3,,-1e3\n",
    "quotes.csv": 'a,b,c\n1,"x, y","say ""hi"""\n2,"two\nlines",z\n3," blank ",""\n',
    "crlf.csv": 'a,b\r\n1,x\r\n2,"y\r\nz"\r\n',
    "types.csv": "i,f,b,d,t,s\n-9223372036854775808,0.1,true,2024-02-29,2024-01-01 10:00:00,007\n"
    "9223372036854775807,nan,FALSE,1969-12-31,1969-12-31 23:59:59.999999,+1\n0,-inf,True,0001-01-01,2024-01-01,x\n",
    "nulls.csv": "a,b,c\n1,,\n,,x\n3,2.5,\n",
    "one.csv": "a\n1\n\n3\n",
    "blank.csv": "a,b\n1,2\n\n3,4\n",
    "numbers.csv": "a,b,c\n1,1,1e5\n 2,2.0,.5\n-3,3,7\n",
    "unicode.csv": "\ufeffnäme,wert\nä,1\n日本,2\n😀,3\n",
    "noname.csv": ",b\n1,2\n3,4\n",
    "tabs.tsv": 'a\tb\n1\t"x\ty"\n2\tq,r\n',
}
out = {}
for name, text in FILES.items():
    path = HERE / name
    path.write_bytes(text.encode())
    delim = "\t" if name.endswith(".tsv") else ","
    rel = duckdb.sql(f"select * from read_csv('{path}', header=true, delim='{delim}')")
    casts = ", ".join(f'cast("{c}" as varchar)' for c in rel.columns)
    rows = duckdb.sql(f"select {casts} from rel").fetchall()
    out[name] = {"columns": rel.columns, "types": [str(t) for t in rel.types], "rows": rows}
(HERE / "expected.json").write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
