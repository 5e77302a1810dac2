package plan

import (
	"errors"

	"pqjoin/batch"
	"pqjoin/expr"
)

// parseType reads a type as expressions write it: int64, decimal(12, 2), timestamp(us, utc).
func parseType(text string) (batch.Type, error) {
	tree, err := expr.Parse("cast(null as " + text + ")")
	if err != nil {
		return batch.Type{}, err
	}
	if tree.Root.Op != expr.OpCast || tree.Root.Offset != 0 {
		return batch.Type{}, errors.New("not a type")
	}
	return tree.Root.Type, nil
}

func typeWords() []string {
	return []string{"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
		"decimal(p, s)", "string", "binary", "date", "time(us)", "timestamp(us)", "timestamp(us, utc)"}
}
