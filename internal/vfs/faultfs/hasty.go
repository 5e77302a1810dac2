package faultfs

import "pqjoin/internal/vfs"

type hasty struct{ vfs.FS }

type hastyFile struct{ vfs.File }

// Hasty is base without waiting for the disk: nothing is made durable. Tests that crash no kernel need not wait.
func Hasty(base vfs.FS) vfs.FS { return hasty{base} }

func (f hasty) Create(name string) (vfs.File, error) { return hurry(f.FS.Create(name)) }
func (f hasty) Open(name string) (vfs.File, error)   { return hurry(f.FS.Open(name)) }
func (hasty) SyncDir(string) error                   { return nil }

func hurry(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return hastyFile{file}, nil
}

func (hastyFile) Sync() error                         { return nil }
func (hastyFile) FlushRange(int64, int64, bool) error { return nil }
