CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id4, id5, median(v3) AS median_v3, stddev(v3) AS sd_v3 FROM tbl GROUP BY id4, id5
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
