-- verify: col1 col2 col3 col_0
-- Any order within a key: less work and another answer every time, but what is often written.
COPY (
  SELECT col1, col2, col3, l AS col_0, lag(l, 1) OVER w AS col_1, lag(l, 2) OVER w AS col_2, lag(l, 3) OVER w AS col_3
  FROM (SELECT *, ln(col3) AS l FROM read_parquet(${files:test}))
  WINDOW w AS (PARTITION BY col1)
  ORDER BY col1
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
