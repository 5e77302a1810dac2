package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// victims are jobs that make small files of several sorts of pages.
var victims = [...]string{
	`[{from: t}, {head: 60}]`,
	`[{from: t}, {head: 40}, {select: {s: "repeat(cast(col2 as string), 3)", d: "cast('2020-01-01' as date)", n: "nullif(col1 % 3, 0)", b: "col2 > 5000"}}]`,
	`[{from: t}, {head: 30}, {select: {k: "col1 % 2", x: "cast(col3 as decimal(20, 2))", t: "cast(col2 as varchar)"}}]`,
}

// hostileBound is what each trial may use.
const hostileBound = 200_000_000

// tryHostile damages small files of our own, which carry checksums of pages, and copies them with a job.
func tryHostile(ctx context.Context, b *bench, r *result) error {
	if err := b.data(ctx, "seed"); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 3))
	copyJob := "inputs: {t: victim.parquet}\ntables: {r: [{from: t}]}\noutputs: {r: {path: copy.parquet, if_exists: replace}}\n"
	if err := os.WriteFile(b.path("copy.yaml"), []byte(copyJob), 0o666); err != nil {
		return err
	}
	for _, verbs := range victims {
		whole, err := b.victim(ctx, verbs)
		if err != nil {
			return err
		}
		v := &victim{bench: b, r: r, whole: whole}
		if v.want, err = v.copy(ctx, whole, "whole"); err != nil {
			return err
		}
		if v.want == "" {
			return errors.New("the whole file is refused")
		}
		footer := len(whole) - 8 - int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
		for range b.times(700) {
			if err := v.try(ctx, whole[:rng.IntN(len(whole))], "cut off", false); err != nil {
				return err
			}
		}
		for range b.times(1400) {
			at, bit := rng.IntN(len(whole)), rng.IntN(8)
			bad := append([]byte(nil), whole...)
			bad[at] ^= 1 << bit
			if err := v.try(ctx, bad, fmt.Sprintf("bit %d of byte %d flipped", bit, at), at >= footer); err != nil {
				return err
			}
		}
		r.fact("a file of %d bytes, %d of which are the footer", len(whole), len(whole)-8-footer)
	}
	return nil
}

// victim makes a small file.
func (b *bench) victim(ctx context.Context, verbs string) ([]byte, error) {
	text := fmt.Sprintf("inputs: {t: data/seed}\ntables: {r: %s}\noutputs: {r: {path: whole.parquet, if_exists: replace}}\n", verbs)
	if err := os.WriteFile(b.path("whole.yaml"), []byte(text), 0o666); err != nil {
		return nil, err
	}
	o, err := b.run(ctx, 0, "run", "whole.yaml", "--mem", "1GB", "--progress", "none")
	if err := o.must(err); err != nil {
		return nil, err
	}
	return os.ReadFile(b.path("whole.parquet"))
}

// victim is a file and what its copy is.
type victim struct {
	*bench
	r     *result
	whole []byte
	want  string
}

// copy lets a job copy the bytes as a file, and returns the hash of the copy; "" where it was refused.
func (v *victim) copy(ctx context.Context, file []byte, what string) (string, error) {
	if err := os.WriteFile(v.path("victim.parquet"), file, 0o666); err != nil {
		return "", err
	}
	os.Remove(v.path("copy.parquet"))
	limit := int64(hostileBound)
	if g, err := newCgroup(limit); err == nil {
		g.remove()
	} else {
		limit = 0
	}
	o, err := v.run(ctx, limit, "run", "copy.yaml", "--mem", fmt.Sprint(hostileBound), "--progress", "none")
	if err != nil {
		return "", err
	}
	left, _ := filepath.Glob(v.path(".*pqjoin*"))
	switch {
	case o.exit == 0 && o.kills == 0:
		return hashOf(v.path("copy.parquet"))
	case (o.exit == 1 || o.exit == 2 || o.exit == 4) && o.kills == 0 && oneSentence(o.stderr) && len(left) == 0:
		return "", nil
	}
	v.r.refute("%s: %v, left over %v", what, o, left)
	return "", nil
}

// try copies a damaged file. In the footer a flipped bit may be a name or a number as good as before.
func (v *victim) try(ctx context.Context, file []byte, what string, footer bool) error {
	before := len(v.r.Refuted)
	got, err := v.copy(ctx, file, what)
	switch {
	case err != nil || len(v.r.Refuted) > before:
		return err
	case got == "":
		v.r.end("refused")
	case got == v.want:
		v.r.end("as before")
	case footer:
		v.r.end("another footer, read as it says")
	default:
		name := v.path(fmt.Sprintf("refuted-%d.parquet", len(v.r.Refuted)))
		os.WriteFile(name, file, 0o666)
		v.r.refute("%s: read as something else, kept as %s", what, filepath.Base(name))
	}
	return nil
}
