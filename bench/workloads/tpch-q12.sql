COPY (
  SELECT l_shipmode, sum(CASE WHEN o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) AS high,
         sum(CASE WHEN o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 0 ELSE 1 END) AS low
  FROM read_parquet(${files:orders}) o JOIN read_parquet(${files:lineitem}) l ON o_orderkey = l_orderkey
  WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate
    AND l_receiptdate >= CAST('1994-01-01' AS date) AND l_receiptdate < CAST('1995-01-01' AS date)
  GROUP BY l_shipmode
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
