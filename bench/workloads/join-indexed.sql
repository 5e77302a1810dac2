COPY (
  SELECT l.*, r.v1 AS v1_right, r.v2 AS v2_right
  FROM read_parquet(${files:left}) l LEFT JOIN read_parquet(${files:right}) r USING (key)
  ORDER BY key
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
