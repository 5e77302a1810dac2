COPY (SELECT * FROM read_parquet(${files:wide}) ORDER BY key) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
