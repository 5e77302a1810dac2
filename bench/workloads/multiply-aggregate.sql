COPY (
  SELECT col1, count(*) AS rows, sum(col2) AS col2_sum, avg(col3) AS col3_mean, avg(col4) AS col4_mean
  FROM read_parquet(${files:test}) l JOIN read_parquet(${files:test2}) r USING (col1)
  GROUP BY col1
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
