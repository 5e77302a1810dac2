COPY (
  SELECT t.*, q.bid, q.ask
  FROM read_parquet(${files:trades}) t ASOF LEFT JOIN read_parquet(${files:quotes}) q ON t.sym = q.sym AND t.ts >= q.ts
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
