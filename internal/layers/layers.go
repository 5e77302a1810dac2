// Package layers holds the rule of which package may import which. Its test checks the
// whole module; there is nothing to call.
package layers

// allowed lists, for each package of the module, the packages of the module that it may
// import, with "..." for all below. Imports point down: cli, engine, plan and operators,
// spillfile and tableio, batch, mem. Test files are free to import anything.
var allowed = map[string][]string{
	".":                    {"cli"},
	"cli":                  {"engine", "export", "plan", "monitor", "mem", "tableio", "tableio/parquet", "tableio/publish", "spillfile", "hashjoin", "groupby", "internal/vfs", "internal/gen", "batch", "expr"},
	"engine":               {"plan", "expr", "batch", "batch/nested", "mem", "spillfile", "tableio", "tableio/parquet", "tableio/publish", "extsort", "window", "asof", "hashjoin", "groupby", "monitor", "internal/vfs", "internal/parallel"},
	"export":               {"plan", "expr", "batch", "batch/nested"},                  // writes plans in other languages
	"plan":                 {"tableio/format", "expr", "batch", "batch/nested", "mem"}, // knows no operator's inside
	"monitor":              {},                                                         // is told, never asks
	"extsort":              {"spillfile", "batch", "mem"},
	"asof":                 {"extsort", "spillfile", "batch", "mem"},
	"window":               {"groupby/binsum", "batch", "mem"},
	"hashjoin":             {"spillfile", "batch", "mem"},
	"groupby":              {"groupby/binsum", "spillfile", "extsort", "batch", "batch/nested", "mem", "internal/floats", "internal/parallel"}, // operators know no plan
	"groupby/binsum":       {"batch"},
	"spillfile":            {"batch", "mem", "internal/vfs", "internal/parallel"},
	"tableio":              {"tableio/format", "tableio/parquet", "tableio/csv", "tableio/jsonl", "tableio/arrow", "tableio/text", "expr", "batch", "mem", "internal/vfs", "internal/parallel"},
	"tableio/format":       {"batch", "mem"}, // what a file of any format is
	"tableio/text":         {"tableio/format", "batch", "batch/nested", "mem", "internal/vfs"},
	"tableio/csv":          {"tableio/format", "tableio/text", "batch", "batch/nested", "mem", "internal/vfs"},
	"tableio/jsonl":        {"tableio/format", "tableio/text", "batch", "batch/nested", "mem", "internal/vfs"},
	"tableio/arrow":        {"tableio/format", "tableio/text", "batch", "batch/nested", "mem", "internal/vfs"},
	"tableio/parquet":      {"batch", "batch/nested", "mem", "internal/vfs", "internal/parallel"}, // the only importer of parquet-go
	"tableio/publish":      {"internal/vfs"},
	"expr":                 {"batch", "mem", "internal/floats"},
	"batch":                {"mem"},
	"batch/nested":         {"batch", "mem"}, // types and encoding of lists, maps and structs
	"mem":                  {},
	"internal/vfs":         {},
	"internal/floats":      {}, // functions of floats where package math is wrong
	"internal/parallel":    {}, // goroutines whose panics reach their caller, as errors
	"internal/vfs/faultfs": {"internal/vfs"},
	"internal/gen":         {"batch", "mem", "internal/vfs", "tableio/parquet", "tableio/publish", "extsort", "spillfile"},
	"bench/gen":            {"internal/gen", "mem", "internal/vfs"},
	"torture":              {"engine", "plan", "internal/gen", "internal/vfs", "internal/vfs/faultfs", "internal/testkit/foreign", "internal/testkit/hostile", "mem"},
	"batch/batchtest":      {"batch", "batch/nested", "mem"},
	"internal/layers":      {},
	"internal/microbench":  {}, // for benchmarks
	"bench/micro":          {},
	"internal/testkit":     {"..."},
	"internal/testkit/...": {"..."},
}

// owners lists libraries that one package alone may import, and who makes test data with it.
var owners = map[string][]string{
	"github.com/parquet-go/parquet-go": {"tableio/parquet", "internal/testkit/foreign"},
	"github.com/alecthomas/participle": {"expr"},
	"github.com/urfave/cli":            {"cli"},
	"github.com/vbauerster/mpb":        {"monitor"},
}
