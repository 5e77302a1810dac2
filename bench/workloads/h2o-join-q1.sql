CREATE VIEW x AS SELECT * FROM read_parquet(${files:x});
CREATE VIEW small AS SELECT * FROM read_parquet(${files:small});
COPY (
  SELECT x.*, small.id4 AS small_id4, v2 FROM x JOIN small USING (id1)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
