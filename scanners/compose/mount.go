package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/tree"
	"lookback/scanners/workload"
)

// mount adds one entry of "volumes:".
func (s *service) mount(v types.ServiceVolumeConfig) {
	at := s.stack.item("volumes", "target", func(item string) bool {
		written, err := format.ParseVolume(item)
		return err == nil && target(written.Target) == target(v.Target)
	})
	if !resolved(v.Target) {
		s.c.Image = evidence.Unknown[string](evidence.Unresolved, at)
		s.stack.lose("volumes", evidence.Unresolved, at)
		return
	}
	m := workload.Mount{
		Path: target(v.Target), ReadOnly: v.ReadOnly, NoCopy: v.Volume != nil && v.Volume.NoCopy,
		Name: written(v.Source), At: at,
	}
	switch {
	case v.Type == types.VolumeTypeBind || v.Type == types.VolumeTypeNamedPipe:
		s.bind(&m, v.Source)
	case v.Type == types.VolumeTypeTmpfs:
		m.Kind, m.Name = workload.Tmpfs, ""
		m.Volume = s.own("tmpfs", m.Path)
	case v.Type == types.VolumeTypeImage:
		m.Kind, m.ReadOnly = workload.Settings, true
		m.Volume = s.shared("image", m.Name)
	case v.Type == types.VolumeTypeCluster:
		m.Kind = workload.Plugin
		m.OffHost = evidence.Unknown[bool](evidence.Elsewhere, at)
		m.Volume = s.shared("volume", m.Name)
	case v.Source == "":
		m.Kind = workload.AnonymousVolume
		m.Volume = s.own("volume", m.Path)
	default:
		s.named(&m, v.Source)
	}
	s.c.Mounts = append(s.c.Mounts, m)
}

// target returns a path in the container, clean and absolute.
func target(p string) string {
	if absolute(p) && !strings.HasPrefix(p, "/") {
		return p // of Windows
	}
	return path.Clean("/" + p)
}

func (s *service) own(kind, p string) evidence.ID {
	return s.c.Asset.ID + "/" + evidence.ID(kind+"/"+strings.TrimPrefix(p, "/"))
}

func (p *project) shared(kind, name string) evidence.ID {
	return p.target + "//" + evidence.ID(kind+"/"+name)
}

// bind fills in a mount of the host's folder or file.
func (s *service) bind(m *workload.Mount, source string) {
	m.Kind = workload.Bind
	m.HostPath = hostPath(written(source))
	m.Name = m.HostPath
	m.Volume = s.shared("bind", strings.TrimPrefix(m.HostPath, "./"))
}

// hostPath cleans a path of the host; one that starts from the project's folder shows it.
func hostPath(p string) string {
	if strings.HasPrefix(p, `\`) || strings.Contains(p, `:\`) {
		return p
	}
	out := path.Clean(p)
	if !absolute(p) && !strings.HasPrefix(out, "..") && out != "." {
		out = "./" + out
	}
	return out
}

// named fills in a mount of a volume that has a name, after what the project says about the volume.
func (s *service) named(m *workload.Mount, source string) {
	m.Kind = workload.NamedVolume
	m.Volume = s.shared("volume", m.Name)
	if !resolved(source) {
		// A folder of the host, a volume, or another volume than the one that we know.
		m.Kind = workload.Plugin
		m.OffHost = evidence.Unknown[bool](evidence.Unresolved, m.At)
		return
	}
	st := s.model.volumes[source]
	if st == nil {
		return
	}
	merged, err := st.merged("volumes")
	var v types.VolumeConfig
	if err == nil {
		err = decode(merged, &v)
	}
	lost, missing := st.missing("driver")
	if !missing {
		lost, missing = st.missing("driver_opts")
	}
	opt := func(key string) string { return strings.ToLower(v.DriverOpts[key]) }
	unknown := func(why evidence.Reason, at evidence.Origin) {
		m.Kind, m.OffHost = workload.Plugin, evidence.Unknown[bool](why, at)
	}
	switch kind, o := opt("type"), opt("o"); {
	case err != nil:
		unknown(evidence.Failed, st.self())
	case missing:
		unknown(lost.Why(), lost.At())
	case bool(v.External):
		unknown(evidence.Elsewhere, st.at("external"))
	case !resolved(v.Driver):
		unknown(evidence.Unresolved, st.at("driver"))
	case v.Driver != "" && v.Driver != "local":
		unknown(evidence.Elsewhere, st.at("driver"))
	case strings.HasPrefix(kind, "nfs") || kind == "cifs" || kind == "smb3" || strings.Contains(","+o, ",addr="):
		m.Kind, m.OffHost = workload.Remote, evidence.Known(true, st.at("driver_opts", "type"))
	case !resolved(kind) || !resolved(o):
		unknown(evidence.Unresolved, st.at("driver_opts"))
	case kind == "tmpfs":
		m.Kind = workload.Tmpfs
	case v.DriverOpts["device"] != "" && (kind == "none" || kind == "") && strings.Contains(","+o+",", "bind,"):
		// A folder of the host by another name; Docker fills it from the image all the same, as it does any volume.
		m.HostPath = hostPath(written(v.DriverOpts["device"]))
	}
}

// tmpfs adds the entries of "tmpfs:", each "/path:options".
func (s *service) tmpfs() {
	for _, entry := range s.Tmpfs {
		p, options, _ := strings.Cut(entry, ":")
		at := s.stack.item("tmpfs", "", func(item string) bool { return item == entry })
		if !resolved(p) {
			s.c.Image = evidence.Unknown[string](evidence.Unresolved, at)
			s.stack.lose("tmpfs", evidence.Unresolved, at)
			continue
		}
		m := workload.Mount{Path: target(p), Kind: workload.Tmpfs, At: at}
		m.ReadOnly = strings.Contains(","+options+",", ",ro,")
		m.Volume = s.own("tmpfs", m.Path)
		s.c.Mounts = append(s.c.Mounts, m)
	}
}

// refer adds configs or secrets: files that lie under dir unless the service says otherwise.
func (s *service) refer(refs []types.ServiceConfigObjConfig, defined map[string]*stack, kind, dir string) {
	for _, ref := range refs {
		at := s.stack.item(kind+"s", "source", func(item string) bool { return item == ref.Source })
		p := ref.Target
		if p == "" {
			p = ref.Source
		}
		if !resolved(p) || p == "" {
			s.stack.lose("files", evidence.Unresolved, at)
			continue
		}
		if !path.IsAbs(p) {
			p = dir + p
		}
		p = path.Clean(p)
		if s.settings == nil {
			s.settings = map[string]evidence.Value[string]{}
		}
		s.settings[p] = s.content(ref.Source, defined[ref.Source], at)
		s.c.Mounts = append(s.c.Mounts, workload.Mount{
			Path: p, Kind: workload.Settings, Volume: s.shared(kind, written(ref.Source)), Name: written(ref.Source), ReadOnly: true, At: at,
		})
	}
}

// content returns what is in a config or a secret.
func (s *service) content(name string, st *stack, at evidence.Origin) evidence.Value[string] {
	if !resolved(name) {
		return evidence.Unknown[string](evidence.Unresolved, at)
	}
	if st == nil {
		return evidence.Unknown[string](evidence.Failed, at)
	}
	merged, err := st.merged("configs")
	if err != nil {
		return evidence.Unknown[string](evidence.Failed, st.self())
	}
	for _, key := range []string{"content", "file", "environment"} {
		value, ok := merged[key].(string)
		at := st.at(key)
		switch {
		case !ok:
			continue
		case !resolved(value):
			return evidence.Unknown[string](evidence.Unresolved, at)
		case key == "content":
			if n := st.node("content"); n != nil && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				at.Line, at.Col = at.Line+1, 0 // the text begins below its "|"
			}
			return evidence.Known(value, at)
		case key == "file":
			return s.fileAt(value, at)
		default:
			if value, ok := s.vars[value]; ok {
				return text(value, at)
			}
			return evidence.Unknown[string](evidence.Unresolved, at)
		}
	}
	if lost, ok := st.missing(""); ok {
		return evidence.Unknown[string](lost.Why(), lost.At())
	}
	return evidence.Unknown[string](evidence.Elsewhere, st.self())
}

// fileAt reads a file that is written as a path from the project's folder, or all files of a folder.
func (s *service) fileAt(p string, at evidence.Origin) evidence.Value[string] {
	name, err := resolve(s.dir, p)
	if err != nil {
		return evidence.Unknown[string](whyUnread(err, p), at)
	}
	content, err := s.scan.read(name)
	if err == nil {
		return evidence.Known(content, evidence.Origin{File: name, Line: 1, Col: 1})
	}
	names, notFolder := s.scan.Tree.ReadDir(name)
	if notFolder != nil {
		return evidence.Unknown[string](whyUnread(err, p), at)
	}
	var all strings.Builder
	for _, name := range names {
		content, err := s.scan.read(name)
		if err != nil || all.Len()+len(content) > maxRead {
			return evidence.Unknown[string](evidence.Unfamiliar, at.WithNote("not all files of the folder could be read"))
		}
		if all.Len() == 0 {
			at = evidence.Origin{File: name, Line: 1, Col: 1}
		}
		all.WriteString(content + "\n")
	}
	return evidence.Known(all.String(), at)
}

// file returns the content of a file in the container: see workload.Container.
func (s *service) file(p string) evidence.Value[string] {
	p = target(p)
	var over *workload.Mount
	for i := range s.c.Mounts {
		m := &s.c.Mounts[i]
		if workload.Within(p, m.Path) && (over == nil || len(m.Path) >= len(over.Path)) {
			over = m
		}
	}
	if over == nil {
		for i := range s.c.Mounts { // one of the files of a folder
			if m := s.c.Mounts[i]; workload.Within(m.Path, p) && (m.Kind == workload.Settings || m.Kind == workload.Bind) {
				return s.file(m.Path)
			}
		}
		for _, key := range []string{"volumes", "configs", "secrets", "files", "volumes_from"} {
			if lost, ok := s.stack.missing(key); ok {
				return evidence.Unknown[string](lost.Why(), lost.At())
			}
		}
		for _, copied := range s.copied {
			if workload.Within(p, copied) {
				return evidence.Unknown[string](evidence.Elsewhere, s.build)
			}
		}
		return evidence.Moot[string](s.c.Asset.At)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(p, over.Path), "/")
	if content, ok := s.settings[over.Path]; ok && rest == "" && over.Kind == workload.Settings {
		return content
	}
	if over.Kind != workload.Bind {
		return evidence.Unknown[string](evidence.Elsewhere, over.At)
	}
	from := over.HostPath
	if strings.Contains(from, "${") {
		return evidence.Unknown[string](evidence.Unresolved, over.At)
	}
	if rest != "" {
		from = from + "/" + rest
	}
	return s.fileAt(from, over.At)
}

// whyUnread says why a file is unknown. One that is not in the tree may be there on the machine.
func whyUnread(err error, p string) evidence.Reason {
	switch {
	case errors.Is(err, errUnresolved):
		return evidence.Unresolved
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, tree.ErrNotRegular), errors.Is(err, tree.ErrLeadsOut), errors.Is(err, errRemote), absolute(p):
		return evidence.Elsewhere
	}
	return evidence.Failed
}

// takeOver adds the mounts that "volumes_from:" names.
func (p *project) takeOver() {
	const inARow = 10 // services that take them from one that takes them from another
	for range inARow {
		changed := false
		for _, s := range p.services {
			for _, from := range s.VolumesFrom {
				changed = s.takeFrom(from) || changed
			}
		}
		if !changed {
			return
		}
	}
}

func (s *service) takeFrom(entry string) (changed bool) {
	at := s.stack.item("volumes_from", "", func(item string) bool { return item == entry })
	name, options, _ := strings.Cut(entry, ":")
	from := s.byName[name]
	if from == nil || from == s || len(s.c.Mounts) > maxEntries {
		why := evidence.Elsewhere
		if !resolved(entry) {
			why = evidence.Unresolved
		}
		s.stack.lose("volumes_from", why, at)
		s.c.Image = evidence.Unknown[string](why, at)
		return false
	}
	for _, m := range from.c.Mounts {
		has := false
		for _, own := range s.c.Mounts {
			has = has || own.Path == m.Path
		}
		// Docker shares volumes and binds, neither memory nor configs.
		if has || m.Kind == workload.Settings || m.Volume == from.own("tmpfs", m.Path) {
			continue
		}
		m.ReadOnly = m.ReadOnly || options == "ro"
		m.At = at
		s.c.Mounts = append(s.c.Mounts, m)
		changed = true
	}
	return changed
}

// describe says all about a container that verdicts may rest on, without where it is written and which project it
// belongs to: two projects that run the same container describe it the same.
func describe(c *workload.Container) string {
	var b strings.Builder
	fmt.Fprint(&b, c.Asset.Name, c.Names, said(c.Image), said(c.ReadOnlyRoot), said(c.EnvWhole), said(c.Log.Driver))
	for _, v := range c.Args {
		fmt.Fprint(&b, "\narg ", said(v))
	}
	for _, m := range []map[string]evidence.Value[string]{c.Env, c.Annotations, c.Log.Options} {
		all := make(map[string]string, len(m))
		for key, v := range m {
			all[key] = said(v)
		}
		fmt.Fprintf(&b, "\n%q", all)
	}
	for _, m := range c.Mounts {
		fmt.Fprintf(&b, "\nmount %q %q %q %q %q %t %t %s", m.Path, m.Kind, m.Volume.Thing(), m.Name, m.HostPath, m.ReadOnly, m.NoCopy, said(m.OffHost))
		if m.Kind == workload.Settings {
			fmt.Fprint(&b, said(c.File(m.Path)))
		}
	}
	return b.String()
}

func said[T any](v evidence.Value[T]) string {
	value, known := v.Get()
	return fmt.Sprintf("%q %t %t %q", fmt.Sprint(value), known, v.IsMoot(), v.Why())
}
