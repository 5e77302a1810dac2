-- What a careful person writes: both sides are aggregated before they meet.
COPY (
  WITH l AS (SELECT col1, count(*) AS n, sum(col2) AS s2, sum(col3) AS s3 FROM read_parquet(${files:test}) GROUP BY col1),
       r AS (SELECT col1, count(*) AS n, sum(col4) AS s4 FROM read_parquet(${files:test2}) GROUP BY col1)
  SELECT col1, l.n * r.n AS rows, s2 * r.n AS col2_sum, s3 / l.n AS col3_mean, s4 / r.n AS col4_mean
  FROM l JOIN r USING (col1)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
