COPY (
  SELECT l_orderkey, o_orderdate, o_shippriority, sum(l_extendedprice * (1 - l_discount)) AS revenue
  FROM read_parquet(${files:customer}) c JOIN read_parquet(${files:orders}) o ON c_custkey = o_custkey
       JOIN read_parquet(${files:lineitem}) l ON l_orderkey = o_orderkey
  WHERE c_mktsegment = 'BUILDING' AND o_orderdate < CAST('1995-03-15' AS date) AND l_shipdate > CAST('1995-03-15' AS date)
  GROUP BY l_orderkey, o_orderdate, o_shippriority
  ORDER BY revenue DESC, o_orderdate, l_orderkey
  LIMIT 10
) TO '${out}/result.parquet' (FORMAT parquet, COMPRESSION snappy);
