package expr

import (
	"time"
	_ "time/tzdata" // zones are known wherever pqjoin runs

	"pqjoin/batch"
)

// commonZones are what a wrong zone is compared with, for the hint.
var commonZones = []string{
	"UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Zurich", "Europe/Amsterdam", "Europe/Vienna", "Europe/Warsaw",
	"Europe/Stockholm", "Europe/Istanbul", "Europe/Moscow", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
	"America/Sao_Paulo", "America/Mexico_City", "Asia/Tokyo", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Kolkata", "Asia/Dubai", "Asia/Seoul",
	"Australia/Sydney", "Australia/Melbourne", "Pacific/Auckland", "Africa/Johannesburg", "Africa/Cairo",
}

// bindTimezone types timezone('zone', t): local times become instants, and instants local times.
func bindTimezone(n *node) (*node, *Error) {
	z := n.args[0]
	if !z.literal() || z.typ.ID != batch.String || z.val.Null {
		return nil, errorAt(z.off, "write it in quotes: 'Europe/Berlin'", "the time zone must be a constant text")
	}
	name := string(z.val.Bytes)
	if _, err := loadZone(name); err != nil {
		return nil, errorAt(z.off, didYouMean(name, commonZones), "no time zone is called %s", shorten(name))
	}
	if err := needClock(n, 1); err != nil {
		return nil, err
	}
	t := n.args[1].typ
	if t.ID == batch.Date {
		t = batch.TimestampOf(batch.Micro, false)
		n.args[1] = conv(n.args[1], t)
	}
	n.typ, n.null = batch.TimestampOf(t.Unit, !t.UTC), n.args[1].null
	return n, nil
}

// loadZone finds a zone by its name. "Local", which differs between machines, is none.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errNotTimestamp
	}
	return time.LoadLocation(name)
}

// zoneClock remembers between which instants the last offset holds.
type zoneClock struct {
	zone      *time.Location
	from, to  int64 // seconds since 1970; the offset holds in [from, to)
	offset    int64
	remembers bool
}

// east returns the seconds by which clocks are ahead of UTC at an instant.
func (z *zoneClock) east(sec int64) int64 {
	if z.remembers && sec >= z.from && sec < z.to {
		return z.offset
	}
	at := time.Unix(sec, 0).In(z.zone)
	_, off := at.Zone()
	start, end := at.ZoneBounds()
	z.from, z.to = -1<<63, 1<<63-1
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
	z.offset, z.remembers = int64(off), true
	return z.offset
}

// eastAtLocal returns the offset at a local time: of two the later instant's, in a gap the one before it.
func (z *zoneClock) eastAtLocal(sec int64) int64 {
	off := z.east(sec)
	if t := sec - off; t-daySeconds >= z.from && t+daySeconds < z.to {
		return off
	}
	before, after := z.east(sec-daySeconds), z.east(sec+daySeconds)
	if z.east(sec-after) == after {
		return after
	}
	return before
}

// maxZoneSeconds bounds the instants for which offsets are asked: beyond it arithmetic on seconds would overflow.
const maxZoneSeconds = 1 << 55

func kernelTimezone(n *node) func(*frame) error {
	zone, err := loadZone(string(n.args[0].val.Bytes))
	if err != nil { // the binder found it
		zone = time.UTC
	}
	per := perSecond(n.typ.Unit)
	return func(f *frame) error {
		in := intsOf(f.args[1])
		z := &zoneClock{zone: zone}
		return eachInt(f, func(i int) (int64, error) {
			v := in(i)
			sec := floorDiv(v, per)
			var off int64
			switch {
			case sec > maxZoneSeconds || sec < -maxZoneSeconds:
			case f.typ.UTC:
				off = -z.eastAtLocal(sec)
			default:
				off = z.east(sec)
			}
			sum := v + off*per
			if (sum < v) != (off < 0) && off != 0 {
				return 0, f.st.rowError("%s does not fit %s in %s", momentText(v, n.args[1].typ), f.typ, zone)
			}
			return sum, nil
		})
	}
}
