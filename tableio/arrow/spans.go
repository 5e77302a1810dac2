package arrow

import "slices"

// Spans returns the columns of durations in a schema that other files carry: Parquet files, in which they are whole numbers. message is
// an encapsulated message; of one that is no schema, or is malformed, there are none.
func Spans(message []byte) (columns []string) {
	if len(message) < 8 {
		return nil
	}
	err := decode(func() {
		skip := 4 // the length, before which newer ones have a marker
		if u32(message, 0) == 0xffffffff {
			skip = 8
		}
		head := root(message[skip:])
		schema, ok := head.table(2)
		if !ok || head.byte(1, 0) != 1 {
			return
		}
		names := 0 // bytes
		for i, fields := uint32(0), schema.vector(1, 4); i < fields.n; i++ {
			f := fields.table(i)
			if names += int(f.vector(0, 1).n); names > len(message) {
				refuse("the names of its columns lie in each other")
			}
			if f.byte(2, 0) == typeDuration {
				columns = append(columns, f.string(0))
			}
		}
	})
	if err != nil {
		return nil
	}
	return slices.Clip(columns)
}
