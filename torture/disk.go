package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// tryDisk runs a job whose spill, or whose output, or both lie on a disk that is too small, and on ones that are not.
func tryDisk(ctx context.Context, b *bench, r *result) error {
	if err := b.data(ctx, "seed"); err != nil {
		return err
	}
	const text = "inputs: {seed: data/seed}\ntables: {r: [{from: seed}, {index: col3}]}\noutputs: {r: {path: \"${out}\", if_exists: replace}}\n"
	if err := os.WriteFile(b.path("disk.yaml"), []byte(text), 0o666); err != nil {
		return err
	}
	for mb := 8; mb <= 160; mb += max(8, int(8/b.scale)) {
		for _, where := range []string{"spill", "output", "both"} {
			if err := b.small(ctx, r, mb, where); errors.Is(err, errNoMount) {
				r.skipped = err.Error()
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

var errNoMount = errors.New("no disk image can be mounted here: root and ext4 are needed")

// small makes a disk of so many megabytes and runs the job with something on it.
func (b *bench) small(ctx context.Context, r *result, mb int, where string) (err error) {
	unmount, err := b.mount(mb)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	out, spill := b.path("disk-out"), b.path("disk-spill")
	if where != "spill" {
		out = b.path("mnt", "out")
	}
	if where != "output" {
		spill = b.path("mnt", "spill")
	}
	for _, dir := range []string{out, spill} {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o777)); err != nil {
			return err
		}
	}
	old := []byte("PAR1 the old output PAR1")
	if err := os.WriteFile(out+"/part-00000.parquet", old, 0o666); err != nil {
		return err
	}
	o, err := b.run(ctx, 0, "run", b.path("disk.yaml"), "--set", "out="+out+"/", "--mem", "150MB", "--progress", "none", "--spill-dir", spill, "--force")
	if err != nil {
		return err
	}
	now, _ := os.ReadFile(out + "/part-00000.parquet")
	var left []string
	for _, dir := range []string{b.path("mnt"), spill} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.Contains(e.Name(), "pqjoin-") {
				left = append(left, e.Name())
			}
		}
	}
	switch {
	case o.exit == 0 && string(now) != string(old) && len(left) == 0:
		r.end("had room")
	case (o.exit == 5 || o.exit == 4) && string(now) == string(old) && len(left) == 0 && oneSentence(o.stderr):
		r.end(fmt.Sprintf("exit %d", o.exit))
	default:
		r.refute("a disk of %d MB for %s: %v, left over %v", mb, where, o, left)
	}
	return nil
}

// mount mounts an empty disk at mnt.
func (b *bench) mount(mb int) (unmount func() error, err error) {
	image, dir := b.path("disk.img"), b.path("mnt")
	f, err := os.Create(image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(int64(mb)<<20), f.Close(), os.MkdirAll(dir, 0o777)); err != nil {
		return nil, err
	}
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s: %s", errNoMount, c[0], strings.TrimSpace(string(out)))
		}
	}
	return func() error {
		out, err := exec.Command("umount", dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("umount: %s", out)
		}
		return os.Remove(image)
	}, nil
}
