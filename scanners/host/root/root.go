// Package root opens a machine's file system as an examiner does: this machine's, a mounted image, a folder or a tar of one.
//
// Nothing outside of the root is ever opened: a link is resolved inside it, and "/" is the root itself. Devices, pipes and
// sockets are never read. Nothing is written, and where the system allows it not even the time of last access.
package root

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Limits of what is read at once.
const (
	MaxFile    = 4 << 20 // bytes of a file that is read as a whole: configuration is far smaller
	MaxEntries = 1 << 14 // entries of one folder
	maxLinks   = 40      // links on the way to one file, as Linux has it
)

var (
	// ErrNotRegular is why a device, a named pipe or a socket is not read.
	ErrNotRegular = errors.New("not a regular file")
	// ErrLinks is why a path is not followed whose links lead in circles.
	ErrLinks = errors.New("too many links")
	// ErrTooMany is why a folder of more than [MaxEntries] entries is not listed.
	ErrTooMany = fmt.Errorf("more than %d entries", MaxEntries)
	// ErrTooLarge is why a file is not read as a whole.
	ErrTooLarge = fmt.Errorf("more than %d bytes", MaxFile)
)

// A NotMounted is why nothing is said of what would lie on a file system that the machine mounts, and the image lacks. It is the
// name of the folder.
type NotMounted string

func (n NotMounted) Error() string {
	return "/" + string(n) + " is a file system of its own, which is not part of this image; mount it too, where it belongs"
}

// A File is an open regular file. Its owner closes it.
type File interface {
	fs.File
	io.ReaderAt
}

// A system holds files under clean names without a slash in front, "." for the root. No method follows a link.
type system interface {
	lstat(name string) (fs.FileInfo, error)
	readlink(name string) (string, error)
	readDir(name string) ([]fs.DirEntry, error) // at most MaxEntries, in order of name
	open(name string) (File, error)
	Close() error
}

// A Root is a file system whose names are slash paths, with or without a slash in front. It may be used by several
// goroutines. Errors are [fs.PathError]s with the name that was asked for.
type Root struct {
	system
	fold bool
	away map[string]bool // where other file systems are mounted, which are not here
}

// Open opens a folder, or an uncompressed tar of one.
func Open(name string) (*Root, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		top, err := os.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		return &Root{system: folder{top}}, nil
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("neither a folder nor a tar of one; mount a disk first, read-only")}
	}
	t, err := openTar(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &Root{system: t}, nil
}

// Close lets go of the file system.
func (r *Root) Close() error { return r.system.Close() }

// Fold returns the same root for names in which case makes no difference, as on Windows.
func (r *Root) Fold() *Root { return &Root{system: r.system, fold: true, away: r.away} }

// Without returns the same root, of which folders that are empty, or not there, are where other file systems would be
// mounted: whether anything lies in them cannot be told.
func (r *Root) Without(folders []string) *Root {
	away := map[string]bool{}
	for _, name := range folders {
		at, err := r.Resolve(name)
		if errors.Is(err, fs.ErrNotExist) {
			away[strings.Trim(path.Clean("/"+name), "/")] = true
		} else if list, e := r.ReadDir(name); err == nil && e == nil && len(list) == 0 && at != "." {
			away[at] = true
		}
	}
	return &Root{system: r.system, fold: r.fold, away: away}
}

// Resolve returns the name under which a file or a folder really lies, with all links followed inside the root.
func (r *Root) Resolve(name string) (string, error) {
	at, _, err := r.walk(name, true)
	return at, wrap("resolve", name, err)
}

// Stat describes what a name leads to.
func (r *Root) Stat(name string) (fs.FileInfo, error) {
	_, info, err := r.walk(name, true)
	return info, wrap("stat", name, err)
}

// Lstat describes what lies under a name, which may be a link.
func (r *Root) Lstat(name string) (fs.FileInfo, error) {
	_, info, err := r.walk(name, false)
	return info, wrap("lstat", name, err)
}

// Readlink returns where a link says that it leads.
func (r *Root) Readlink(name string) (string, error) {
	at, _, err := r.walk(name, false)
	if err != nil {
		return "", wrap("readlink", name, err)
	}
	to, err := r.readlink(at)
	return to, wrap("readlink", name, err)
}

// Exists reports whether a name leads to something. That it cannot be told is an error.
func (r *Root) Exists(name string) (bool, error) {
	_, err := r.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// ReadDir lists a folder in order of name.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	at, info, err := r.walk(name, true)
	switch {
	case err == nil && !info.IsDir():
		err = errors.New("not a folder")
	case err == nil && r.away[at]:
		err = NotMounted(at)
	}
	if err != nil {
		return nil, wrap("list", name, err)
	}
	list, err := r.readDir(at)
	return list, wrap("list", name, err)
}

// Open opens a regular file.
func (r *Root) Open(name string) (File, error) {
	at, info, err := r.walk(name, true)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return nil, wrap("open", name, err)
	}
	f, err := r.open(at)
	return f, wrap("open", name, err)
}

// ReadFile reads a file of at most [MaxFile] bytes.
func (r *Root) ReadFile(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() > MaxFile { // a file of /proc says that it has none
		err = ErrTooLarge
	}
	if err != nil {
		return nil, wrap("read", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, wrap("read", name, err)
	}
	return data, nil
}

// Head returns the first limit bytes of a file, less where it is shorter.
func (r *Root) Head(name string, limit int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return data, wrap("read", name, err)
}

// Tail returns the last limit bytes of a file, less where it is shorter.
func (r *Root) Tail(name string, limit int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, wrap("read", name, err)
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(io.NewSectionReader(f, max(0, info.Size()-limit), limit))
	return b.Bytes(), wrap("read", name, err)
}

// Glob lists what matches a pattern of [path.Match], element by element, in order of name. A folder that is not there
// matches nothing; of what cannot be looked into, the error is that of the first, and all else is listed. A link that leads
// in circles matches: to open it says what is wrong with it.
func (r *Root) Glob(pattern string) ([]string, error) {
	found := []string{"."}
	var first error
	for element := range strings.SplitSeq(strings.Trim(path.Clean(pattern), "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(element, `*?[\`) {
				name := path.Join(dir, element)
				ok, err := r.Exists(name)
				if errors.Is(err, ErrLinks) {
					if _, gone := r.Lstat(name); gone == nil {
						ok = true
					}
				}
				switch {
				case ok:
					next = append(next, name)
				case err != nil:
					first = cmp.Or(first, err)
				}
				continue
			}
			if info, err := r.Stat(dir); err != nil || !info.IsDir() {
				continue
			}
			list, err := r.ReadDir(dir)
			first = cmp.Or(first, err)
			for _, e := range list {
				ok, err := path.Match(element, e.Name())
				if err != nil {
					return nil, wrap("glob", pattern, err)
				}
				if ok {
					next = append(next, path.Join(dir, e.Name()))
				}
			}
		}
		if len(next) > MaxEntries {
			return nil, wrap("glob", pattern, ErrTooMany)
		}
		found = next
	}
	return found, first
}

// walk goes from the root to a name, element by element, through links if the last one is to be followed, too.
func (r *Root) walk(name string, follow bool) (at string, info fs.FileInfo, err error) {
	if len(name) > 1<<16 || strings.ContainsRune(name, 0) {
		return "", nil, fs.ErrInvalid
	}
	links := 0
	at = "."
	if info, err = r.lstat("."); err != nil {
		return "", nil, err
	}
	for left := strings.Split(name, "/"); len(left) > 0; {
		element := left[0]
		left = left[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			if info, err = r.lstat(at); err != nil {
				return "", nil, err
			}
			continue
		}
		if !info.IsDir() {
			return "", nil, fs.ErrNotExist
		}
		next := path.Join(at, element)
		if info, err = r.lstat(next); errors.Is(err, fs.ErrNotExist) && r.fold {
			next, info, err = r.folded(at, element)
		}
		if errors.Is(err, fs.ErrNotExist) {
			switch {
			case r.away[at]:
				err = NotMounted(at)
			case r.away[next]:
				err = NotMounted(next)
			}
		}
		if err != nil {
			return "", nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 || !follow && len(left) == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, ErrLinks
		}
		to, err := r.readlink(next)
		if err != nil {
			return "", nil, err
		}
		if strings.HasPrefix(to, "/") {
			at = "."
		}
		if info, err = r.lstat(at); err != nil {
			return "", nil, err
		}
		if left = slices.Concat(strings.Split(to, "/"), left); len(left) > 1<<14 {
			return "", nil, ErrLinks
		}
	}
	return at, info, nil
}

// folded finds an element whatever its case.
func (r *Root) folded(dir, element string) (string, fs.FileInfo, error) {
	list, err := r.readDir(dir)
	if err != nil {
		return "", nil, err
	}
	for _, e := range list {
		if strings.EqualFold(e.Name(), element) {
			name := path.Join(dir, e.Name())
			info, err := r.lstat(name)
			return name, info, err
		}
	}
	return "", nil, fs.ErrNotExist
}

// wrap gives an error the name that was asked for, and no other.
func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
