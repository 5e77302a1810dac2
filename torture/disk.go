package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// tryDisk runs a job whose spill, or whose output, or both lie on a disk that is too small, or has too few inodes, and on ones that are not.
func tryDisk(ctx context.Context, b *bench, r *result) error {
	if err := b.data(ctx, "seed"); err != nil {
		return err
	}
	const text = "inputs: {seed: data/seed}\ntables: {r: [{from: seed}, {index: col3}]}\noutputs: {r: {path: \"${out}\", if_exists: replace}}\n"
	if err := os.WriteFile(b.path("disk.yaml"), []byte(text), 0o666); err != nil {
		return err
	}
	var disks []disk
	for _, where := range []string{"spill", "output", "both"} {
		for mb := 8; mb <= 160; mb += max(8, int(8/b.scale)) {
			disks = append(disks, disk{mb, -1, where})
		}
		for free := 0; free <= 12; free += max(1, int(1/b.scale)) {
			disks = append(disks, disk{400, free, where})
		}
	}
	for _, d := range disks {
		if err := b.small(ctx, r, d); errors.Is(err, errNoMount) {
			r.skip(err)
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// disk is one of so many megabytes and free inodes (-1: enough), and what lies on it.
type disk struct {
	mb, inodes int
	where      string
}

var errNoMount = errors.New("no disk image can be mounted here: root and ext4 are needed")

// small makes a disk and runs the job with something on it.
func (b *bench) small(ctx context.Context, r *result, d disk) (err error) {
	unmount, err := b.mount(d.mb)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	out, spill := b.path("disk-out"), b.path("disk-spill")
	if d.where != "spill" {
		out = b.path("mnt", "out")
	}
	if d.where != "output" {
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
	if err := b.leaveInodes(d.inodes); err != nil {
		return err
	}
	o, err := b.run(ctx, 0, "run", b.path("disk.yaml"), "--set", "out="+out+"/", "--mem", "150MB", "--progress", "none", "--spill-dir", spill, "--force")
	if err != nil {
		return err
	}
	now, _ := os.ReadFile(out + "/part-00000.parquet")
	left := remains(b.path("mnt"), spill)
	switch {
	case o.exit == 0 && string(now) != string(old) && len(left) == 0:
		r.end("had room")
	case (o.exit == 5 || o.exit == 4) && string(now) == string(old) && len(left) == 0 && oneSentence(o.stderr):
		r.end(fmt.Sprintf("exit %d", o.exit))
	default:
		r.refute("a disk of %d MB with %d inodes for %s: %v, left over %v", d.mb, d.inodes, d.where, o, left)
	}
	return nil
}

// remains lists what runs left in directories.
func remains(dirs ...string) (left []string) {
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.Contains(e.Name(), "pqjoin-") {
				left = append(left, e.Name())
			}
		}
	}
	return left
}

// leaveInodes fills the disk with empty files until it has so many inodes left; a negative number leaves all.
func (b *bench) leaveInodes(free int) error {
	if free < 0 {
		return nil
	}
	var last []string
	for i := 0; ; i++ {
		name := b.path("mnt", fmt.Sprint("filler", i))
		err := os.WriteFile(name, nil, 0o666)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			return err
		}
		last = append(last, name)
	}
	for _, name := range last[max(0, len(last)-free):] {
		if err := os.Remove(name); err != nil {
			return err
		}
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
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-F", "-N", "256", image}, {"mount", "-o", "loop", image, dir}} {
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
