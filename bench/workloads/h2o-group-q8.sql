CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id6, max(v3, 2) AS largest2_v3 FROM tbl GROUP BY id6
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
