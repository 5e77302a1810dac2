package plan

// The keys and words of job files that no other table has: what the decoder takes, and Schema lists.
var (
	jobKeys      = []string{"name", "vars", "inputs", "tables", "outputs", "run"}
	runKeys      = []string{"mem", "threads", "spill_dir", "spill_limit"}
	filesKeys    = []string{"size", "rows", "count"}
	indexKeys    = []string{"by", "nulls", "unique"}
	checkKeys    = []string{"rows", "not_null", "unique", "expect", "on_fail"}
	rowsKeys     = []string{"min", "max"}
	lagKeys      = []string{"column", "by", "periods", "as", "apply", "order_by"}
	asofKeys     = []string{"on", "by", "direction", "tolerance"}
	groupbyKeys  = []string{"by", "agg", "sort", "nulls"}
	distinctKeys = []string{"by", "keep"}
	windowKeys   = []string{"by", "order_by", "columns"}

	schemaModes  = []string{SchemaStrict, SchemaUnion}
	ifExists     = []string{IfExistsError, IfExistsReplace}
	compressions = []string{"zstd", "snappy", "lz4", "gzip", "none"}
	ends         = []string{"first", "last"}
	onFail       = []string{"error", "warn"}
	validates    = []string{"1:1", "1:m", "m:1", "m:m"}
	joinNulls    = []string{"distinct", "equal"}
	strategies   = []string{"auto", "merge", "hash", "broadcast"}
	groupNulls   = []string{"keep", "drop"}
)
