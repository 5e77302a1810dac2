package hashjoin

import (
	"fmt"
	"math/big"
	"strconv"
	"time"

	"pqjoin/batch"
)

// maxRendered is how many bytes of a string key a message shows.
const maxRendered = 80

// render writes the value in row i of c for a message.
func render(c *batch.Column, i int) string {
	if c.IsNull(i) {
		return "null"
	}
	if c.Dict != nil {
		return render(c.Dict, int(c.Codes[i]))
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return strconv.FormatBool(c.Bools()[i] != 0)
	case batch.KindFloat64:
		return batch.FloatText(c.Float64s()[i], c.Type)
	case batch.KindInt128:
		return renderDecimal(c.Int128s()[i].Big(), int(c.Type.Scale))
	case batch.KindBytes:
		v := c.Value(i)
		more := ""
		if len(v) > maxRendered {
			v, more = v[:maxRendered], "..."
		}
		if c.Type.ID == batch.String {
			return strconv.Quote(string(v)) + more
		}
		return fmt.Sprintf("0x%x%s", v, more)
	}
	return renderInt(c.Type, c.Int64s()[i])
}

func renderInt(t batch.Type, v int64) string {
	switch {
	case t.ID == batch.Decimal:
		return renderDecimal(big.NewInt(v), int(t.Scale))
	case t.ID == batch.Date:
		return time.Unix(v*86400, 0).UTC().Format(time.DateOnly)
	case t.ID == batch.Timestamp:
		return unixTime(t.Unit, v).Format("2006-01-02 15:04:05.999999999")
	case t.ID == batch.Time:
		return unixTime(t.Unit, v).Format("15:04:05.999999999")
	case t.IsUnsigned():
		return strconv.FormatUint(uint64(v), 10)
	}
	return strconv.FormatInt(v, 10)
}

func unixTime(u batch.Unit, v int64) time.Time {
	switch u {
	case batch.Milli:
		return time.UnixMilli(v).UTC()
	case batch.Micro:
		return time.UnixMicro(v).UTC()
	case batch.Second:
		return time.Unix(v, 0).UTC()
	}
	return time.Unix(v/1e9, v%1e9).UTC()
}

func renderDecimal(v *big.Int, scale int) string {
	if scale <= 0 {
		return v.String()
	}
	s := new(big.Int).Abs(v).String()
	for len(s) <= scale {
		s = "0" + s
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s[:len(s)-scale] + "." + s[len(s)-scale:]
}
