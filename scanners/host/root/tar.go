package root

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// maxTar is how many files a tar may hold: each takes some 300 bytes of memory.
const maxTar = 2_000_000

// A tarball is a tar whose table of contents was read once. What is in the files stays on the disk.
type tarball struct {
	file    *os.File
	entries map[string]*entry
}

// An entry is a file, a folder or a link of a tar. A folder may be there only because something lies in it.
type entry struct {
	fs.FileInfo
	link   string
	at     int64 // where its content begins; -1 where it does not lie in one piece
	within []string
}

func openTar(name string) (*tarball, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	t := &tarball{file: f, entries: map[string]*entry{".": {FileInfo: made(".")}}}
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
		case n == maxTar:
			return fmt.Errorf("the tar holds more than %d files; unpack it and name the folder", maxTar)
		}
		name := path.Clean("/" + h.Name)[1:]
		if name == "" {
			continue
		}
		e := &entry{FileInfo: h.FileInfo(), link: h.Linkname, at: -1}
		if at, err := t.file.Seek(0, io.SeekCurrent); err == nil && h.Typeflag == tar.TypeReg && h.PAXRecords["GNU.sparse.major"] == "" {
			e.at = at
		}
		if h.Typeflag == tar.TypeLink { // a second name of what came before
			first := t.entries[path.Clean("/" + h.Linkname)[1:]]
			if first == nil {
				continue
			}
			e = &entry{FileInfo: renamed{first.FileInfo, path.Base(name)}, link: first.link, at: first.at}
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
		t.add(dir, &entry{FileInfo: made(path.Base(dir))})
	}
	t.entries[dir].within = append(t.entries[dir].within, path.Base(name))
}

func (t *tarball) Close() error { return t.file.Close() }

func (t *tarball) lstat(name string) (fs.FileInfo, error) {
	if e := t.entries[name]; e != nil {
		return e.FileInfo, nil
	}
	return nil, fs.ErrNotExist
}

func (t *tarball) readlink(name string) (string, error) {
	if e := t.entries[name]; e != nil && e.Mode()&fs.ModeSymlink != 0 {
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
		list[i] = fs.FileInfoToDirEntry(t.entries[path.Join(name, one)].FileInfo)
	}
	return list, nil
}

func (t *tarball) open(name string) (File, error) {
	e := t.entries[name]
	switch {
	case e == nil:
		return nil, fs.ErrNotExist
	case e.at < 0:
		return nil, errors.New("it has holes that the tar leaves out; unpack the tar and name the folder")
	}
	return piece{io.NewSectionReader(t.file, e.at, e.Size()), e}, nil
}

// A piece is the part of a tar that is one file.
type piece struct {
	*io.SectionReader
	info fs.FileInfo
}

func (p piece) Stat() (fs.FileInfo, error) { return p.info, nil }
func (p piece) Close() error               { return nil }

// made describes a folder that a tar does not name.
func made(name string) fs.FileInfo {
	return (&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimSuffix(name, "/") + "/", Mode: 0o755}).FileInfo()
}

type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }
