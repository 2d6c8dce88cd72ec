package root

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A folder is a mounted image, or the machine itself. The operating system holds it to what lies in it.
type folder struct{ *os.Root }

func (f folder) lstat(name string) (fs.FileInfo, error) { return f.Lstat(name) }

func (f folder) readlink(name string) (string, error) { return f.Readlink(name) }

func (f folder) readDir(name string) ([]fs.DirEntry, error) {
	dir, err := f.quietly(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list, err := dir.ReadDir(MaxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(list) > MaxEntries {
		return nil, ErrTooMany
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

func (f folder) open(name string) (File, error) {
	file, err := f.quietly(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() { // it may have been replaced since it was looked at
		file.Close()
		return nil, cmp.Or(err, ErrNotRegular)
	}
	return file, nil
}

// quietly opens without waiting for the other end of a pipe, and leaves the time of last access as it is where that is
// allowed: only the owner of a file may ask for it.
func (f folder) quietly(name string) (*os.File, error) {
	file, err := f.OpenFile(name, os.O_RDONLY|nonblock|noatime, 0)
	if errors.Is(err, fs.ErrPermission) && noatime != 0 {
		file, err = f.OpenFile(name, os.O_RDONLY|nonblock, 0)
	}
	return file, err
}
