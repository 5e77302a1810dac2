package text

import (
	"math"
	"testing"
	"time"

	"pqjoin/batch"
	"pqjoin/mem"

	"pgregory.net/rapid"
)

func TestDatesAreThoseOfTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.Int64Range(-800_000, 3_000_000).Draw(t, "days")
		want := time.Unix(days*86400, 0).UTC()
		y, m, d := civil(days)
		if y != int64(want.Year()) || m != int64(want.Month()) || d != int64(want.Day()) || civilDays(y, m, d) != days {
			t.Fatalf("%d: %d-%d-%d", days, y, m, d)
		}
	})
}

// TestValuesComeBack writes values of every type and reads them.
func TestValuesComeBack(t *testing.T) {
	types := []batch.Type{batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Uint16), batch.Of(batch.Int64), batch.Of(batch.Uint64),
		batch.Of(batch.Float32), batch.Of(batch.Float64), batch.DecimalOf(9, 2), batch.DecimalOf(38, 7), batch.Of(batch.Date),
		{ID: batch.Time, Unit: batch.Micro}, batch.TimestampOf(batch.Milli, false), batch.TimestampOf(batch.Micro, true), batch.TimestampOf(batch.Nano, false)}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		pool := mem.NewPool(1 << 20)
		acct := pool.Account("test", 0)
		c, err := batch.NewFixed(acct, typ, 1)
		if err != nil {
			t.Fatal(err)
		}
		draw(t, typ, c)
		p := Appender(c)(nil, 0)
		back, err := Convert(acct, typ, &Cells{Buf: p, Spans: []Span{{0, uint32(len(p))}}, Stride: 1, N: 1}, 0)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if !same(c, back) {
			t.Fatalf("%s: %x came back as %x", p, c.Fixed, back.Fixed)
		}
		c.Release()
		back.Release()
		if err := acct.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func draw(t *rapid.T, typ batch.Type, c *batch.Column) {
	switch typ.Kind() {
	case batch.KindBool:
		c.Fixed[0] = byte(rapid.IntRange(0, 1).Draw(t, "v"))
	case batch.KindFloat64:
		v := rapid.Float64().Draw(t, "v")
		if typ.ID == batch.Float32 {
			v = float64(rapid.Float32().Draw(t, "v32"))
		}
		c.Float64s()[0] = v
	case batch.KindInt128:
		v := batch.Int128Of(rapid.Int64().Draw(t, "v"))
		c.Int128s()[0] = v
	default:
		least, most := int64(math.MinInt64), int64(math.MaxInt64)
		switch typ.ID {
		case batch.Int8:
			least, most = -128, 127
		case batch.Uint16:
			least, most = 0, 65535
		case batch.Decimal:
			least, most = -999_999_999, 999_999_999
		case batch.Date:
			least, most = -1_000_000, 4_000_000
		case batch.Time:
			least, most = 0, 86_399_999_999
		case batch.Timestamp:
			span := int64(250_000) * 86400 * perSecond(typ.Unit)
			if typ.Unit == batch.Nano {
				span = math.MaxInt64 - 2e9
			}
			least, most = -span, span
		}
		c.Int64s()[0] = rapid.Int64Range(least, most).Draw(t, "v")
	}
}

func same(a, b *batch.Column) bool {
	if a.Type.Kind() == batch.KindFloat64 {
		x, y := a.Float64s()[0], b.Float64s()[0]
		return math.Float64bits(x) == math.Float64bits(y) || x != x && y != y
	}
	return string(a.Fixed) == string(b.Fixed)
}

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		want   string
		values []string
	}{
		{"null", nil},
		{"int64", []string{"1", "-2", " 3 ", "9223372036854775807", "0"}},
		{"string", []string{"007"}},
		{"string", []string{"+1"}},
		{"string", []string{"9223372036854775808"}}, // no float64 is that
		{"float64", []string{"1", "1.5"}},
		{"float64", []string{"1e3", "nan", "-inf", "1.", ".5"}},
		{"string", []string{"9007199254740993", "1.5"}},
		{"string", []string{"1.5", "0x1p3"}},
		{"string", []string{"1_000.0"}},
		{"bool", []string{"true", "FALSE"}},
		{"string", []string{"true", "1"}},
		{"date", []string{"2024-02-29"}},
		{"string", []string{"2023-02-29"}},
		{"timestamp(us)", []string{"2024-01-01", "2024-01-01 10:00"}},
		{"timestamp(us)", []string{"2024-01-01T10:00:00.123456"}},
		{"timestamp(ns)", []string{"2024-01-01T10:00:00.123456789"}},
		{"timestamp(us, utc)", []string{"2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00"}},
		{"string", []string{"2024-01-01T10:00:00Z", "2024-01-01T10:00:00"}},
		{"string", []string{"2024-01-01", "2024-01-01T10:00:00Z"}},
		{"string", []string{"1", "x"}},
		{"string", []string{"1", "2024-01-01"}},
	} {
		var g Guess
		for _, v := range c.values {
			g.See([]byte(v))
		}
		if got := g.Type().String(); got != c.want {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}

// TestWhatIsGuessedIsRead holds for any text: a type that fits all values reads all.
func TestWhatIsGuessedIsRead(t *testing.T) {
	value := rapid.OneOf(rapid.StringMatching(`-?[0-9]{0,20}(\.[0-9]{0,3})?(e[0-9])?`), rapid.StringMatching(`[12][0-9]{3}-0[0-9]-[0-3][0-9]([T ][01][0-9]:[0-5][0-9](:00(\.[0-9]{1,9})?)?(Z|[+]01:00)?)?`),
		rapid.SampledFrom([]string{"true", "nan", "x", " 1", "inf"}))
	rapid.Check(t, func(t *rapid.T) {
		var g Guess
		cells := &Cells{Stride: 1}
		for _, v := range rapid.SliceOfN(value, 1, 3).Draw(t, "values") {
			if v == "" {
				continue
			}
			g.See([]byte(v))
			cells.Spans = append(cells.Spans, Span{uint32(len(cells.Buf)), uint32(len(v))})
			cells.Buf = append(cells.Buf, v...)
			cells.N++
		}
		if cells.N == 0 {
			return
		}
		pool := mem.NewPool(1 << 20)
		c, err := Convert(pool.Account("test", 0), g.Type(), cells, 0)
		if err != nil {
			t.Fatalf("%s: %v", g.Type(), err)
		}
		c.Release()
	})
}
