COPY (
  SELECT key, count(*) AS rows, sum(v1) AS v1_sum, avg(v2) AS v2_mean FROM read_parquet(${files:group}) GROUP BY key
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
