package root

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"time"
)

const (
	// maxTar is how many files a tar may hold: each takes some 250 bytes of memory, with its name.
	maxTar = 2_000_000
	// maxName is the length of the longest name that is kept: Linux opens no longer one, and no reader asks for it.
	maxName = 4096
)

// A tarball is a tar whose table of contents was read once. What is in the files stays on the disk.
type tarball struct {
	file    *os.File
	entries map[string]*entry
}

// An entry is a file, a folder or a link of a tar, as small as it can be: there may be a million. A folder may be there only
// because something lies in it.
type entry struct {
	name     string // the last element
	link     string
	size     int64
	modified int64 // in seconds since 1970
	at       int64 // where its content begins; -1 where it does not lie in one piece
	within   []string
	mode     fs.FileMode
	owner    owner
}

// An owner is the number of a user, as a tar has it.
type owner uint32

// ownerOf takes a number that no system has for nobody's, and surely not for root's.
func ownerOf(uid int) owner {
	if uint64(uid) > math.MaxUint32 { // of which a negative number is one
		return math.MaxUint32
	}
	return owner(uid)
}

func (e *entry) Name() string       { return e.name }
func (e *entry) Size() int64        { return e.size }
func (e *entry) Mode() fs.FileMode  { return e.mode }
func (e *entry) ModTime() time.Time { return time.Unix(e.modified, 0) }
func (e *entry) IsDir() bool        { return e.mode.IsDir() }
func (e *entry) Sys() any           { return e.owner }

func openTar(name string) (*tarball, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|noatime, 0)
	if errors.Is(err, fs.ErrPermission) && noatime != 0 {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, err
	}
	t := &tarball{file: f, entries: map[string]*entry{".": folderOf(".")}}
	if err := t.index(); err != nil {
		f.Close()
		return nil, err
	}
	for _, e := range t.entries {
		slices.Sort(e.within)
	}
	return t, nil
}

func (t *tarball) index() error {
	r := tar.NewReader(t.file)
	for n := 0; ; n++ {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return nil
		case err != nil && n == 0:
			return errors.New("not an uncompressed tar of a file system; unpack it, or mount the image read-only, and name the folder")
		case err != nil:
			return fmt.Errorf("the tar breaks off after %d files: %w", n, err)
		case len(t.entries) > maxTar: // folders that only the names of files tell of count, too
			return fmt.Errorf("the tar holds more than %d files; unpack it and name the folder", maxTar)
		}
		name := path.Clean("/" + h.Name)[1:]
		if name == "" || len(name) > maxName {
			continue
		}
		e := &entry{name: path.Base(name), link: h.Linkname, size: h.Size, modified: h.ModTime.Unix(), at: -1, mode: h.FileInfo().Mode(), owner: ownerOf(h.Uid)}
		if at, err := t.file.Seek(0, io.SeekCurrent); err == nil && h.Typeflag == tar.TypeReg && h.PAXRecords["GNU.sparse.major"] == "" {
			e.at = at
		}
		if h.Typeflag == tar.TypeLink { // a second name of what came before
			first := t.entries[path.Clean("/" + h.Linkname)[1:]]
			if first != nil { // else it is there, and what is in it is not
				again := *first
				e, again.name, again.within = &again, path.Base(name), nil
			}
		}
		t.add(name, e)
	}
}

// add puts an entry in its folder. The last of one name counts, as it would when the tar is unpacked.
func (t *tarball) add(name string, e *entry) {
	if old := t.entries[name]; old != nil {
		e.within = old.within
		t.entries[name] = e
		return
	}
	t.entries[name] = e
	dir := path.Dir(name)
	if t.entries[dir] == nil {
		t.add(dir, folderOf(dir))
	}
	t.entries[dir].within = append(t.entries[dir].within, e.name)
}

func (t *tarball) Close() error { return t.file.Close() }

func (t *tarball) lstat(name string) (fs.FileInfo, error) {
	if e := t.entries[name]; e != nil {
		return e, nil
	}
	return nil, fs.ErrNotExist
}

func (t *tarball) readlink(name string) (string, error) {
	if e := t.entries[name]; e != nil && e.mode&fs.ModeSymlink != 0 {
		return e.link, nil
	}
	return "", fs.ErrInvalid
}

func (t *tarball) readDir(name string) ([]fs.DirEntry, error) {
	e := t.entries[name]
	if e == nil {
		return nil, fs.ErrNotExist
	}
	if len(e.within) > MaxEntries {
		return nil, ErrTooMany
	}
	list := make([]fs.DirEntry, len(e.within))
	for i, one := range e.within {
		list[i] = fs.FileInfoToDirEntry(t.entries[path.Join(name, one)])
	}
	return list, nil
}

func (t *tarball) open(name string) (File, error) {
	e := t.entries[name]
	switch {
	case e == nil:
		return nil, fs.ErrNotExist
	case e.at < 0:
		return nil, errors.New("what is in it does not stand in the tar in one piece; unpack the tar and name the folder")
	}
	return piece{io.NewSectionReader(t.file, e.at, e.size), e}, nil
}

// A piece is the part of a tar that is one file.
type piece struct {
	*io.SectionReader
	info fs.FileInfo
}

func (p piece) Stat() (fs.FileInfo, error) { return p.info, nil }
func (p piece) Close() error               { return nil }

// folderOf is a folder that a tar does not name.
func folderOf(name string) *entry {
	return &entry{name: path.Base(name), at: -1, mode: fs.ModeDir | 0o755}
}
