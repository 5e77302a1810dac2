package expr

// eachInt fills an integer result row by row; rows that are null are not asked for.
func eachInt(f *frame, row func(i int) (int64, error)) error {
	out := f.out.Int64s()
	for i := range out {
		if f.null(i) {
			continue
		}
		v, err := row(i)
		if err != nil {
			return err
		}
		out[i] = v
	}
	return nil
}

// rows lets row put the text of every row that is not null.
func (f *frame) rows(row func(i int) error) error {
	for i := range f.n {
		if !f.null(i) {
			if err := row(i); err != nil {
				return err
			}
		}
		f.w.end()
	}
	return nil
}

// eachText makes a kernel of a function that appends its result of one text to dst.
func eachText(fn func(dst, s []byte) []byte) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error {
			in := textsOf(f.args[0])
			var scratch []byte
			return f.rows(func(i int) error {
				scratch = fn(scratch[:0], in.at(i))
				return f.w.put(scratch)
			})
		}
	}
}

// tryText is eachText for functions that fail for some texts.
func tryText(f *frame, fn func(dst, s []byte) ([]byte, string)) error {
	in := textsOf(f.args[0])
	var scratch []byte
	return f.rows(func(i int) error {
		var why string
		if scratch, why = fn(scratch[:0], in.at(i)); why != "" {
			return f.st.rowError("'%s' %s", shorten(printable(in.at(i))), why)
		}
		return f.w.put(scratch)
	})
}
