CREATE VIEW x AS SELECT * FROM read_parquet(${files:x});
CREATE VIEW big AS SELECT * FROM read_parquet(${files:big});
COPY (
  SELECT x.*, big.id1 AS big_id1, big.id2 AS big_id2, big.id4 AS big_id4, big.id5 AS big_id5, big.id6 AS big_id6, v2 FROM x JOIN big USING (id3)
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
