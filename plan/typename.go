package plan

// typeWords are the types, for hints.
func typeWords() []string {
	return []string{"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
		"decimal(p, s)", "string", "binary", "fixed(n)", "uuid", "date", "time(us)", "timestamp(us)", "timestamp(us, utc)"}
}
