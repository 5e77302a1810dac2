package gen

import (
	"math"

	"pqjoin/batch"
)

var microType = batch.TimestampOf(batch.Micro, false)

const (
	// firstTick is 2024-01-02 09:30, in microseconds.
	firstTick = 1_704_187_800_000_000
	// tickSpan is a trading day in microseconds: over what time a table's rows are spread, where they are not more.
	tickSpan = 23_400_000_000
)

// tickKind is a table of a stream of events by symbol, in the order of their times, no two of which are the same.
func tickKind(name, about string, measures func(*Params) []column) Kind {
	return Kind{Name: name, Uses: []string{"keys"}, rowsPerFile: 2_500_000, shape: Pyarrow,
		About:    "sym string, one of -keys (default 1000); ts timestamp, ascending over a day and unique; " + about,
		defaults: func(p *Params) { setDefault(&p.Keys, 1000) },
		build: func(p *Params) (*table, error) {
			return &table{
				rows: p.Rows, ids: []idFunc{uniformID(p.stream(name+"/sym"), p.Keys)},
				cols: append([]column{label("sym", "S", 5, 0, p.Keys), ascending("ts", p.stream(name+"/ts"), max(tickSpan/max(p.Rows, 1), 1))}, measures(p)...),
			}, nil
		}}
}

// ascending is a column of times, one at a random place in each gap.
func ascending(name string, s stream, gap int64) column {
	return column{name: name, typ: microType, words: func(r *rows, dst []uint64) {
		for i := range dst {
			row := r.from + int64(i)
			dst[i] = uint64(firstTick + row*gap + s.below(row, gap))
		}
	}}
}

// cents is a column of doubles of two decimals, uniform in [lo, hi).
func cents(name string, s stream, lo, hi int64) column {
	return column{name: name, typ: batch.Of(batch.Float64), words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = math.Float64bits(float64(100*lo+s.below(r.from+int64(i), 100*(hi-lo))) / 100)
		}
	}}
}

func trades(p *Params) []column {
	return []column{cents("px", p.stream("trades/px"), 90, 110), whole("qty", int32Type, p.stream("trades/qty"), 1, 1000)}
}

func quotes(p *Params) []column {
	return []column{cents("bid", p.stream("quotes/bid"), 90, 100), cents("ask", p.stream("quotes/ask"), 100, 110)}
}
