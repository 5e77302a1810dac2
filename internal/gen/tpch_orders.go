package gen

// The ids of an order.
const (
	orderTotal = iota // cents
	orderOpen         // lines not yet shipped on the current date: 0 none, 1 all, 2 some
	orderCustomer
)

func (t *tpch) orderIDs() []idFunc {
	customer := t.p.stream("tpch/o_custkey")
	return []idFunc{
		func(r *rows, dst []int64) {
			t.perOrder(r.from, dst, func(_, row, sum int64) int64 {
				off := t.price(row) * (100 - t.percentOff(row)) / 100
				return sum + off*(100+t.taxPercent(row))/100
			})
		},
		func(r *rows, dst []int64) {
			t.perOrder(r.from, dst, func(order, row, seen int64) int64 {
				return seen | 1<<open(t.shipDate(row, t.orderDate(order)))
			})
			for i, seen := range dst {
				dst[i] = seen - 1 // 1: shipped lines, 2: open ones, 3: both
			}
		},
		func(r *rows, dst []int64) { // a third of the customers have no orders
			for i := range dst {
				c := customer.below(r.from+int64(i), t.customers-t.customers/3)
				dst[i] = c/2*3 + c%2 + 1
			}
		},
	}
}

// perOrder folds the lines of each order, from order first on, into dst.
func (t *tpch) perOrder(first int64, dst []int64, fold func(order, row, so int64) int64) {
	clear(dst)
	row := t.firstLine(first)
	c := t.lineAt(row)
	for ; row < t.lines; row++ {
		order, _ := c.next()
		if order-first >= int64(len(dst)) {
			return
		}
		dst[order-first] = fold(order, row, dst[order-first])
	}
}

func (t *tpch) ordersTable() []column {
	s := func(name string) stream { return t.p.stream("tpch/" + name) }
	clerk := s("o_clerk")
	return []column{
		each("o_orderkey", int64Type, func(r *rows, i int) int64 { return orderKey(r.from + int64(i)) }),
		number("o_custkey", int64Type, orderCustomer),
		chosen("o_orderstatus", []string{"F", "O", "P"}, func(r *rows, i int) uint32 { return uint32(r.ids[orderOpen][i]) }),
		number("o_totalprice", moneyType, orderTotal),
		each("o_orderdate", dateType, func(r *rows, i int) int64 { return t.orderDate(r.from + int64(i)) }),
		pick("o_orderpriority", s("o_orderpriority"), "1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"),
		{name: "o_clerk", typ: stringType, longest: len("Clerk#") + 20, text: func(r *rows, i int, dst []byte) []byte {
			return appendDigits(append(dst, "Clerk#"...), 1+clerk.below(r.from+int64(i), t.clerks), 9)
		}},
		each("o_shippriority", int32Type, func(*rows, int) int64 { return 0 }),
		prose("o_comment", s("o_comment"), 19, 78),
	}
}

func (t *tpch) customer() []column {
	s := func(name string) stream { return t.p.stream("tpch/" + name) }
	nation, phone := s("c_nationkey"), s("c_phone")
	return []column{
		each("c_custkey", int64Type, func(r *rows, i int) int64 { return r.from + int64(i) + 1 }),
		{name: "c_name", typ: stringType, longest: len("Customer#") + 20, text: func(r *rows, i int, dst []byte) []byte {
			return appendDigits(append(dst, "Customer#"...), r.from+int64(i)+1, 9)
		}},
		prose("c_address", s("c_address"), 10, 40),
		whole("c_nationkey", int32Type, nation, 0, 25),
		{name: "c_phone", typ: stringType, longest: 15, text: func(r *rows, i int, dst []byte) []byte {
			row := r.from + int64(i)
			x := phone.at(row)
			dst = appendDigits(dst, 10+nation.below(row, 25), 2)
			dst = appendDigits(append(dst, '-'), 100+int64(x%900), 3)
			dst = appendDigits(append(dst, '-'), 100+int64(x>>16%900), 3)
			return appendDigits(append(dst, '-'), 1000+int64(x>>32%9000), 4)
		}},
		whole("c_acctbal", moneyType, s("c_acctbal"), -99_999, 1_000_000),
		pick("c_mktsegment", s("c_mktsegment"), "AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"),
		prose("c_comment", s("c_comment"), 29, 116),
	}
}
