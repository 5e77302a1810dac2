package gen

import (
	"time"

	"pqjoin/batch"
)

// Tables with the columns, distributions and dependencies of TPC-H's (TPC Benchmark H, section 4.2.3), with
// numbers of our own. Their scale is the rows of lineitem: 6,000,000 are about scale factor 1.

// Orders come in groups of seven, which have one to seven lines in pseudo-random order: so where an order's
// lines stand follows from its number alone. The orders of the last group, if it is not whole, have four each.
const (
	groupOrders = 7
	groupLines  = 28
)

// tpch is what the three tables share.
type tpch struct {
	p                                        *Params
	lines, orders, customers, parts, clerks  int64
	suppliers                                int64
	shuffle, date, ship, commit, receipt     stream
	part, supplier, quantity, discount, rate stream
}

var (
	firstDate   = day(1992, time.January, 1)
	lastOrder   = day(1998, time.August, 2)
	currentDate = day(1995, time.June, 17)
)

// day returns a date as days since 1970.
func day(y int, m time.Month, d int) int64 {
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

func newTPCH(p *Params) *tpch {
	s := func(name string) stream { return p.stream("tpch/" + name) }
	n := p.Rows
	return &tpch{p: p, lines: n, orders: (n + 3) / 4, customers: max(n/40, 1), parts: max(n/30, 1), suppliers: max(n/600, 4), clerks: max(n/6000, 1),
		shuffle: s("lines"), date: s("orderdate"), ship: s("shipdate"), commit: s("commitdate"), receipt: s("receiptdate"),
		part: s("partkey"), supplier: s("suppkey"), quantity: s("quantity"), discount: s("discount"), rate: s("tax")}
}

func tpchKinds() []Kind {
	kind := func(name, about string, build func(*tpch) []column, rowCount func(*tpch) int64, ids func(*tpch) []idFunc) Kind {
		return Kind{Name: "tpch-" + name, About: about, rowsPerFile: 2_500_000, shape: Pyarrow, build: func(p *Params) (*table, error) {
			t := newTPCH(p)
			return &table{rows: rowCount(t), ids: ids(t), cols: build(t)}, nil
		}}
	}
	return []Kind{
		kind("lineitem", "TPC-H's lineitem, in the order of l_orderkey; 6,000,000 rows are about scale factor 1",
			(*tpch).lineitem, func(t *tpch) int64 { return t.lines }, (*tpch).lineIDs),
		kind("orders", "its orders, a quarter as many", (*tpch).ordersTable, func(t *tpch) int64 { return t.orders }, (*tpch).orderIDs),
		kind("customer", "its customers, a fortieth as many", (*tpch).customer, func(t *tpch) int64 {
			if t.lines == 0 {
				return 0
			}
			return t.customers
		}, func(*tpch) []idFunc { return nil }),
	}
}

// orderKey is the key of order o, sparse as TPC-H has it: the first 8 of each 32 numbers are used.
func orderKey(o int64) int64 { return o/8*32 + o%8 + 1 }

// lineCursor walks over lines.
type lineCursor struct {
	t      *tpch
	group  int64
	order  int // within the group
	number int // of the line within the order, from 1
	counts [groupOrders]int8
}

// counts returns how many lines the orders of a group have.
func (t *tpch) counts(group int64) (c [groupOrders]int8) {
	if group >= t.lines/groupLines {
		return [groupOrders]int8{4, 4, 4, 4, 4, 4, 4}
	}
	c = [groupOrders]int8{1, 2, 3, 4, 5, 6, 7}
	x := t.shuffle.at(group)
	for i := uint64(groupOrders - 1); i > 0; i-- { // Fisher and Yates's shuffle
		j := x % (i + 1)
		x /= i + 1
		c[i], c[j] = c[j], c[i]
	}
	return c
}

// lineAt returns a cursor before line row.
func (t *tpch) lineAt(row int64) lineCursor {
	c := lineCursor{t: t, group: row / groupLines}
	c.counts = t.counts(c.group)
	for range row % groupLines {
		c.next()
	}
	return c
}

// next returns the number of the next line's order, and the line's within it.
func (c *lineCursor) next() (order int64, line int) {
	if c.number == int(c.counts[c.order]) {
		c.number = 0
		if c.order++; c.order == groupOrders {
			c.order = 0
			c.group++
			c.counts = c.t.counts(c.group)
		}
	}
	c.number++
	return c.group*groupOrders + int64(c.order), c.number
}

// firstLine returns the first row of an order's lines.
func (t *tpch) firstLine(order int64) int64 {
	row, counts := order/groupOrders*groupLines, t.counts(order/groupOrders)
	for _, n := range counts[:order%groupOrders] {
		row += int64(n)
	}
	return row
}

func (t *tpch) orderDate(order int64) int64 {
	return firstDate + t.date.below(order, lastOrder-firstDate+1)
}
func (t *tpch) shipDate(row, ordered int64) int64 { return ordered + 1 + t.ship.below(row, 121) }
func (t *tpch) partKey(row int64) int64           { return 1 + t.part.below(row, t.parts) }

// price is what a line costs in cents, before discount and tax; a part's price follows from its key.
func (t *tpch) price(row int64) int64 {
	part := t.partKey(row)
	return t.units(row) * (90_000 + part/10%20_001 + 100*(part%1000))
}

func (t *tpch) units(row int64) int64      { return 1 + t.quantity.below(row, 50) }
func (t *tpch) percentOff(row int64) int64 { return t.discount.below(row, 11) }
func (t *tpch) taxPercent(row int64) int64 { return t.rate.below(row, 9) }

// The ids of a line.
const (
	lineOrder = iota
	lineNumber
	lineOrdered // dates
	lineShipped
	lineReceived
)

func (t *tpch) lineIDs() []idFunc {
	return []idFunc{
		func(r *rows, dst []int64) {
			c := t.lineAt(r.from)
			for i := range dst {
				dst[i], _ = c.next()
			}
		},
		func(r *rows, dst []int64) {
			c := t.lineAt(r.from)
			for i := range dst {
				_, n := c.next()
				dst[i] = int64(n)
			}
		},
		func(r *rows, dst []int64) {
			for i := range dst {
				dst[i] = t.orderDate(r.ids[lineOrder][i])
			}
		},
		func(r *rows, dst []int64) {
			for i := range dst {
				dst[i] = t.shipDate(r.from+int64(i), r.ids[lineOrdered][i])
			}
		},
		func(r *rows, dst []int64) {
			for i := range dst {
				dst[i] = r.ids[lineShipped][i] + 1 + t.receipt.below(r.from+int64(i), 30)
			}
		},
	}
}

func (t *tpch) lineitem() []column {
	s := func(name string) stream { return t.p.stream("tpch/" + name) }
	returned := s("l_returnflag")
	return []column{
		each("l_orderkey", int64Type, func(r *rows, i int) int64 { return orderKey(r.ids[lineOrder][i]) }),
		each("l_partkey", int64Type, func(r *rows, i int) int64 { return t.partKey(r.from + int64(i)) }),
		each("l_suppkey", int64Type, func(r *rows, i int) int64 { return t.supplierOf(r.from + int64(i)) }),
		number("l_linenumber", int32Type, lineNumber),
		each("l_quantity", moneyType, func(r *rows, i int) int64 { return 100 * t.units(r.from+int64(i)) }),
		each("l_extendedprice", moneyType, func(r *rows, i int) int64 { return t.price(r.from + int64(i)) }),
		each("l_discount", moneyType, func(r *rows, i int) int64 { return t.percentOff(r.from + int64(i)) }),
		each("l_tax", moneyType, func(r *rows, i int) int64 { return t.taxPercent(r.from + int64(i)) }),
		chosen("l_returnflag", []string{"N", "R", "A"}, func(r *rows, i int) uint32 {
			if r.ids[lineReceived][i] > currentDate {
				return 0
			}
			return 1 + uint32(returned.below(r.from+int64(i), 2))
		}),
		chosen("l_linestatus", []string{"F", "O"}, func(r *rows, i int) uint32 { return open(r.ids[lineShipped][i]) }),
		number("l_shipdate", dateType, lineShipped),
		each("l_commitdate", dateType, func(r *rows, i int) int64 { return r.ids[lineOrdered][i] + 30 + t.commit.below(r.from+int64(i), 61) }),
		number("l_receiptdate", dateType, lineReceived),
		pick("l_shipinstruct", s("l_shipinstruct"), "DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"),
		pick("l_shipmode", s("l_shipmode"), "REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"),
		prose("l_comment", s("l_comment"), 10, 43),
	}
}

// open is 1 for a line that was not yet shipped on the current date.
func open(shipped int64) uint32 {
	if shipped > currentDate {
		return 1
	}
	return 0
}

// supplierOf is one of the four suppliers of the line's part.
func (t *tpch) supplierOf(row int64) int64 {
	part, s := t.partKey(row), t.suppliers
	return (part+t.supplier.below(row, 4)*(s/4+(part-1)/s))%s + 1
}

// each is a column of values of eight bytes made one by one.
func each(name string, typ batch.Type, value func(r *rows, i int) int64) column {
	return column{name: name, typ: typ, words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = uint64(value(r, i))
		}
	}}
}

// chosen is a column of texts chosen one by one.
func chosen(name string, choice []string, index func(r *rows, i int) uint32) column {
	return column{name: name, typ: stringType, choice: choice, code: func(r *rows, dst []uint32) {
		for i := range dst {
			dst[i] = index(r, i)
		}
	}}
}
