package hosttest

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"lookback/scanners/host/root"
)

// Tar packs files as [Image] writes them, and opens the tar.
func Tar(t *testing.T, files map[string]string) *root.Root {
	t.Helper()
	r, err := root.Open(Pack(t, Folder(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Pack returns a folder as a tar in which all is root's. What is large and empty stays a hole in the file of the tar.
func Pack(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil || at == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		to, _ := os.Readlink(at)
		h, err := tar.FileInfoHeader(info, to)
		if err != nil {
			return err
		}
		if h.Name, err = filepath.Rel(dir, at); err != nil {
			return err
		}
		h.Format, h.Uid, h.Gid, h.Uname, h.Gname = tar.FormatPAX, 0, 0, "root", "root"
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader(h); err != nil {
			return err
		}
		if _, err := f.Write(b.Bytes()); err != nil || !info.Mode().IsRegular() {
			return err
		}
		begin, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if info.Size() < 1<<30 {
			data, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			if _, err := f.Write(data); err != nil {
				return err
			}
		}
		_, err = f.Seek(begin+(info.Size()+511)/512*512, io.SeekStart)
		return err
	})
	end, _ := f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, f.Truncate(end+1024), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}
