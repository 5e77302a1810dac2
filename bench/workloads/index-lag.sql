-- The order within a key is the input's: file, then row.
COPY (
  SELECT col1, col2, col3, l AS col_0, lag(l, 1) OVER w AS col_1, lag(l, 2) OVER w AS col_2, lag(l, 3) OVER w AS col_3
  FROM (SELECT *, file_index AS f, file_row_number AS r, ln(col3) AS l FROM read_parquet(${files:test}))
  WINDOW w AS (PARTITION BY col1 ORDER BY f, r)
  ORDER BY col1
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
