// Package groupby makes one row of each key: external hash aggregation (Grouper), and
// streaming aggregation of rows that are already ordered by the keys (Ordered).
//
//	rows -> a table per worker --fits--> one table -> sorted -> groups
//	          | full, reduced its input: groups as partial states
//	          | full, did not: rows of unknown keys, as they are
//	          v
//	        a table per partition, shared by the workers (shared.go) --fit--> groups
//	          | memory is too little for all groups, or an order is asked for
//	          v
//	        partitions by key range or hash, in stores
//	          |
//	        partition -> a table --fits--> sorted -> groups
//	          | does not: cut again, by ranges of its own keys or other bits of the hash
//
// Where a quantile of numbers of one word is asked for (holistic), all rows go to partitions as they are, and the values of the one that is merged
// are kept beside its table.
//
// Invariants:
//
//   - Partial states merge exactly: counts and integer sums in 64, 128 or 192 bits, float sums by
//     package binsum, min and max in a total order, first and last by the position of the row. So the
//     result does not depend on workers, memory, partitions, or on which way a row went.
//   - Memory is bounded by the tables, whatever the number of groups; values of bytes lie in an arena
//     that is part of a table's bound. One group's values may exceed it: then the account decides.
//   - An integer or decimal sum is checked against its type at the end, never on the way.
//
// Where SQL leaves a choice, DuckDB's is taken: null arguments are ignored by all but first and
// last, which take the value of one row, null or not; a group without values has a null sum, mean,
// min and max, and count 0; without keys there is one group, of no rows even. NaN is one key and
// greater than any number; -0.0 and 0.0 are one key, put out as 0.0; min and max put -0.0 below 0.0.
package groupby
