package hostile

import (
	"errors"
	"fmt"
	"strings"

	"pqjoin/expr"
	"pqjoin/mem"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio"
	"pqjoin/tableio/parquet"
	"pqjoin/tableio/publish"
)

// known are the kinds of errors that tell of an input.
var known = [...]error{
	parquet.ErrCorrupt, parquet.ErrUnsupported, tableio.ErrMalformed, tableio.ErrUnsupported, tableio.ErrSchema, tableio.ErrFormat,
	spillfile.ErrCorrupt, spillfile.ErrLost, spillfile.ErrNotKept, mem.ErrLimit, publish.ErrDamaged, publish.ErrExists,
}

// judge says what an error is, nil included.
func judge(err error, enough bool) (Outcome, string) {
	switch {
	case err == nil && enough:
		return Enough, ""
	case err == nil:
		return Read, ""
	}
	msg := err.Error()
	var wrong wrongError
	switch {
	case errors.As(err, &wrong):
		return Wrong, msg
	case !isKnown(err):
		return Wrong, fmt.Sprintf("an error of no kind: %s", msg)
	case !oneSentence(msg):
		return Wrong, fmt.Sprintf("an error that is not one sentence: %q", msg)
	case errors.Is(err, mem.ErrLimit):
		return NoMemory, msg
	case strings.Contains(msg, "makes the decoder fail"):
		return Contained, msg
	}
	return Refused, msg
}

func isKnown(err error) bool {
	for _, k := range known {
		if errors.Is(err, k) {
			return true
		}
	}
	var (
		job  *plan.Error
		text *expr.Error
		row  *expr.RowError
	)
	return errors.As(err, &job) || errors.As(err, &text) || errors.As(err, &row)
}
