// Package config reads lookback.yaml: the numbers that an owner decides, the failures that they accept, and what they
// declare about platforms and images because no manifest says it.
//
// Everything that is declared keeps the line that it stands on. The file is read strictly: what is not understood is an
// error that names the line and the cure, never something to skip. docs/configuration.md is the reference.
package config

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lookback/checks"
	"lookback/evidence"
	"lookback/scanners"
)

// Schema is the JSON schema of lookback.yaml, draft 2020-12, for editors.
//
//go:embed lookback.schema.json
var Schema []byte

// Limits of what is read. They are far above real files, and keep a hostile one from costing anything.
const (
	maxSize     = 1 << 20 // bytes of one file
	maxNesting  = 50      // mappings and lists within each other
	maxExtends  = 8       // files that extend each other in a row
	maxFiles    = 32      // files in all
	maxProblems = 50      // errors that are reported
)

// A Config is what lookback.yaml says, with the files that it extends.
type Config struct {
	// Policy is complete: what nobody decided has its default.
	Policy checks.Policy
	// Waivers are those of all files, the nearest file's first.
	Waivers []evidence.Waiver
	// Declared holds the facts that the owner states; the origin of each has the note [evidence.NoteDeclared]. Images and
	// Shippers are in the order in which to try them: the first whose pattern matches counts.
	Declared scanners.Declared
	// Files are the files that were read, as origins show them, the nearest first.
	Files []string
}

// Default returns what holds without a lookback.yaml.
func Default() *Config { return &Config{Policy: checks.DefaultPolicy()} }

// Options say how a configuration is read.
type Options struct {
	// Root is the root of the repository. Origins show a file below it by its path from there, any other by its base name.
	Root string
	// Confined makes it an error to read a file outside of Root, also through a link. It is for files that [Find] found:
	// they may be a stranger's.
	Confined bool
	// Checks are the IDs of all checks. A waiver that matches none of them is an error.
	Checks []string
}

// Find looks for lookback.yaml, then lookback.yml, in a folder and upwards, up to the root of the repository, which is
// the nearest folder with a .git entry, or to the root of the file system where there is none. The path is "" where
// there is no such file. Root is for [Options]: the repository's, else the folder of the file that was found.
func Find(dir string) (path, root string, err error) {
	at, err := filepath.Abs(dir)
	if err == nil {
		at, err = filepath.EvalSymlinks(at)
	}
	if err != nil {
		return "", "", fmt.Errorf("looking for lookback.yaml: %w", err)
	}
	if info, err := os.Stat(at); err == nil && !info.IsDir() {
		at = filepath.Dir(at)
	}
	for {
		for _, name := range []string{"lookback.yaml", "lookback.yml"} {
			if info, err := os.Lstat(filepath.Join(at, name)); path == "" && err == nil && !info.IsDir() {
				path, root = filepath.Join(at, name), at
			}
		}
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return path, at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return path, root, nil
		}
		at = up
	}
}

// Load reads the configuration at path and the files that it extends. Its error lists everything that is wrong with
// them, in order of file and line, each as "lookback.yaml:12: what is wrong, and the cure".
func Load(path string, o Options) (*Config, error) {
	l := &loader{options: o, config: &Config{}, read: readFile}
	path, err := resolved(path)
	if err == nil && o.Root != "" {
		if o.Root, err = filepath.Abs(o.Root); err == nil {
			o.Root, err = filepath.EvalSymlinks(o.Root)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	l.options.Root = o.Root
	if o.Confined {
		r, err := os.OpenRoot(o.Root)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		defer r.Close()
		l.read = func(path string) ([]byte, error) { return readWithin(r, o.Root, path) }
	}
	return l.load(path)
}

// resolved returns an absolute path without links in its folders, so that paths can be compared.
func resolved(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return abs, nil // reading it will say what is wrong
	}
	return filepath.Join(dir, filepath.Base(abs)), nil
}

// A loader reads a file and what it extends, the nearest first: what is already known stays.
type loader struct {
	options  Options
	config   *Config
	read     func(path string) ([]byte, error)
	stack    []string // the files that are being read: each extends the next
	seen     map[string]bool
	problems []problem
	more     int // problems beyond those
	// searchable is where that number of days was decided.
	searchable problem
}

// A problem is one thing that is wrong with a file.
type problem struct {
	file, line int // the file's place in Config.Files
	err        error
}

func (l *loader) load(path string) (*Config, error) {
	data, err := l.read(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.shown(path), cause(err))
	}
	l.file(path, data)
	l.finish()
	if len(l.problems) > 0 {
		return nil, l.err()
	}
	return l.config, nil
}

// file takes in one file, then what it extends.
func (l *loader) file(path string, data []byte) {
	f := &file{loader: l, path: path, number: len(l.config.Files), shown: l.shown(path)}
	l.config.Files = append(l.config.Files, f.shown)
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[path] = true
	l.stack = append(l.stack, path)
	for _, e := range f.document(data) {
		f.extend(e)
	}
	l.stack = l.stack[:len(l.stack)-1]
}

// extend takes in a file that f extends. One that was read before has had its say.
func (f *file) extend(e extension) {
	path := filepath.FromSlash(e.path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(f.path), path)
	}
	path, err := resolved(path)
	if err != nil {
		f.bad(e.node, "extends %q: %w", e.path, err)
		return
	}
	switch {
	case slices.Contains(f.stack, path):
		f.bad(e.node, "extends %q leads back to a file that extends this one; take one of the two out", e.path)
		return
	case f.seen[path]:
		return
	case len(f.stack) >= maxExtends:
		f.bad(e.node, "more than %d files extend each other in a row; extend the last one directly", maxExtends)
		return
	case len(f.config.Files) >= maxFiles:
		f.bad(e.node, "more than %d files are extended; join some of them", maxFiles)
		return
	}
	data, err := f.read(path)
	if err != nil {
		f.bad(e.node, "extends %q: %w", e.path, cause(err))
		return
	}
	f.file(path, data)
}

// finish fills in defaults and puts patterns in order.
func (l *loader) finish() {
	p, def := &l.config.Policy, checks.DefaultPolicy()
	decided := p.Searchable > 0
	p.Retain = cmp.Or(p.Retain, def.Retain)
	p.Searchable = cmp.Or(p.Searchable, min(def.Searchable, p.Retain))
	p.RestoreWithin = cmp.Or(p.RestoreWithin, def.RestoreWithin)
	p.FinishedStays = cmp.Or(p.FinishedStays, def.FinishedStays)
	p.Buffer = cmp.Or(p.Buffer, def.Buffer)
	p.Fresh = cmp.Or(p.Fresh, def.Fresh)
	p.Hands = cmp.Or(p.Hands, def.Hands)
	if decided && p.Searchable > p.Retain {
		at := l.searchable
		at.err = fmt.Errorf("%s:%d: records cannot be searchable for %d days when they are kept for %d; raise retain or lower searchable",
			l.config.Files[at.file], at.line, p.Searchable, p.Retain)
		l.problems = append(l.problems, at)
	}
	slices.SortStableFunc(l.config.Declared.Images, func(a, b scanners.Image) int { return bySpecificity(a.Image, b.Image) })
}

// bySpecificity puts the pattern first that says more: a whole name, then the one with the longest text.
func bySpecificity(a, b string) int {
	wild := func(s string) int { return strings.Count(s, "*") + strings.Count(s, "?") }
	return cmp.Or(
		cmp.Compare(min(wild(a), 1), min(wild(b), 1)),
		cmp.Compare(len(b)-wild(b), len(a)-wild(a)),
		cmp.Compare(a, b),
	)
}

// err joins what is wrong.
func (l *loader) err() error {
	slices.SortStableFunc(l.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	var errs []error
	for _, p := range l.problems {
		errs = append(errs, p.err)
	}
	if l.more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", l.more))
	}
	return errors.Join(errs...)
}

// shown is how a file is named in origins and errors.
func (l *loader) shown(path string) string {
	if rel, err := filepath.Rel(l.options.Root, path); l.options.Root != "" && err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(path)
}

// Why a file is not read.
var (
	errOutside    = errors.New("it lies outside of the repository, and a configuration that was found by search may not lead there; name the configuration with --config or LOOKBACK_CONFIG if you trust it")
	errNotRegular = errors.New("it is not a regular file; name a file")
	errTooLarge   = errors.New("it is larger than 1 MiB, the limit")
)

func readFile(path string) ([]byte, error) {
	// Opening a pipe waits for whoever writes to it, so look before.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return readOpened(info, func() (*os.File, error) { return os.Open(path) })
}

// readWithin reads a file that must lie below a root, wherever links lead.
func readWithin(r *os.Root, root, path string) ([]byte, error) {
	name, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(name) {
		return nil, errOutside
	}
	info, err := r.Stat(name)
	if err != nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			if rel, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(rel) {
				return nil, errOutside
			}
		}
		return nil, err
	}
	return readOpened(info, func() (*os.File, error) { return r.Open(name) })
}

func readOpened(info fs.FileInfo, open func() (*os.File, error)) ([]byte, error) {
	switch {
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	case info.Size() > maxSize:
		return nil, errTooLarge
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = errTooLarge
	}
	return data, err
}

// cause returns what the system said without the path, which may be absolute.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
