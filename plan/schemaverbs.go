package plan

import "strings"

// pipeline is a list of steps that begins with from.
func (j schemas) pipeline() obj {
	ref := obj{"$ref": "#/$defs/step"}
	return obj{"type": "array", "minItems": 1, "prefixItems": []obj{{"allOf": []obj{ref, {"required": []string{"from"}}}}}, "items": ref}
}

// step is one verb with what it does.
func (j schemas) step() obj {
	o := j.object(builtVerbs, obj{
		"from":     j.described(j.text(), "Starts a table: the input or table that it reads."),
		"select":   j.described(j.items(), "Keeps columns, in this order; {new: expression} computes one."),
		"compute":  j.described(j.filled(j.mapping(j.expression())), "Adds or replaces columns: {name: expression}, in order."),
		"drop":     j.described(j.texts(), "Leaves columns out."),
		"rename":   j.described(j.filled(j.mapping(j.text())), "Renames columns: {old: new}."),
		"where":    j.described(j.expression(), "Keeps the rows for which this condition is true."),
		"index":    j.described(j.index(), "Sorts, stably, and the table is then indexed. Nulls last by default."),
		"lag":      j.described(j.lag(), "Shifts columns within a group."),
		"window":   j.described(j.window(), "Adds columns that are computed over the rows of a group."),
		"join":     j.described(j.join(), "Joins another table."),
		"groupby":  j.described(j.groupby(), "Makes one row of each key."),
		"distinct": j.described(j.distinct(), "Keeps one row of each key: all, [columns], or {by, keep}."),
		"union":    j.described(j.texts(), "Puts other tables behind this one, columns matched by name."),
		"head":     j.described(j.whole(0), "Keeps the first rows."),
		"check":    j.described(j.check(), "Checks the data while it passes: a failed check ends the run with exit code 3."),
		"persist":  j.described(j.flag(), "Makes the table here, once, where several read it."),
	})
	o["minProperties"], o["maxProperties"] = 1, 1
	return o
}

// items is a list of columns, of which some may be computed.
func (j schemas) items() obj {
	computed := j.mapping(j.expression())
	return j.anyOf(j.text(), computed, j.list(j.anyOf(j.text(), computed)))
}

func (j schemas) keys() obj {
	return j.described(j.texts(), "Columns, each maybe with desc behind it.")
}

func (j schemas) index() obj {
	return j.anyOf(j.keys(), j.object(indexKeys, obj{
		"by":     j.keys(),
		"nulls":  j.described(j.choice(ends), "Where nulls come: last (default) or first."),
		"unique": j.described(j.flag(), "Two rows with one key are a failed check."),
	}, "by"))
}

func (j schemas) lag() obj {
	period := obj{"type": "integer", "minimum": -maxPeriod, "maximum": maxPeriod}
	return j.object(lagKeys, obj{
		"column":   j.described(j.texts(), "The column that is shifted, or a list."),
		"by":       j.described(j.texts(), "The group. Default: the whole table."),
		"periods":  j.described(j.anyOf(j.orVariable(period), j.list(j.orVariable(period))), "How many rows back, or a list; 0 is the row itself, negative looks ahead. Default: 1."),
		"as":       j.described(j.text(), "The names, with {column} and {period}. Default: {column}_lag_{period}."),
		"apply":    j.described(j.expression(), "An expression of value, computed before the shift."),
		"order_by": j.described(j.keys(), "The order within the group."),
	}, "column")
}

func (j schemas) window() obj {
	columns := j.filled(j.mapping(j.call(windowNames())))
	return j.object(windowKeys, obj{
		"by":       j.described(j.anyOf(j.text(), obj{"type": "array", "items": j.text()}), "The group. Default: the whole table."),
		"order_by": j.described(j.keys(), "The order within the group."),
		"columns":  j.described(columns, "{name: function}: "+strings.Join(windowNames(), ", ")+"."),
	}, "columns")
}

func (j schemas) join() obj {
	on := j.anyOf(j.texts(), j.filled(j.mapping(j.text())))
	props := obj{
		"asof": j.described(j.object(asofKeys, obj{
			"on":        j.described(j.anyOf(j.texts(), j.filled(j.mapping(j.text()))), "The column to come near to: of times or numbers, or {left: right}."),
			"by":        j.described(j.anyOf(on, obj{"type": "array", "maxItems": 0}), "Columns that must be equal, as in on of the join."),
			"direction": j.described(j.choice(directions), "Default: backward, the last right row that is not after the left row."),
			"tolerance": j.described(j.text(), "The greatest distance: a number, or a length of time such as 5 minutes."),
		}, "on"), "Of an as-of join: what it comes near to."),
		"with":      j.described(j.text(), "The right table."),
		"on":        j.described(on, "The keys: a column, a list, or {left: right}."),
		"how":       j.described(j.choice(builtJoins), "Which rows without a match are kept. Default: inner."),
		"validate":  j.described(j.choice(validates), "A side that says 1 must have each key once. Default: m:m."),
		"suffix":    j.described(j.text(), "For right columns whose names the left has already. Default: _right."),
		"indicator": j.described(j.text(), "A column that says which sides a row has: both, left_only, right_only."),
		"nulls":     j.described(j.choice(joinNulls), "distinct (default): a null key matches nothing; equal: nulls match each other."),
		"max_rows":  j.described(j.whole(1), "The run refuses to make more rows."),
		"strategy":  j.described(j.choice(strategies), "How it is computed. Default: auto."),
	}
	return j.object(joinKeys, props, "with")
}

func (j schemas) groupby() obj {
	agg := j.mapping(j.call(aggNames))
	return j.object(groupbyKeys, obj{
		"by":    j.described(j.anyOf(j.items(), obj{"type": "array", "maxItems": 0}), "The keys: columns, or {name: expression}. []: one row over everything."),
		"agg":   j.described(agg, "{name: aggregate}: "+strings.Join(aggNames, ", ")+", each maybe with filter (where condition)."),
		"sort":  j.described(j.flag(), "true (default): the result is indexed by the keys."),
		"nulls": j.described(j.choice(groupNulls), "keep (default): null keys make a group; drop: such rows are left out."),
	}, "by", "agg")
}

func (j schemas) distinct() obj {
	return j.anyOf(obj{"const": "all"}, obj{"type": "string", "pattern": `\$\{`}, j.list(j.text()), j.object(distinctKeys, obj{
		"by":   j.described(j.texts(), "The columns that are compared."),
		"keep": j.described(j.choice(ends), "Which row of several is kept, by the table's order. Default: first."),
	}, "by"))
}

func (j schemas) check() obj {
	return j.filled(j.object(checkKeys, obj{
		"rows": j.described(j.filled(j.object(rowsKeys, obj{
			"min": j.described(j.whole(0), "At least so many."),
			"max": j.described(j.whole(0), "At most so many."),
		})), "How many rows there may be."),
		"not_null": j.described(j.texts(), "Columns that must not be null."),
		"unique":   j.described(j.texts(), "Columns that together must not repeat."),
		"expect":   j.described(j.anyOf(j.expression(), j.list(j.expression())), "Conditions that must be true of every row."),
		"on_fail":  j.described(j.choice(onFail), "error (default) ends the run; warn prints a warning."),
	}))
}
