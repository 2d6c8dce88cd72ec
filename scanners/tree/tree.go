// Package tree opens the file or folder that a user named and hands out its files: without ever leaving the
// repository, in parallel, in bounded memory. What is in the files is the caller's business.
package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// MaxFile is the most bytes that are read from one file. The largest manifests in public repositories, bundles of
// resource definitions, stay under a tenth of it.
const MaxFile = 64 << 20

// Stdin is the name of the one file of a tree that was read from standard input.
const Stdin = "-"

var (
	// ErrLeadsOut is why a path is not read that leaves the tree's root, by "..", from "/" or through a link.
	ErrLeadsOut = errors.New("leads out of the scanned folder")
	// ErrNotRegular is why a folder, a named pipe, a socket or a device is not read as a file.
	ErrNotRegular = errors.New("not a regular file")
)

// A TooLargeError is why a file of more than [MaxFile] bytes is not read.
type TooLargeError struct {
	Size  int64 // in bytes; -1 when the end was not seen
	Limit int64 // in bytes
}

func (e *TooLargeError) Error() string {
	if e.Size < 0 {
		return fmt.Sprintf("more than %d bytes, the limit", e.Limit)
	}
	return fmt.Sprintf("%d bytes, the limit is %d", e.Size, e.Limit)
}

// A Tree is the repository around the file or folder that a user named. Its methods may be called at the same time.
type Tree struct {
	root   *os.Root // nil for standard input
	within string
	file   bool // within is a file

	stdin    []byte
	stdinErr error
}

// Open opens the file or folder at path. The tree's root is the nearest folder with a .git entry, from path upwards;
// where there is none, the folder itself, or the folder that the file is in. A link that was named is followed: a
// folder to wherever it leads, a file within the root.
func Open(path string) (*Tree, error) { return OpenBelow("", path) }

// OpenBelow is Open with another root for what lies in no repository: top, a folder that holds path; "" is path's own.
// Files of several targets then have names that tell them apart.
func OpenBelow(top, path string) (*Tree, error) {
	t, err := open(top, path)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, cause(err))
	}
	return t, nil
}

func open(above, path string) (*Tree, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w; send what it holds to standard input and name %q", notRegular(info.Mode()), Stdin)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// A file keeps the name under which it was named: a Compose project, for one, is named after that folder.
	dir, base := abs, "."
	if !info.IsDir() {
		dir, base = filepath.Split(abs)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	top, found := repository(dir)
	if !found && above != "" {
		if top, err = filepath.EvalSymlinks(above); err != nil {
			return nil, err
		}
	}
	within, err := filepath.Rel(top, filepath.Join(dir, base))
	if err != nil {
		return nil, err
	}
	if within == "." {
		within = ""
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	t := &Tree{root: root, within: filepath.ToSlash(within), file: !info.IsDir()}
	if t.file {
		if _, err := root.Stat(within); err != nil {
			root.Close()
			if err = cause(err); errors.Is(err, ErrLeadsOut) {
				return nil, fmt.Errorf("the link %w; name the file that it leads to", err)
			}
			return nil, err
		}
	}
	return t, nil
}

// repository returns the nearest folder with a .git entry from dir upwards, else dir. In a worktree and in a submodule
// .git is a file.
func repository(dir string) (top string, found bool) {
	for at := dir; ; {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, true
		}
		up := filepath.Dir(at)
		if up == at {
			return dir, false
		}
		at = up
	}
}

// OpenStdin reads r to its end and returns a tree whose one file, [Stdin], holds what was read. When that fails, or
// there is more than [MaxFile], the file carries the error.
func OpenStdin(r io.Reader) *Tree {
	content, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err == nil && len(content) > MaxFile {
		err = &TooLargeError{Size: -1, Limit: MaxFile}
	}
	if err != nil {
		content = nil
	}
	return &Tree{within: Stdin, file: true, stdin: content, stdinErr: err}
}

// Close lets go of the root. No method may be called after it.
func (t *Tree) Close() error {
	if t.root == nil {
		return nil
	}
	return t.root.Close()
}

// Within returns the path, from the root and with forward slashes, of what the user named; "" is the root itself.
func (t *Tree) Within() string { return t.within }

// ReadFile reads the file at name, a path from the root with forward slashes. Links are followed as long as they stay
// inside the root. What is ignored by git is read like the rest. Errors wrap [ErrLeadsOut], [ErrNotRegular],
// [*TooLargeError], [fs.ErrNotExist] or what the system said.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	content, err := t.readFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	return content, nil
}

func (t *Tree) readFile(name string) ([]byte, error) {
	if t.root == nil {
		if name != Stdin {
			return nil, fmt.Errorf("%w: only standard input was given", fs.ErrNotExist)
		}
		return bytes.Clone(t.stdin), t.stdinErr
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, ErrLeadsOut
	}
	// Opening a device may do something by itself, so look before.
	info, err := t.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := readable(info, MaxFile); err != nil {
		return nil, err
	}
	return read(t.root, name, nil, MaxFile)
}

// maxList is the most names that ReadDir returns.
const maxList = 1000

// ReadDir returns the paths of the regular files in the folder at name, sorted; links and folders are left out. Errors
// are those of [Tree.ReadFile]; a folder of more than a thousand entries is an error too.
func (t *Tree) ReadDir(name string) ([]string, error) {
	names, err := t.readDir(name)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", name, cause(err))
	}
	return names, nil
}

func (t *Tree) readDir(name string) ([]string, error) {
	switch {
	case t.root == nil:
		return nil, fmt.Errorf("%w: only standard input was given", fs.ErrNotExist)
	case !filepath.IsLocal(filepath.FromSlash(name)):
		return nil, ErrLeadsOut
	}
	dir, err := t.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxList + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(entries) > maxList {
		return nil, fmt.Errorf("more than %d files", maxList)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, path.Join(name, e.Name()))
		}
	}
	slices.Sort(names)
	return names, nil
}

// readable says why a file is not to be read.
func readable(info fs.FileInfo, limit int64) error {
	if !info.Mode().IsRegular() {
		return notRegular(info.Mode())
	}
	if info.Size() > limit {
		return &TooLargeError{Size: info.Size(), Limit: limit}
	}
	return nil
}

// read returns what is in the file, in buf where that is large enough.
func read(root *os.Root, name string, buf []byte, limit int64) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := readable(info, limit); err != nil {
		return nil, err
	}
	// One byte more than the file has, so that the read that fills it is followed by one that sees the end. The size
	// is a hint: a file of /proc says 0, and another program may be writing.
	buf = buf[:0]
	if want := int(info.Size()) + 1; cap(buf) < want {
		buf = make([]byte, 0, max(want, 4<<10))
	}
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, &TooLargeError{Size: -1, Limit: limit}
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// cause takes the path off an error of package os, for who reports it knows the name and may not show where the root
// lies on this machine.
func cause(err error) error {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return err
	}
	// os.Root has no exported error for this.
	if strings.Contains(at.Err.Error(), "path escapes from parent") {
		return ErrLeadsOut
	}
	return at.Err
}

// notRegular says what a file is that is not regular.
func notRegular(mode fs.FileMode) error {
	what := "something else"
	switch {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%w but %s", ErrNotRegular, what)
}

// Binary reports whether content is no text: there is a NUL byte in its first 8 KiB. (Git asks the same of them.)
func Binary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), 8<<10)], 0) >= 0
}
