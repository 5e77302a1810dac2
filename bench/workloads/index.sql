COPY (SELECT * FROM read_parquet(${files:test}) ORDER BY col1) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
