package gen

import (
	"context"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

// sortedFiles cuts sorted rows into files.
type sortedFiles struct {
	*sorting
	acct *mem.Account    // the writer's
	w    *parquet.Writer // of the file being written; nil between files
	row  int64           // rows so far
}

// put makes the columns of the ids, which stay the caller's, and writes them.
func (f *sortedFiles) put(ctx context.Context, ids *batch.Batch) error {
	per := f.spec.RowsPerFile
	for at := 0; at < ids.N; {
		if f.w == nil {
			if err := f.begin(ctx); err != nil {
				return err
			}
		}
		n := int(min(int64(ids.N-at), per-f.row%per))
		piece, err := ids.Slice(f.spec.Acct, at, at+n)
		if err != nil {
			return err
		}
		b, err := f.columns(f.row, piece)
		piece.Release()
		if err != nil {
			return err
		}
		if err := f.w.Write(ctx, b); err != nil {
			return err
		}
		at, f.row = at+n, f.row+int64(n)
		if f.row%per == 0 {
			if err := f.end(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *sortedFiles) begin(ctx context.Context) (err error) {
	per := f.spec.RowsPerFile
	f.w, err = f.create(ctx, f.acct, f.path(f.row/per), min(per, f.t.rows-f.row), f.threads)
	return err
}

// end completes the file being written, if there is one.
func (f *sortedFiles) end(ctx context.Context) error {
	if f.w == nil {
		return nil
	}
	_, err := f.w.Close(ctx)
	if err == nil {
		f.w = nil
	}
	return err
}

// close stops a file that is not complete.
func (f *sortedFiles) close() error {
	if f.w != nil {
		f.w.Abort()
	}
	return f.acct.Close()
}
