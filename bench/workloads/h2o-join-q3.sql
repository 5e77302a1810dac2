CREATE VIEW x AS SELECT * FROM read_parquet(${files:x});
CREATE VIEW medium AS SELECT * FROM read_parquet(${files:medium});
COPY (
  SELECT x.*, medium.id1 AS medium_id1, medium.id4 AS medium_id4, medium.id5 AS medium_id5, v2 FROM x LEFT JOIN medium USING (id2)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
