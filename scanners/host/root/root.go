// Package root is the file tree of a host that is scanned: this machine, or an image of another one. All reading of a scan
// goes through it.
//
// Links are followed as the host itself would follow them: an absolute one begins at the root of the tree, and ".." of the
// root is the root. Nothing outside is ever opened. What is no regular file and no folder is never opened either, for a
// pipe may wait for good and a device may do something by itself. What is read is bounded.
package root

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Bounds of what is read.
const (
	// MaxFile is the most bytes of a file that ReadFile returns. Configuration is far smaller.
	MaxFile = 4 << 20
	// MaxNames is the most names of one folder that are looked at.
	MaxNames = 10_000
	// maxLinks is how many links are followed on the way to one file; Linux follows 40.
	maxLinks = 40
)

var (
	// ErrLoop is why a path is not read whose links lead in a circle.
	ErrLoop = errors.New("its links lead in a circle")
	// ErrNotRegular is why a named pipe, a socket or a device is not read, and a folder is not read as a file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrTooLarge is why a file of more than [MaxFile] bytes is not read as a whole.
	ErrTooLarge = fmt.Errorf("more than %d bytes", MaxFile)
	// ErrTooMany says that a folder has more than [MaxNames] names; the others were not looked at.
	ErrTooMany = fmt.Errorf("more than %d names", MaxNames)
)

// A Root is the tree. Its methods take paths with forward slashes, with or without one in front, and may be called at the
// same time. Their errors are [fs.ErrNotExist], [fs.ErrPermission], those of this package, or what the system said; none
// holds a path of the machine that scans.
type Root struct {
	files fs.ReadLinkFS
	close func() error

	mu      sync.Mutex
	folders map[string]string // of folders that were resolved: where they lie
}

// Open opens a folder of this machine as the root of a tree.
func Open(dir string) (*Root, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, cause(err)
	}
	files := disk{r}
	return &Root{files: files, close: r.Close, folders: map[string]string{}}, nil
}

// Of is the root of any tree that tells links from what they lead to: one in memory, for a test.
func Of(files fs.ReadLinkFS) *Root {
	return &Root{files: files, close: func() error { return nil }, folders: map[string]string{}}
}

// Close lets go of the tree.
func (r *Root) Close() error { return r.close() }

// Resolve returns where a path leads, without links: "etc/localtime" to "usr/share/zoneinfo/UTC". The last part need not be
// there.
func (r *Root) Resolve(name string) (string, error) {
	left := parts(name)
	at, links := ".", 0
	for i := 0; i < len(left); i++ {
		one := left[i]
		if one == ".." {
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, one)
		if known, ok := r.folder(next); ok {
			at = known
			continue
		}
		info, err := r.files.Lstat(next)
		switch {
		case err != nil && errors.Is(err, fs.ErrNotExist) && i == len(left)-1:
			return next, nil
		case err != nil:
			return "", cause(err)
		case info.Mode()&fs.ModeSymlink == 0:
			if info.IsDir() {
				r.remember(next, next)
			}
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", ErrLoop
		}
		to, err := r.files.ReadLink(next)
		if err != nil {
			return "", cause(err)
		}
		if strings.HasPrefix(to, "/") {
			at = "."
		}
		left = slices.Concat(parts(to), left[i+1:])
		i = -1
	}
	return at, nil
}

// parts are the names of a path. One that is absurdly long is cut, which leads to nothing that is there.
func parts(name string) []string {
	return slices.DeleteFunc(strings.Split(name[:min(len(name), 16<<10)], "/"), func(s string) bool { return s == "" || s == "." })
}

func (r *Root) folder(name string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to, ok := r.folders[name]
	return to, ok
}

func (r *Root) remember(name, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.folders) < MaxNames {
		r.folders[name] = to
	}
}

// Stat tells what a path leads to.
func (r *Root) Stat(name string) (fs.FileInfo, error) {
	real, err := r.Resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := r.files.Lstat(real)
	return info, cause(err)
}

// Link returns what the link at a path says, without following it: "/dev/null". It is "" where there is no link.
func (r *Root) Link(name string) string {
	dir, err := r.Resolve(path.Dir("/" + name))
	if err != nil {
		return ""
	}
	to, err := r.files.ReadLink(path.Join(dir, path.Base(name)))
	if err != nil {
		return ""
	}
	return to
}

// Has reports whether something is at a path; it is not where nobody may look.
func (r *Root) Has(name string) bool {
	_, err := r.Stat(name)
	return err == nil
}

// ReadFile reads a file of configuration.
func (r *Root) ReadFile(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f.file, MaxFile+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(text) > MaxFile:
		return nil, ErrTooLarge
	}
	return text, nil
}

// ReadDir lists a folder, sorted by name. Of a folder with too many names it returns some, and [ErrTooMany].
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	real, info, err := r.look(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w but a file", errors.New("not a folder"))
	}
	f, err := r.files.Open(real)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, fs.ErrInvalid
	}
	entries, err := dir.ReadDir(MaxNames + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if len(entries) > MaxNames {
		entries, err = entries[:MaxNames], ErrTooMany
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, cause(err)
}

// Glob returns the paths that match a pattern of package path, sorted. What cannot be listed matches nothing, and err says
// why the first such folder could not; a folder that is not there is none.
func (r *Root) Glob(pattern string) (names []string, err error) {
	names = []string{""}
	for _, part := range parts(pattern) {
		var next []string
		for _, dir := range names {
			if !strings.ContainsAny(part, `*?[\`) {
				if one := path.Join(dir, part); len(names) == 1 || r.Has(one) {
					next = append(next, one)
				}
				continue
			}
			entries, bad := r.ReadDir(dir)
			if bad != nil && !errors.Is(bad, fs.ErrNotExist) && err == nil {
				err = bad
			}
			for _, e := range entries {
				if ok, _ := path.Match(part, e.Name()); ok && len(next) < MaxNames {
					next = append(next, path.Join(dir, e.Name()))
				}
			}
		}
		names = next
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !r.Has(n) })
	slices.Sort(names)
	return names, err
}

// A File is a regular file that is open.
type File struct {
	file fs.File
	Info fs.FileInfo
}

// Open opens a regular file. Its size is that of the moment: a log may grow.
func (r *Root) Open(name string) (*File, error) {
	real, info, err := r.look(name)
	if err != nil {
		return nil, err
	}
	if err := regular(info.Mode()); err != nil {
		return nil, err
	}
	f, err := r.files.Open(real)
	if err != nil {
		return nil, cause(err)
	}
	if info, err = f.Stat(); err == nil { // it may be another one than before
		err = regular(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, cause(err)
	}
	return &File{f, info}, nil
}

// Close closes it.
func (f *File) Close() error { return f.file.Close() }

// ReadAt reads n bytes from an offset, or fewer where the file ends. At most [MaxFile] bytes are read.
func (f *File) ReadAt(at int64, n int) ([]byte, error) {
	if at < 0 || n < 0 {
		return nil, fs.ErrInvalid
	}
	buf := make([]byte, min(n, MaxFile))
	if from, ok := f.file.(io.ReaderAt); ok {
		got, err := from.ReadAt(buf, at)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return buf[:max(got, 0)], cause(err)
	}
	return nil, fs.ErrInvalid
}

// Head returns the first n bytes of a file.
func (r *Root) Head(name string, n int) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAt(0, n)
}

// Tail returns the last n bytes of a file.
func (r *Root) Tail(name string, n int) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAt(max(0, f.Info.Size()-int64(n)), n)
}

func (r *Root) look(name string) (real string, info fs.FileInfo, err error) {
	if real, err = r.Resolve(name); err != nil {
		return "", nil, err
	}
	if info, err = r.files.Lstat(real); err != nil {
		return "", nil, cause(err)
	}
	return real, info, nil
}

func regular(mode fs.FileMode) error {
	what := "something else"
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	case mode&fs.ModeSymlink != 0:
		what = "a link"
	}
	return fmt.Errorf("%w but %s", ErrNotRegular, what)
}

// cause takes the path off an error of package os, which may show where the tree lies on the machine that scans.
func cause(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist // a file stands where a folder would
	}
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// A disk is a folder of this machine. The paths that it is given have no links left in them; should one appear in
// between, the system still does not let it lead out.
type disk struct{ root *os.Root }

func (d disk) Open(name string) (fs.File, error) {
	return d.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
}
func (d disk) Lstat(name string) (fs.FileInfo, error) { return d.root.Lstat(name) }
func (d disk) ReadLink(name string) (string, error)   { return d.root.Readlink(name) }
