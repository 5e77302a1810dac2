CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id1, sum(v1) AS v1 FROM tbl GROUP BY id1
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
