package tree

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Options say which files a walk hands out.
type Options struct {
	// Names are patterns of path.Match over names of files in lower case, without folders, that are handed out beside *.yaml,
	// *.yml and *.json.
	Names []string
	// Exclude are patterns of what to leave out, written like lines of a .gitignore file in the tree's root.
	Exclude []string
}

// A File is one file that a walk hands out, or a folder that it could not read.
type File struct {
	Name    string // from the root, with forward slashes; as the file system has it, so any byte may be in it
	Content []byte // valid until the call returns; nil when Err is set
	Err     error  // why it was not read, without the name
}

// Stats count what a walk did.
type Stats struct {
	Files   int // handed out, with content or with an error
	Bytes   int // of their content
	Skipped int // files and whole folders left out: ignored, excluded, links, and the folders that are never entered
}

// maxIgnore is the most bytes of a .gitignore file that are read: each file is held against each line.
const maxIgnore = 256 << 10

// maxKept is the largest buffer, in bytes, that a worker keeps for its next file.
const maxKept = 1 << 20

// Walk calls visit with each file below [Tree.Within] that the options ask for, from as many goroutines at once as Go
// runs at a time, in no order. It does not enter .git, vendor and node_modules, and leaves out what Exclude says and
// what .gitignore files and .git/info/exclude tell git to ignore. (Git goes on tracking an ignored file that was added
// by force; we do not read its index, so such a file is left out. So are the patterns in a user's own configuration.)
// What the user named is read whatever the patterns say: a pattern that ignores the named folder is put aside.
//
// As git does, Walk hands out no links and does not follow them: what a link inside the tree leads to has a name of its
// own there, and what it leads to outside is not part of the tree. [Tree.ReadFile] follows them.
//
// A file that cannot be read, is larger than [MaxFile], or is no regular file is handed out with the error; so is a
// folder that cannot be listed, and a .gitignore file that cannot be read (nothing is ignored for it then). Walk holds
// one file for each goroutine in memory. It ends when ctx does, or with the first error of visit, and returns that.
func (t *Tree) Walk(ctx context.Context, opt Options, visit func(File) error) (Stats, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &walk{tree: t, opt: opt, visit: visit, ctx: ctx, cancel: cancel}
	w.wake = sync.NewCond(&w.mu)
	w.exclude = &ruleset{}
	for _, pattern := range opt.Exclude {
		r, ok, err := parseRule(pattern)
		if err != nil {
			return Stats{}, fmt.Errorf("reading the exclude pattern %q: %w", pattern, err)
		}
		if ok {
			w.exclude.rules = append(w.exclude.rules, r)
		}
	}
	switch {
	case ctx.Err() != nil:
	case t.root == nil:
		w.give(File{Name: Stdin, Content: t.stdin, Err: t.stdinErr})
	case t.file:
		content, err := t.readFile(t.within)
		w.give(File{Name: t.within, Content: content, Err: err})
	default:
		w.run()
	}
	stats := Stats{Files: int(w.files.Load()), Bytes: int(w.bytes.Load()), Skipped: int(w.skipped.Load())}
	return stats, context.Cause(ctx)
}

// Collect walks the tree and returns what visit made of each file, in order of file name. Where ctx ends first, it
// returns its error, and what was made until then.
func Collect[T any](ctx context.Context, t *Tree, opt Options, visit func(File) T) ([]T, Stats, error) {
	type result struct {
		name string
		of   T
	}
	var mu sync.Mutex
	var results []result
	stats, err := t.Walk(ctx, opt, func(f File) error {
		of := visit(f)
		mu.Lock()
		defer mu.Unlock()
		results = append(results, result{f.Name, of})
		return nil
	})
	slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.name, b.name) })
	out := make([]T, len(results))
	for i, r := range results {
		out[i] = r.of
	}
	return out, stats, err
}

// A walk is one run of Walk. Its work lies on two stacks, and files go before folders: a folder is opened only when no
// file waits, so that a few are open for each goroutine, however many there are.
type walk struct {
	tree    *Tree
	opt     Options
	exclude *ruleset
	visit   func(File) error
	ctx     context.Context
	cancel  context.CancelCauseFunc

	mu      sync.Mutex
	wake    *sync.Cond
	batches []batch
	folders []folder
	busy    int // goroutines at work, which may add to the stacks

	files, bytes, skipped atomic.Int64
}

// A folder waits to be listed.
type folder struct {
	name  string // with a slash at its end, "" for the root
	rules *ruleset
}

// A batch is some files of one folder.
type batch struct {
	in    *listed
	names []string
}

// A listed folder stays open until its last batch is done.
type listed struct {
	folder
	root *os.Root
	left atomic.Int32
}

func (l *listed) done() {
	if l.left.Add(-1) == 0 {
		l.root.Close()
	}
}

// batchSize is small enough to share out a folder with many files, and large enough that taking one costs little.
const batchSize = 16

func (w *walk) run() {
	rules := w.rules()
	name := w.tree.within
	if name != "" {
		name += "/"
	}
	w.folders = []folder{{name, rules}}
	defer context.AfterFunc(w.ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.wake.Broadcast()
	})()
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(w.work)
	}
	workers.Wait()
	for _, b := range w.batches {
		b.in.done()
	}
}

// rules reads what is ignored from the root down to the named folder, and puts aside what would ignore that folder.
func (w *walk) rules() *ruleset {
	rules := w.ignoreFile(w.tree.root, ".git/info/exclude", ".git/info/exclude", "", nil)
	for i, c := range w.tree.within + "/" {
		if c != '/' || w.tree.within == "" {
			continue
		}
		at := w.tree.within[:i]
		dir := at[:strings.LastIndexByte(at, '/')+1]
		rules = w.ignoreFile(w.tree.root, dir+".gitignore", dir+".gitignore", dir, rules).unless(at)
		w.exclude = w.exclude.unless(at)
	}
	return rules
}

// ignoreFile adds the rules of a file of the folder dir, if there is one. As git does, it follows no link.
func (w *walk) ignoreFile(root *os.Root, base, name, dir string, above *ruleset) *ruleset {
	info, err := root.Lstat(base)
	if err != nil || !info.Mode().IsRegular() {
		return above
	}
	content, err := read(root, base, nil, maxIgnore)
	if err != nil {
		w.give(File{Name: name, Err: err})
		return above
	}
	return parseRules(dir, content, above)
}

// work takes work until there is none left.
func (w *walk) work() {
	var buf []byte
	w.mu.Lock()
	for {
		for len(w.batches)+len(w.folders) == 0 && w.busy > 0 && w.ctx.Err() == nil {
			w.wake.Wait()
		}
		if len(w.batches)+len(w.folders) == 0 || w.ctx.Err() != nil {
			w.mu.Unlock()
			return
		}
		w.busy++
		if n := len(w.batches); n > 0 {
			b := w.batches[n-1]
			w.batches = w.batches[:n-1]
			w.mu.Unlock()
			buf = w.read(b, buf)
			w.mu.Lock()
		} else {
			n := len(w.folders)
			f := w.folders[n-1]
			w.folders = w.folders[:n-1]
			w.mu.Unlock()
			folders, batches := w.list(f)
			w.mu.Lock()
			w.folders = append(w.folders, folders...)
			w.batches = append(w.batches, batches...)
		}
		w.busy--
		w.wake.Broadcast()
	}
}

// read hands out the files of a batch. It returns the buffer, for the next batch.
func (w *walk) read(b batch, buf []byte) []byte {
	defer b.in.done()
	for _, base := range b.names {
		if w.ctx.Err() != nil {
			break
		}
		content, err := read(b.in.root, base, buf, MaxFile)
		w.give(File{Name: b.in.name + base, Content: content, Err: err})
		if err == nil && cap(content) <= maxKept {
			buf = content
		}
	}
	return buf
}

// give hands out a file.
func (w *walk) give(f File) {
	if f.Err != nil {
		f.Content, f.Err = nil, cause(f.Err)
	}
	w.files.Add(1)
	w.bytes.Add(int64(len(f.Content)))
	if err := w.visit(f); err != nil {
		w.cancel(err)
	}
}

// list reads a folder, and returns the folders in it and the files to read.
func (w *walk) list(f folder) ([]folder, []batch) {
	in := &listed{folder: f}
	var err error
	var entries []fs.DirEntry
	if in.root, err = w.tree.root.OpenRoot(path.Clean(f.name)); err == nil {
		// done here gives back this one; each batch takes its own.
		in.left.Store(1)
		defer in.done()
		entries, err = readDir(in.root)
	}
	if err != nil {
		// What was listed before the error is still read.
		w.give(File{Name: path.Clean(f.name), Err: err})
	}
	for _, e := range entries {
		if e.Name() == ".gitignore" {
			in.rules = w.ignoreFile(in.root, ".gitignore", f.name+".gitignore", f.name, f.rules)
		}
	}
	var folders []folder
	var names []string
	for _, e := range entries {
		base, name := e.Name(), f.name+e.Name()
		switch kind := e.Type(); {
		case kind.IsDir():
			if base == ".git" || base == "vendor" || base == "node_modules" || w.skips(in.rules, name, true) {
				w.skipped.Add(1)
				continue
			}
			folders = append(folders, folder{name + "/", in.rules})
		case !w.wants(base):
		case kind&fs.ModeSymlink != 0 || w.skips(in.rules, name, false):
			w.skipped.Add(1)
		case !kind.IsRegular():
			w.give(File{Name: name, Err: notRegular(kind)})
		default:
			names = append(names, base)
		}
	}
	var batches []batch
	for some := range slices.Chunk(names, batchSize) {
		in.left.Add(1)
		batches = append(batches, batch{in, some})
	}
	return folders, batches
}

func readDir(root *os.Root) ([]fs.DirEntry, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadDir(-1)
}

func (w *walk) skips(rules *ruleset, name string, folder bool) bool {
	return w.exclude.ignores(name, folder) || rules.ignores(name, folder)
}

func (w *walk) wants(base string) bool {
	switch path.Ext(base) {
	case ".yaml", ".yml", ".json":
		return true
	}
	base = strings.ToLower(base)
	return slices.ContainsFunc(w.opt.Names, func(pattern string) bool {
		ok, _ := path.Match(pattern, base)
		return ok
	})
}
