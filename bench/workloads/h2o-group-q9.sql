CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM tbl GROUP BY id2, id4
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
