package parquet

// fast decompresses whole sequences while input and room are ample and their lengths short. It
// stops before one that is long, unusual, wrong or the block's last: those are left to step and
// pending. A sequence costs about 4 ns.
func (z *lz4Blocks) fast(w *window) {
	src := z.in.b[z.in.r:z.in.w]
	src = src[:min(int64(len(src)), z.block)]
	dst := w.b[:min(int64(len(w.b)), int64(w.w)+w.left)]
	s, d := 0, w.w
	for s+fastSrc <= len(src) && d+2*fastDst <= len(dst) {
		in := (*[fastSrc]byte)(src[s:])
		token := int(in[0])
		lits, n, used := token>>4, token&15+4, 0
		if lits == 15 {
			if lits += int(in[1]); lits > 64-4 {
				break
			}
			move64((*[64]byte)(dst[d:]), (*[64]byte)(src[s+2:]), lits)
			used = 1
		} else {
			*(*[16]byte)(dst[d:]) = *(*[16]byte)(in[1:])
		}
		match := src[s+1+used+lits:]
		used += 1 + lits + 2
		offset := int(match[0]) | int(match[1])<<8
		if n == 15+4 {
			if n += int(match[2]); n > 64 {
				break
			}
			used++
		}
		to := d + lits
		if offset > to || offset == 0 {
			break
		}
		if offset >= 16 {
			move64((*[64]byte)(dst[to:]), (*[64]byte)(dst[to-offset:]), n)
		} else {
			repeat(dst, to, offset, n)
		}
		s, d = s+used, to+n
	}
	z.in.advance(s)
	z.block -= int64(s)
	z.frame -= int64(d - w.w)
	w.produced(d - w.w)
}
