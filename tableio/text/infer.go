package text

import (
	"bytes"

	"pqjoin/batch"
)

// SampleBytes is how much of a file, from its start, types come from.
const SampleBytes = 64 << 20

// Guess narrows down the type of a column as values pass: int64, float64, bool, date, timestamp,
// string, the first that fits all of them.
type Guess struct {
	not   [guesses]bool
	seen  bool
	fine  bool // a timestamp finer than microseconds
	zoned bool // timestamps have zones; none but a date may be without
	local bool // a timestamp had no zone
	Bytes int64
}

const (
	guessInt = iota
	guessFloat
	guessBool
	guessDate
	guessTime
	guesses
)

// See takes a value that is not null into account.
func (g *Guess) See(p []byte) {
	g.Bytes += int64(len(p))
	g.seen = true
	if g.not[guessTime] && g.not[guessFloat] && g.not[guessBool] && g.not[guessInt] {
		return
	}
	p = Trim(p)
	if !g.not[guessInt] {
		if _, ok := ParseInt(p); ok {
			// Whatever is an int64 is neither bool nor date; floats are looked at where it fails.
			g.not[guessBool], g.not[guessDate], g.not[guessTime] = true, true, true
			if !g.not[guessFloat] {
				_, ok := ParseFloat(p, 64)
				g.not[guessFloat] = !ok
			}
			return
		}
		g.not[guessInt] = true
	}
	if !g.not[guessFloat] {
		_, ok := ParseFloat(p, 64)
		g.not[guessFloat] = !ok
	}
	if !g.not[guessBool] {
		_, ok := ParseBool(p)
		g.not[guessBool] = !ok
	}
	if !g.not[guessDate] {
		_, ok := ParseDate(p)
		g.not[guessDate] = !ok
		if ok {
			g.local = true
			g.not[guessTime] = g.not[guessTime] || g.zoned
			return
		}
	}
	if !g.not[guessTime] {
		g.seeTime(p)
	}
}

func (g *Guess) seeTime(p []byte) {
	c, ok := parseInstant(p)
	g.fine = g.fine || c.fine
	g.zoned, g.local = g.zoned || c.zoned, g.local || !c.zoned
	unit := batch.Micro
	if g.fine {
		unit = batch.Nano
	}
	if ok {
		_, ok = c.ticks(unit)
	}
	g.not[guessTime] = !ok || g.zoned && g.local
}

// Type returns the type that fits all values; Null where there were none.
func (g *Guess) Type() batch.Type {
	switch {
	case !g.seen:
		return batch.Of(batch.Null)
	case !g.not[guessInt]:
		return batch.Of(batch.Int64)
	case !g.not[guessFloat]:
		return batch.Of(batch.Float64)
	case !g.not[guessBool]:
		return batch.Of(batch.Bool)
	case !g.not[guessDate]:
		return batch.Of(batch.Date)
	case !g.not[guessTime] && g.fine:
		return batch.TimestampOf(batch.Nano, g.zoned)
	case !g.not[guessTime]:
		return batch.TimestampOf(batch.Micro, g.zoned)
	}
	return batch.Of(batch.String)
}

// Trim drops blanks around a value that is no text.
func Trim(p []byte) []byte {
	if len(p) > 0 && (p[0] == ' ' || p[len(p)-1] == ' ') {
		return bytes.Trim(p, " ")
	}
	return p
}
