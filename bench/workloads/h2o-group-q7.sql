CREATE VIEW tbl AS SELECT * FROM read_parquet(${files:g1});
COPY (
  SELECT id3, max(v1)-min(v2) AS range_v1_v2 FROM tbl GROUP BY id3
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
