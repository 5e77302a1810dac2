// Package spillfile is the partition store: rows are scattered into partitions, kept
// as encoded blocks in memory while there is room, written to disk when there is none,
// and read back partition by partition in an order that does not depend on either.
//
// The life of a Store: New; Append by several workers at once; Seal; Load or Stream
// partitions in ascending order, by several workers at once; Drop each when it has been
// used; Close. A Dir is the directory of one run, which may hold the files of many stores.
//
// Invariants:
//
//   - A partition's rows come back ordered by unit, and within a unit as they were
//     appended, whatever was spilled and however many workers there were.
//   - What came in, what was sealed and what is loaded have the same number of rows and
//     the same column sums, or the call returns ErrLost.
//   - Blocks are the same bytes in memory and on disk, but for the header and a codec. Whatever
//     is read from disk is verified first: ErrCorrupt names the store, the partition and the block. Nor is what
//     verifies trusted: no bytes make a reader panic, or take more memory than the account has.
//   - Memory comes from accounts; spilling allocates none. Bytes on disk are counted against
//     the quota before they are written.
//   - Files have no name once they are open, but those of kept stores: nothing else is left over when the owner dies.
//     The directory is locked by its owner, and removed by the next run when the owner is dead.
//
// # Format
//
// A file is a sequence of blocks, of the partitions that share the file. Numbers are little endian.
//
//	block   +-------+-------+--------+-----+------+-----------+----------+-------+-------+---------+
//	        | magic | crc32c| length | raw | rows | partition | sequence | codec | store | payload |
//	        +-------+-------+--------+-----+------+-----------+----------+-------+-------+---------+
//	bytes       4       4       8       8     4        4           4         4       8     length
//
// The checksum covers everything behind it, the payload as stored included. raw is the
// payload's length once decompressed; codec is 0 for none or 1 for S2, which is used where a sample
// shrinks by 10 % or more. A block's sequence is its number in its partition, and store is a
// random number of the store: a block swapped, repeated, stale or lost shows.
//
//	payload  a column after the other, each
//
//	        +-----+-------+-------+---+-------+------+------+------+-----+--------+--------+------+
//	        | enc | width | flags | 0 | nulls | size | base | data | sum | bitmap | values | data |
//	        +-----+-------+-------+---+-------+------+------+------+-----+--------+--------+------+
//	bytes      1      1       1     1     4      8      8      8      8     padded to 8 bytes each
//
//	enc 1   integers, and the bits of floats: base plus an unsigned number of width 0 to 8 bytes
//	enc 2   float64 values that are exactly float32: 4 bytes
//	enc 3   bools: a bitmap
//	enc 4   128-bit integers: 16 bytes
//	enc 5   bytes: lengths as in enc 1, of width 0, 1, 2 or 4, then data bytes of values
//	enc 6   bytes: numbers of values in the store's dictionary of the column, likewise
//
// Blocks are written and read in chunks, one behind the other. Where the chunks of a partition lie is said by its ledger, a record
// for each chunk, cut into pages which lie between the blocks of the file:
//
//	page    a block's header, of codec 2, no rows and the page's number as its sequence; then the next bytes of the ledger
//	record  length (4 bytes), then as varints: offset, bytes on disk, 2*blocks + 1 for S2; for each block in the order in which
//	        they lie its sequence, bytes and segments, and for each of these unit and rows
//
// The last page of each partition is in memory, and of the others 16 bytes each.
//
// The dictionaries of enc 6 stay in memory for as long as the store does. The bitmap (least significant bit first, 1 = not null) is there where flags has bit 0.
//
// # Kept stores
//
// A store with Spec.Keep outlives its run as a finished stage in a Keep, a directory of a job:
//
//	pqjoin-keep-JOB-KEY/
//	    lock             held by the run that uses the directory
//	    about            what KEY was made of
//	    NAME.0.spill ... blocks, as above, of a group of partitions each
//	    NAME.dict        the dictionaries: of each its offsets (4 bytes each), then its values
//	    NAME.index       where the pages of the ledgers lie: a gob stream
//	    NAME.stage       the checksum (SHA-256) of the index, and the owner's note
//
// about and NAME.stage begin with a line that has their own checksum. NAME.stage gets its name last, when all
// else is synced: a stage without it is not finished, and its files are removed when the directory is next opened.
package spillfile
