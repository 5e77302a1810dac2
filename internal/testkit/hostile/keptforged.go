package hostile

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"pqjoin/internal/testkit/mutate"
	"pqjoin/internal/vfs"
)

// These are what gob finds in the manifest and the index of a kept store, field by field.
type (
	keptManifest struct {
		Index [sha256.Size]byte
		Note  []byte
	}
	keptHead struct {
		Store      uint64
		Columns    []string
		Partitions int
		Codes      bool
		Nullable   []bool
		Rows       int64
		Files      []int64
		Dicts      []keptDict
	}
	keptDict struct {
		Entries, Data int
		Sum           uint32
	}
	keptPart struct{ Pages, Vars, Coded []int64 }
)

// keptIndex is an index, taken apart.
type keptIndex struct {
	head  keptHead
	parts []keptPart
}

func parseIndex(b []byte) (x keptIndex, err error) {
	dec := gob.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&x.head); err != nil {
		return x, err
	}
	for {
		var p keptPart
		if err := dec.Decode(&p); err == io.EOF {
			return x, nil
		} else if err != nil {
			return x, err
		}
		x.parts = append(x.parts, p)
	}
}

func (x *keptIndex) bytes() []byte {
	var b bytes.Buffer
	enc := gob.NewEncoder(&b)
	err := enc.Encode(x.head)
	for _, p := range x.parts {
		if err == nil {
			err = enc.Encode(p)
		}
	}
	if err != nil {
		panic(err) // of types of our own into memory
	}
	return b.Bytes()
}

// change changes one number of the index, or two.
func (x *keptIndex) change(r *rand.Rand) {
	h := &x.head
	for range 1 + r.IntN(2) {
		p := &x.parts[r.IntN(len(x.parts))]
		switch r.IntN(9) {
		case 0:
			h.Partitions = int(mutate.Near(r, int64(h.Partitions)))
		case 1:
			h.Rows = mutate.Near(r, h.Rows)
		case 2:
			mutate.Number(r, &h.Files)
		case 3:
			h.Nullable[r.IntN(len(h.Nullable))] = r.IntN(2) == 0
		case 4:
			if len(h.Dicts) > 0 {
				d := &h.Dicts[r.IntN(len(h.Dicts))]
				to := []*int{&d.Entries, &d.Data}[r.IntN(2)]
				*to = int(mutate.Near(r, int64(*to)))
			}
		case 5:
			h.Store = r.Uint64()
		case 6:
			mutate.Number(r, &p.Vars)
		case 7:
			mutate.Number(r, &p.Coded)
		default:
			mutate.Number(r, &p.Pages)
		}
	}
}

// forgedKept reads a kept store of which a file is a bundle: an index and dictionaries, whose checksums are right wherever they are.
type forgedKept struct{ keptFile }

// read takes b apart: the index's length, 4 bytes, the index, and the dictionaries.
func (f *forgedKept) read(t *trial, b []byte) error {
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	index, dict := b[4:4+n], b[4+n:]
	g := f.keptFile
	k := *f.kept
	k.fs = k.fs.clone()
	if node := k.fs.nodes[filepath.Join(k.dir, keptName+".dict")]; node != nil {
		node.b = dict
	}
	var m bytes.Buffer
	if err := gob.NewEncoder(&m).Encode(keptManifest{Index: sha256.Sum256(index), Note: []byte(keptNote)}); err != nil {
		return err
	}
	k.fs.nodes[filepath.Join(k.dir, keptName+".stage")].b = vfs.Seal(keptMagic, m.Bytes())
	g.kept = &k
	return g.read(t, index)
}

// bundle is what read takes apart.
func bundle(index, dict []byte) []byte {
	n := len(index)
	return slices.Concat([]byte{byte(n), byte(n >> 8), byte(n >> 16), 0}, index, dict)
}

// forged changes the index, its bytes, or the dictionaries.
func (f *forgedKept) forged(r *rand.Rand) []byte {
	index, dict := f.bytes(), []byte(nil)
	if node := f.fs.nodes[filepath.Join(f.dir, keptName+".dict")]; node != nil {
		dict = node.b
	}
	if r.IntN(3) == 0 {
		if r.IntN(2) == 0 {
			return bundle(mutate.Flips(r, index), dict)
		}
		return bundle(mutate.Splice(r, index, index), dict)
	}
	x, err := parseIndex(index)
	if err != nil {
		panic(err) // what was kept is read by its own reader, and not by this
	}
	if len(dict) == 0 || r.IntN(2) == 0 {
		x.change(r)
	}
	if len(dict) > 0 && r.IntN(2) == 0 {
		dict = mutate.Words(r, dict, 0, len(dict))
	}
	x.resum(dict)
	return bundle(x.bytes(), dict)
}

// resum makes the checksums of the dictionaries right, as far as they lie within their file.
func (x *keptIndex) resum(dict []byte) {
	for i, d := range x.head.Dicts {
		if d.Entries < 0 || d.Data < 0 || d.Entries > len(dict) || d.Data > len(dict) {
			return
		}
		n := 0
		if d.Entries > 0 {
			n = 4*(d.Entries+1) + d.Data
		}
		if n > len(dict) {
			return
		}
		x.head.Dicts[i].Sum, dict = crc32.Checksum(dict[:n], crc32.MakeTable(crc32.Castagnoli)), dict[n:]
	}
}
