// Package parquet reads and writes Parquet files, in memory that does not grow with a
// file, a row group, a chunk or a page. It is the only importer of parquet-go.
//
// Reading. A File is a footer, checked and kept small; ReadRowGroup opens a Stream over
// some of its columns, which advance together:
//
//	file -- pread in pieces --> source -- codec --> window -- encoding --> column
//	        (one buffer a column)      (a page, or 64 KiB to 1 MiB of a big one)
//
// Invariants:
//
//   - What a file says about itself is checked before anything is allocated for it:
//     offsets against the file's size, sizes against the chunk's remaining bytes and the
//     codec's best ratio, counts against the row group's rows, codes against the dictionary.
//   - Memory comes from the caller's account. A page that is small is decoded whole; a big
//     one in pieces, whatever the codec; a dictionary must fit.
//   - A nested column is one column of bytes (package nested): its leaves advance in lock-step, a piece of a page
//     of each at a time, and entries that disagree are corruption. Pages that are written begin with a row.
//   - Bytes that make no sense give an error that wraps ErrCorrupt, what we cannot read one
//     that wraps ErrUnsupported, a file that changed under us ErrChanged; each is one
//     sentence that names the file, and the column and page where there is one.
//     Panics of libraries end at this border.
package parquet
