CREATE VIEW x AS SELECT * FROM read_parquet(${files:x});
CREATE VIEW medium AS SELECT * FROM read_parquet(${files:medium});
COPY (
  SELECT x.*, medium.id1 AS medium_id1, medium.id2 AS medium_id2, medium.id4 AS medium_id4, v2 FROM x JOIN medium USING (id5)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
