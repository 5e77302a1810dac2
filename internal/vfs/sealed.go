package vfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
)

// Seal puts a line before a body: magic, and the body's SHA-256.
func Seal(magic string, body []byte) []byte {
	sum := sha256.Sum256(body)
	return append([]byte(magic+hex.EncodeToString(sum[:])+"\n"), body...)
}

// Unseal takes the line off, and says whether it is right.
func Unseal(magic string, raw []byte) (body []byte, ok bool) {
	head, body, ok := bytes.Cut(raw, []byte("\n"))
	sum := sha256.Sum256(body)
	return body, ok && string(head) == magic+hex.EncodeToString(sum[:])
}

// WriteSynced makes a new file whose bytes are durable; its name is once its directory is synced.
func WriteSynced(fsys FS, name string, raw []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// ReadUpTo returns a file's first bytes, most at most.
func ReadUpTo(fsys FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	raw := make([]byte, min(st.Size(), most))
	if _, err = f.ReadAt(raw, 0); err == io.EOF {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return raw, nil
}
