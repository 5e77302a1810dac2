"""Makes spans.parquet and spans.arrow, tables with durations as pandas has them: python3 make.py, in this directory."""
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

frame = pd.DataFrame({"a": [1, 2, 3], "d": pd.to_timedelta([1_500, None, -2], unit="us"), "s": pd.Series([7, 8, 9], dtype="timedelta64[s]")})
table = pa.Table.from_pandas(frame, preserve_index=False)
pq.write_table(table, "spans.parquet", compression="none")
feather.write_feather(table, "spans.arrow", compression="uncompressed")
