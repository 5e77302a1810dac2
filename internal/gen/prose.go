package gen

import (
	"strings"
)

// words are what comments are made of.
const proseWords = "the carefully final deposits sleep quickly above furiously special requests and regular accounts nag " +
	"along quietly bold packages among silent pending theodolites haggle express instructions after slyly even foxes " +
	"wake fluffily ironic platelets detect unusual pinto beans use blithely close ideas integrate asymptotes boost daring " +
	"dependencies according to busy excuses cajole permanent courts doze ruthless warhorses believe idle dolphins across " +
	"thin frays are sometimes brave sauternes promise never under dogged realms about enticing warthogs print"

// proseBytes is the length of the text that comments are cut from: enough that few are the same.
const proseBytes = 1 << 20

// prose is a column of texts of lo to hi bytes, each a piece of one long text, as TPC-H's dbgen makes them.
func prose(name string, s stream, lo, hi int64) column {
	text := proseText(s)
	return column{name: name, typ: stringType, longest: int(hi), text: func(r *rows, i int, dst []byte) []byte {
		x := s.at(r.from + int64(i))
		at := scale(x, proseBytes-hi)
		return append(dst, text[at:at+lo+scale(mix(x+golden), hi-lo+1)]...)
	}}
}

func proseText(s stream) string {
	words := strings.Fields(proseWords)
	var b strings.Builder
	b.Grow(proseBytes + 64)
	for i := int64(1); b.Len() < proseBytes; i++ {
		b.WriteString(words[s.below(-i, int64(len(words)))])
		b.WriteByte(' ')
	}
	return b.String()
}
