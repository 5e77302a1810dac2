package parquet

// Room that one element may touch, whatever it says: moves are 16 bytes wide.
const (
	fastSrc = 2 + 64
	fastDst = 64
)

// fast decompresses elements while input and room are ample, so that little has to be
// checked. It stops before an element that is long, unusual or wrong: those are left to
// element and pending. Looking at input and room through arrays leaves one bounds check for
// each; a literal with its copy costs about 5 ns where lengths and distances are random.
func (z *snappy) fast(w *window) {
	src := z.in.b[z.in.r:z.in.w]
	dst := w.b[:min(int64(len(w.b)), int64(w.w)+w.left)]
	s, d := 0, w.w
	for s+fastSrc <= len(src) && d+fastDst <= len(dst) {
		in, out := (*[fastSrc]byte)(src[s:]), (*[fastDst]byte)(dst[d:])
		tag := int(in[0])
		var n, offset, used int
		switch tag & 3 {
		case 0:
			if n = tag>>2 + 1; n > 60 {
				goto done
			}
			move64(out, (*[64]byte)(in[1:]), n)
			s, d = s+1+n, d+n
			continue
		case 1:
			n, offset, used = 4+tag>>2&7, tag>>5<<8|int(in[1]), 2
		case 2:
			n, offset, used = 1+tag>>2, int(in[1])|int(in[2])<<8, 3
		case 3: // rare, but not with fastparquet's encoder
			n, offset, used = 1+tag>>2, int(in[1])|int(in[2])<<8|int(in[3])<<16|int(in[4])<<24, 5
		}
		if offset > d || offset == 0 {
			goto done
		}
		if n <= 16 && offset >= 8 {
			back := (*[16]byte)(dst[d-offset:])
			*(*[8]byte)(out[:8]) = *(*[8]byte)(back[:8])
			*(*[8]byte)(out[8:16]) = *(*[8]byte)(back[8:])
		} else if offset >= 16 {
			move64(out, (*[64]byte)(dst[d-offset:]), n)
		} else {
			repeat(dst, d, offset, n)
		}
		s, d = s+used, d+n
	}
done:
	z.in.advance(s)
	w.produced(d - w.w)
}

// move64 copies n bytes, at most 64, and may copy all 64, in moves of 16 bytes one after the other.
func move64(dst, src *[64]byte, n int) {
	*(*[16]byte)(dst[:16]) = *(*[16]byte)(src[:16])
	if n > 16 {
		*(*[16]byte)(dst[16:32]) = *(*[16]byte)(src[16:32])
		*(*[16]byte)(dst[32:48]) = *(*[16]byte)(src[32:48])
		*(*[16]byte)(dst[48:]) = *(*[16]byte)(src[48:])
	}
}

// repeat appends n bytes to dst[:d], at most 64, each equal to the one offset before it. It
// may write 7 bytes more, but none beyond d+64.
func repeat(dst []byte, d, offset, n int) {
	from := d - offset
	if offset >= 8 {
		for i := 0; i < n; i += 8 {
			*(*[8]byte)(dst[d+i:]) = *(*[8]byte)(dst[from+i:])
		}
		return
	}
	for i := range n {
		dst[d+i] = dst[from+i]
	}
}
