package mutate

import (
	"bytes"
	"math/rand/v2"

	"pqjoin/internal/vfs"
)

// jsonTokens are pieces of small files that are JSON.
var jsonTokens = []string{"", "\"", "null", "{}", "[]", "{", "}", "[", "]", ",", ":", "-1", "0", "1e999", "18446744073709551616", "true", "\"\"", "\"/\"", "\"..\"", "\"a\"", "\\u0000", "\xff"}

// Sealed returns a small file that vfs.Seal has made with what it seals changed, and the checksum right.
func Sealed(r *rand.Rand, magic string, b []byte) []byte {
	_, body, _ := bytes.Cut(b, []byte("\n"))
	switch r.IntN(4) {
	case 0:
		body = Flips(r, body)
	case 1:
		body = Splice(r, body, body)
	case 2:
		body = Cut(body, r.IntN(len(body)+1))
	default:
		body = Tokens(r, body, body, jsonTokens)
	}
	return vfs.Seal(magic, body)
}
