package hostile

// exprTokens are words and signs of expressions.
var (
	exprTokens = []string{"+", "-", "*", "/", "%", "//", "**", "^", "(", ")", ",", "::", "||", "=", "<>", "<=", "<<", "&", "|", "~", "and", "or", "not", "in", "is", "null", "between", "like", "ilike", "escape", "case", "when", "then",
		"else", "end", "cast", "try_cast", "as", "interval", "date", "time", "timestamp", "true", "false", "distinct", "from", "a", "f", "s", "d", "t", "b", "\"a\"", "'x'", "''", "1", "0", "-1", "1e308", "9223372036854775807",
		"99999999999999999999999999999999999999", "0.1", "int8", "uint64", "float32", "decimal(38, 38)", "string", "binary", "bool", "abs(", "round(", "substr(", "strptime(", "date_trunc('month', ", "regexp_replace(", "repeat(",
		"lpad(", "hash(", "coalesce(", "if(", "'9223372036854775807 years'", "at time zone 'Europe/Berlin'", "\xff", "é", "\n", "--", "/*", "$", "@", "[", "]", "."}
)
