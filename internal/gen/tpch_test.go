package gen

import "testing"

func TestOrdersAgreeWithTheirLines(t *testing.T) {
	for _, rows := range []int64{1, 27, 28, 29, 30, 55, 20_000, 20_011} {
		p := Params{Rows: rows, RowsPerFile: 6_000}
		p.Table = "tpch-lineitem"
		lines := readTable(t, write(t, p, 2, 300<<20))
		p.Table, p.RowsPerFile = "tpch-orders", 1_999
		orders := readTable(t, write(t, p, 2, 300<<20))
		if n := orders["o_orderkey"].n; int64(n) != (rows+3)/4 {
			t.Errorf("%d orders of %d lines", n, rows)
		}
		line := 0
		for o, key := range orders["o_orderkey"].ints {
			line = checkOrder(t, lines, orders, o, key, line)
		}
		if line != lines["l_orderkey"].n {
			t.Errorf("%d lines of %d have an order", line, lines["l_orderkey"].n)
		}
	}
}

// checkOrder compares order o with its lines, of which line is the first, and returns the first line of the next.
func checkOrder(t *testing.T, lines, orders map[string]*values, o int, key int64, line int) int {
	t.Helper()
	total, status, first := int64(0), "", line
	for ; line < lines["l_orderkey"].n && lines["l_orderkey"].ints[line] == key; line++ {
		if n := lines["l_linenumber"].ints[line]; n != int64(line-first+1) {
			t.Fatalf("line %d of order %d has number %d", line-first+1, key, n)
		}
		total += lines["l_extendedprice"].ints[line] * (100 - lines["l_discount"].ints[line]) / 100 * (100 + lines["l_tax"].ints[line]) / 100
		switch s := lines["l_linestatus"].texts[line]; status {
		case "", s:
			status = s
		default:
			status = "P"
		}
		if d := lines["l_shipdate"].ints[line] - orders["o_orderdate"].ints[o]; d < 1 || d > 121 {
			t.Fatalf("order %d is shipped after %d days", key, d)
		}
	}
	if n := line - first; n < 1 || n > 7 || total != orders["o_totalprice"].ints[o] || status != orders["o_orderstatus"].texts[o] {
		t.Fatalf("order %d, %s, %d cents: its %d lines say %s, %d", key, orders["o_orderstatus"].texts[o], orders["o_totalprice"].ints[o], n, status, total)
	}
	return line
}

func TestLinesHaveTPCHsRanges(t *testing.T) {
	lines := readTable(t, write(t, Params{Table: "tpch-lineitem", Rows: 30_000}, 2, 300<<20))
	for name, r := range map[string][2]int64{
		"l_partkey": {1, 1000}, "l_suppkey": {1, 50}, "l_linenumber": {1, 7}, "l_quantity": {100, 5000}, "l_discount": {0, 10}, "l_tax": {0, 8},
		"l_shipdate": {firstDate + 1, lastOrder + 121}, "l_commitdate": {firstDate + 30, lastOrder + 90}, "l_receiptdate": {firstDate + 2, lastOrder + 151},
	} {
		lines[name].within(t, name, r[0], r[1])
	}
	for i, s := range lines["l_comment"].texts {
		if len(s) < 10 || len(s) > 43 {
			t.Fatalf("the comment of row %d has %d letters", i, len(s))
		}
		late := lines["l_receiptdate"].ints[i] > currentDate
		if late != (lines["l_returnflag"].texts[i] == "N") {
			t.Fatalf("row %d has flag %s", i, lines["l_returnflag"].texts[i])
		}
	}
	for name, n := range map[string]int{"l_returnflag": 3, "l_linestatus": 2, "l_shipinstruct": 4, "l_shipmode": 7} {
		if d := distinct(lines[name].texts, nil); d != n {
			t.Errorf("%s has %d values", name, d)
		}
	}
}

func TestAThirdOfTheCustomersHaveNoOrders(t *testing.T) {
	orders := readTable(t, write(t, Params{Table: "tpch-orders", Rows: 60_000}, 2, 300<<20))
	customers := readTable(t, write(t, Params{Table: "tpch-customer", Rows: 60_000}, 2, 300<<20))
	orders["o_custkey"].within(t, "o_custkey", 1, 1500)
	if n := distinct(orders["o_custkey"].ints, nil); n != 1000 {
		t.Errorf("%d customers have orders", n)
	}
	for i, key := range customers["c_custkey"].ints {
		if key != int64(i+1) || key%3 == 0 && key > 1500 {
			t.Fatalf("customer %d has key %d", i, key)
		}
	}
	customers["c_acctbal"].within(t, "c_acctbal", -99_999, 999_999)
}
