CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id3, sum(v1) AS v1, mean(v3) AS v3 FROM tbl GROUP BY id3
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
