package parquet

import "encoding/binary"

// Room that one element may touch beyond what it says: copies go 8 bytes at a time.
const (
	fastSrc = 5 + 60 + 8
	fastDst = 64 + 16
)

// fast decompresses elements while input and room are ample, so that nothing has to be
// checked byte by byte. It stops before an element that is long, unusual or wrong: those
// are left to element and pending.
func (z *snappy) fast(w *window) {
	src := z.in.b[z.in.r:z.in.w]
	dst := w.b[:min(int64(len(w.b)), int64(w.w)+w.left)]
	s, d := 0, w.w
	for s+fastSrc <= len(src) && d+fastDst <= len(dst) {
		tag := int(src[s])
		var n, offset, used int
		switch tag & 3 {
		case 0:
			if n = tag>>2 + 1; n > 60 {
				goto done
			}
			in, out := src[s+1:s+1+64], dst[d:d+64]
			if n <= 16 {
				copy(out[:16], in[:16])
			} else {
				copy(out, in)
			}
			s, d = s+1+n, d+n
			continue
		case 1:
			n, offset, used = 4+tag>>2&7, tag>>5<<8|int(src[s+1]), 2
		case 2:
			n, offset, used = 1+tag>>2, int(binary.LittleEndian.Uint16(src[s+1:])), 3
		default:
			goto done
		}
		if offset > d || offset == 0 {
			goto done
		}
		if from := d - offset; offset >= 8 {
			in, out := dst[from:from+n+8], dst[d:d+n+8]
			for i := 0; i < n; i += 8 {
				binary.LittleEndian.PutUint64(out[i:], binary.LittleEndian.Uint64(in[i:]))
			}
		} else {
			for i := range n {
				dst[d+i] = dst[from+i]
			}
		}
		s, d = s+used, d+n
	}
done:
	z.in.advance(s)
	w.produced(d - w.w)
}
