// Package compose reads Docker Compose files: which containers a project runs, and what each says about its output.
//
// A project is what "docker compose" would start in a folder: the base file with its automatic override, or what
// COMPOSE_FILE in the folder's .env names. It has the target "compose:FOLDER". A further Compose file of the folder is
// a project of its own, "compose:FOLDER/FILE", alone where it is complete, over the base where it only changes services
// of the base. Of the latter kind only those services are reported that it makes different from the base: the base
// answers for the rest. Variables have the values that .env gives them; those of the scanning process are not used.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/locate"
	"lookback/scanners/tree"
	"lookback/scanners/workload"
)

// A Scanner reads Compose files.
type Scanner struct{}

var _ scanners.Scanner = Scanner{}

// Offer keeps a Compose file, parsed, and one that has the name of a Compose file and cannot be read.
func (Scanner) Offer(f tree.File) any {
	if kept := offered(f.Name, f.Content, f.Err); kept != nil {
		return kept
	}
	return nil
}

// Scan sends the containers of each project through [workload.Observe].
func (Scanner) Scan(ctx context.Context, t scanners.Target, kept []any, to scanners.Sink) error {
	s := newScan(t, to)
	folders := byFolder(read(s, kept))
	found := make([]evidence.Set, len(folders))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(folders)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(folders) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				s.folderInto(&found[i], folders[i])
				folders[i] = nil // what was loaded is not needed any more
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range found {
		s.send(&found[i])
	}
	return nil
}

// byFolder puts the projects of one folder together: overlays need their base.
func byFolder(projects []*project) [][]*project {
	var out [][]*project
	for i, p := range projects {
		if i == 0 || projects[i-1].dir != p.dir {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], p)
	}
	return out
}

// folderInto loads the projects of a folder and puts what they say into a set. Folders may be loaded at the same time.
func (s *scan) folderInto(set *evidence.Set, projects []*project) {
	own := newScan(s.Target, keeping{set})
	own.files = s.files
	for _, p := range projects {
		p.scan = own
		if !p.load() {
			continue
		}
		p.waivers()
		workload.Observe(p.containers(), s.Declared, p.sink())
	}
}

// send sends what the projects of a folder say, without what other folders have said.
func (s *scan) send(set *evidence.Set) {
	for _, g := range set.Gaps {
		s.gap(g)
	}
	for _, w := range set.Waivers {
		s.waiver(w)
	}
	for _, r := range set.Records {
		s.sink.Record(r)
	}
	*set = evidence.Set{}
}

// A keeping sink keeps an asset as a copy, for it is a part of a container, which would stay in memory with it and with
// all that was read of its project.
type keeping struct{ *evidence.Set }

func (k keeping) Record(r evidence.Record) {
	if a, ok := r.(*evidence.Asset); ok {
		own := *a
		r = &own
	}
	k.Set.Record(r)
}

// read returns the projects of the files that were kept, not yet loaded.
func read(s *scan, kept []any) []*project {
	for _, k := range kept {
		if f, ok := k.(*file); ok {
			s.files.byName[f.name] = f
			s.names = append(s.names, f.name)
		}
	}
	slices.Sort(s.names)
	return s.projects()
}

// A scan is what the projects of one run, or of one folder, share.
type scan struct {
	scanners.Target
	sink   scanners.Sink
	files  *files
	names  []string // of the files that were offered
	gaps   map[evidence.Gap]bool
	waived map[evidence.Waiver]bool
	envs   map[[2]string]envFile // by the project's folder and the file
	sent   map[evidence.ID]int   // gaps, by target
}

func newScan(t scanners.Target, to scanners.Sink) *scan {
	return &scan{Target: t, sink: to, files: &files{byName: map[string]*file{}}, gaps: map[evidence.Gap]bool{}, waived: map[evidence.Waiver]bool{}, envs: map[[2]string]envFile{}, sent: map[evidence.ID]int{}}
}

// maxGaps is the most gaps that are sent of one project.
const maxGaps = 200

// gap sends a gap, once for all projects that a file is part of.
func (s *scan) gap(g evidence.Gap) {
	once := g
	once.In = ""
	if s.gaps[once] || s.sent[g.In] > maxGaps {
		return
	}
	if s.sent[g.In]++; s.sent[g.In] > maxGaps {
		g = evidence.Gap{In: g.In, Asked: "the rest of the project", Why: evidence.Failed, Err: fmt.Sprintf("more than %d things could not be read", maxGaps), At: evidence.Origin{File: g.At.File}, Bad: true}
	}
	s.gaps[once] = true
	s.sink.Gap(g)
}

// waiver sends a waiver, once for all projects that a file is part of.
func (s *scan) waiver(w evidence.Waiver) {
	if !s.waived[w] {
		s.waived[w] = true
		s.sink.Waiver(w)
	}
}

// files are the files of a tree that were parsed, for all folders.
type files struct {
	mu     sync.Mutex
	byName map[string]*file
}

// file returns a file of the tree, parsed; its err is set where that cannot be.
func (s *scan) file(name string) *file {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	f, ok := s.files.byName[name]
	if !ok {
		content, err := s.Tree.ReadFile(name)
		f = parse(name, content, cause(err))
		s.files.byName[name] = f
	}
	return f
}

// cause takes the file's name off an error of the tree's: it stands beside.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// maxRead is the most bytes of a file, other than a Compose file, that are read: a configuration, a Dockerfile.
const maxRead = 1 << 20

// read returns a text of the tree.
func (s *scan) read(name string) (string, error) {
	content, err := s.Tree.ReadFile(name)
	switch {
	case err != nil:
		return "", cause(err)
	case len(content) > maxRead:
		return "", &tree.TooLargeError{Size: int64(len(content)), Limit: maxRead}
	case tree.Binary(content):
		return "", errors.New("not a text")
	}
	return strings.ToValidUTF8(clean(string(content)), "\uFFFD"), nil
}

// env reads an env file.
func (s *scan) env(name string, outer vars) (vars, error) {
	content, err := s.Tree.ReadFile(name)
	if err != nil {
		return nil, cause(err)
	}
	return parseEnv(content, outer)
}

// An envFile is an env file as one folder's projects see it.
type envFile struct {
	vars  vars
	lines map[string]int
	err   error
}

// envAt reads an env file that a project names.
func (s *scan) envAt(p *project, written string) (name string, own envFile) {
	name, err := resolve(p.dir, written)
	if err != nil {
		return name, envFile{err: err}
	}
	key := [2]string{p.dir, name}
	own, done := s.envs[key]
	if !done {
		own.vars, own.err = s.env(name, p.vars)
		own.lines = s.lines(name)
		s.envs[key] = own
	}
	return name, own
}

// lines returns in which line an env file sets each variable.
func (s *scan) lines(name string) map[string]int {
	out := map[string]int{}
	content, _ := s.read(name)
	number := 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if i := strings.IndexAny(line, " \t=:"); i >= 0 {
			line = line[:i]
		}
		out[line] = number
	}
	return out
}

// at returns where an env file sets a variable.
func (e envFile) at(name, key string) evidence.Origin {
	if line := e.lines[key]; line > 0 {
		return evidence.Origin{File: name, Line: line, Col: 1}
	}
	return evidence.Origin{File: name}
}

// A project is what one or more Compose files start together.
type project struct {
	*scan
	target      evidence.ID
	dir         string
	files       []string // each upon the one before
	vars        vars
	profiles    []string
	development bool
	base        *project // of an overlay: what it changes

	left     *budget
	model    *model
	services []*service
	byName   map[string]*service
}

// host is the machine that the project's containers run on.
func (p *project) host() evidence.ID { return p.target + "//host" }

// baseNames are the names by which Docker Compose finds a project, in its order; each may have an override.
var baseNames = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

var overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// projects returns the projects of the tree, by folder; in a folder the first is the one that Docker Compose would
// start without being told.
func (s *scan) projects() []*project {
	var out []*project
	borrowed := s.borrowed()
	byDir := map[string][]string{}
	var dirs []string
	for _, name := range s.names {
		dir := path.Dir(name)
		if byDir[dir] == nil {
			dirs = append(dirs, dir)
		}
		byDir[dir] = append(byDir[dir], path.Base(name))
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		out = append(out, s.folder(dir, byDir[dir], borrowed)...)
	}
	return out
}

// folder returns the projects of one folder, given the names of the Compose files in it.
func (s *scan) folder(dir string, names []string, borrowed map[string]bool) []*project {
	env := s.dotenv(dir)
	used := map[string]bool{}
	first := s.composeFile(dir, env)
	if first == nil {
		first = s.standard(dir, names)
	}
	for _, name := range first {
		used[name] = true
	}
	var rest []string
	for _, name := range names {
		if full := path.Join(dir, name); !used[full] && !borrowed[full] {
			rest = append(rest, full)
		}
	}
	// Without a standard name, the first that is complete is what the others may build on.
	if first == nil && len(rest) > 0 {
		i := max(0, slices.IndexFunc(rest, s.complete))
		first = []string{rest[i]}
		rest = slices.Delete(rest, i, i+1)
	}
	if first == nil {
		return nil
	}
	folder := evidence.ID("compose:" + dir)
	of := func(target evidence.ID, files []string, own string) *project {
		return &project{
			scan: s, target: target, dir: dir, files: files, vars: env, profiles: strings.Split(env["COMPOSE_PROFILES"], ","),
			development: s.Declared.IsDevelopment(own),
		}
	}
	base := of(folder, first, first[0])
	out := []*project{base}
	for _, name := range rest {
		target := evidence.ID("compose:" + path.Join(dir, path.Base(name)))
		if s.overlays(name, first) {
			p := of(target, append(s.withoutOverride(first), name), name)
			p.base = base
			out = append(out, p)
			continue
		}
		out = append(out, of(target, []string{name}, name))
	}
	return out
}

// dotenv returns the variables of a folder.
func (s *scan) dotenv(dir string) vars {
	name := path.Join(dir, ".env")
	env, err := s.env(name, nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.gap(evidence.Gap{In: evidence.ID("compose:" + dir), Asked: "the file " + name, Why: evidence.Failed, Err: err.Error(), At: evidence.Origin{File: name}, Bad: true})
	}
	return env
}

// composeFile returns the files that COMPOSE_FILE names, nil where it is not set.
func (s *scan) composeFile(dir string, env vars) []string {
	list := env["COMPOSE_FILE"]
	if list == "" {
		return nil
	}
	separator := env["COMPOSE_PATH_SEPARATOR"]
	if separator == "" {
		separator = ":"
	}
	var out []string
	for _, p := range strings.Split(list, separator) {
		if p == "" {
			continue
		}
		name, err := resolve(dir, p)
		if err == nil {
			err = s.file(name).readErr()
		}
		if err != nil {
			at := envFile{lines: s.lines(path.Join(dir, ".env"))}.at(path.Join(dir, ".env"), "COMPOSE_FILE")
			l := loading{scan: s, target: evidence.ID("compose:" + dir)}
			l.gap(fmt.Sprintf("the file %q, which COMPOSE_FILE names", written(p)), at, err, true)
			continue
		}
		out = append(out, name)
	}
	return out
}

// standard returns the base file of a folder and its override, nil where there is none.
func (s *scan) standard(dir string, names []string) []string {
	var out []string
	for _, of := range [][]string{baseNames, overrideNames} {
		i := slices.IndexFunc(of, func(name string) bool { return slices.Contains(names, name) })
		if i < 0 {
			break
		}
		out = append(out, path.Join(dir, of[i]))
	}
	return out
}

// withoutOverride returns the files without the automatic override, which Docker Compose leaves out when it is told
// which files to use.
func (s *scan) withoutOverride(files []string) []string {
	if len(files) == 2 && slices.Contains(overrideNames, path.Base(files[1])) {
		return files[:1:1]
	}
	return slices.Clone(files)
}

// services yields the names of a file's services, with whether each is complete by itself.
func (s *scan) services(name string) map[string]bool {
	out := map[string]bool{}
	for _, doc := range s.file(name).docs {
		_, all := locate.Child(doc, "services")
		if all == nil {
			continue
		}
		for _, e := range entries(all) {
			name, node := locate.Content(e[0]).Value, e[1]
			if _, done := out[name]; done {
				continue
			}
			out[name] = has(node, "image") || has(node, "build") || has(node, "extends") || has(node, "provider")
		}
	}
	return out
}

func (s *scan) complete(name string) bool {
	for _, ok := range s.services(name) {
		if !ok {
			return false
		}
	}
	return s.file(name).err == nil
}

// overlays reports whether a file changes services of others and is nothing without them.
func (s *scan) overlays(name string, base []string) bool {
	for service, complete := range s.services(name) {
		if complete {
			continue
		}
		for _, b := range base {
			if _, ok := s.services(b)[service]; ok {
				return true
			}
		}
	}
	return false
}

// borrowed returns the files that others include or extend: they are judged there. One that is complete and has a
// standard name is a project all the same.
func (s *scan) borrowed() map[string]bool {
	out := map[string]bool{}
	for _, name := range s.names {
		dir := path.Dir(name)
		add := func(p string) {
			full, err := resolve(dir, p)
			if err != nil || full == name || slices.Contains(baseNames, path.Base(full)) && s.complete(full) {
				return
			}
			out[full] = true
		}
		f := s.file(name)
		for _, doc := range f.docs {
			for _, p := range mentioned(doc) {
				add(p)
			}
		}
	}
	return out
}
