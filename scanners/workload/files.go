package workload

import (
	"path"
	"slices"
	"strings"

	"lookback/evidence"
)

// files returns what a container writes to files: the folders that its image is known to write, and log folders that
// somebody mounted. Where a mount hides links to standard output, it says so on out.
func (o *observer) files(c *Container, img facts, out *evidence.LogSource) []evidence.LogSource {
	var sources []evidence.LogSource
	done := slices.Clone(c.Told) // folders that need no second source
	add := func(folder string, enabled evidence.Value[bool], at evidence.Origin) *evidence.LogSource {
		done = append(done, folder)
		s := o.file(c, img, folder, at)
		s.Enabled, s.Hidden = enabled, evidence.Moot[evidence.Hiding](at)
		sources = append(sources, s)
		return &sources[len(sources)-1]
	}
	if len(img.Linked) > 0 {
		out.Hidden = evidence.Known(evidence.HiddenNot, c.Image.At())
	}
	for _, folder := range img.Linked {
		m, mounted := c.over(folder)
		if !mounted {
			// A file over a link takes its output; a folder beside the links takes nothing of theirs.
			m, mounted = c.below(folder)
			mounted = mounted && (m.Kind == Bind || m.Kind == HostPath) && path.Ext(m.Path) != ""
		}
		if !mounted || m.Kind == Settings {
			continue
		}
		if m.filled(c.Log.Runtime) {
			s := add(m.Path, evidence.Known(true, c.Image.At()), m.At)
			s.Hidden = evidence.Known(evidence.HiddenNothing, m.At)
			s.Name = "the " + string(m.Kind) + " " + m.Name + " on " + m.Path
			continue
		}
		out.Hidden = evidence.Known(evidence.HiddenDiverted, m.At)
		add(folder, evidence.Known(true, c.Image.At()), m.At)
	}
	for _, folder := range img.Files {
		if img.Doubt&DoubtFiles != 0 || covered(folder, done) {
			continue
		}
		on := evidence.Known(true, c.Image.At())
		if img.Log != nil && !img.Database { // what it writes there waits for the same setting
			on = img.setting(c)
		}
		add(folder, on, c.fileAt(folder))
	}
	for _, m := range c.Mounts {
		if !logFolder(m.Path) || m.ReadOnly || m.Kind == Settings || m.ofTheMachine() || covered(m.Path, done) {
			continue
		}
		maybe := evidence.Unknown[bool](evidence.Unfamiliar, m.At.WithNote("whether it writes to "+m.Path+" is not known"))
		add(m.Path, maybe, m.At)
		if !img.known && m.Kind != AnonymousVolume {
			// An unknown image may have links there, as nginx has.
			out.Hidden = evidence.Unknown[evidence.Hiding](img.why, m.At.WithNote("whether the image has links below "+m.Path+" is not known"))
		}
	}
	unsure := !img.known || img.Doubt&DoubtFiles != 0
	if unsure && len(sources) == 0 && !c.Brief {
		why, note := img.why, img.note
		if img.known {
			why, note = evidence.Unfamiliar, "which files "+img.Name+" writes could not be confirmed"
		}
		at := c.Image.At().WithNote(note)
		sources = append(sources, evidence.LogSource{
			Subject:  evidence.Subject{ID: c.Asset.ID + "/files#application", Kind: "log files", Name: "log files inside " + c.Asset.Name, At: c.Image.At()},
			Activity: evidence.Application, Records: "log files", Covers: []evidence.ID{c.Asset.ID},
			Enabled: evidence.Unknown[bool](why, at), Hidden: evidence.Moot[evidence.Hiding](at), Complete: evidence.Unknown[bool](why, at),
		})
	}
	return sources
}

// file is a log folder or file of a container, and where it comes to rest.
func (o *observer) file(c *Container, img facts, folder string, at evidence.Origin) evidence.LogSource {
	store := o.rest(c, img, folder)
	return evidence.LogSource{
		Subject:  evidence.Subject{ID: c.Asset.ID + evidence.ID("/file"+folder) + "#application", Kind: "log files", Name: folder + " of " + c.Asset.Name, At: at},
		Activity: evidence.Application, Records: folder, Covers: []evidence.ID{c.Asset.ID},
		To:       []evidence.Delivery{{To: store.ID, Extent: evidence.Everything(at), Lossless: evidence.Moot[bool](at)}},
		Complete: evidence.Known(true, at),
	}
}

// rest returns the store in which what is written to a path lies.
func (o *observer) rest(c *Container, img facts, folder string) *evidence.LogStore {
	m, mounted := c.over(folder)
	if !mounted {
		m, mounted = c.below(folder)
	}
	if mounted {
		return o.volume(c, m)
	}
	at := c.Image.At()
	s := evidence.LogStore{Lingers: evidence.Moot[int64](at)}
	s.Subject = evidence.Subject{ID: c.Asset.ID + "/filesystem", Kind: "file system of the container", Name: "the file system of the container", At: at}
	s.On = evidence.Known([]evidence.ID{c.Asset.ID}, at.WithNote("nothing is mounted there"))
	s.Memory = evidence.Known(false, at)
	if readOnly, _ := c.ReadOnlyRoot.Get(); readOnly {
		s.Name = "the file system of the container, which is read-only so that nothing can be written"
		s.On = evidence.Known([]evidence.ID{c.Asset.ID}, c.ReadOnlyRoot.At().WithNote("the root is read-only and nothing is mounted there"))
	}
	for _, v := range img.Volumes {
		if Within(folder, v) && c.Log.Runtime == Docker {
			s.Subject = evidence.Subject{ID: c.Asset.ID + evidence.ID("/volume"+v), Kind: "anonymous volume", Name: "an anonymous volume", At: at}
			s.On = evidence.Known([]evidence.ID{c.hostID()}, at.WithNote("VOLUME of the image"))
			s.Lingers = evidence.Known(int64(0), at.WithNote("VOLUME of the image"))
		}
	}
	fileRetention(&s, at)
	return o.store(s)
}

// volume is what a mount means for the records that land in it.
func (o *observer) volume(c *Container, m Mount) *evidence.LogStore {
	s := evidence.LogStore{
		Subject: evidence.Subject{ID: m.Volume, Kind: string(m.Kind), Name: strings.TrimSpace("the " + string(m.Kind) + " " + m.Name), At: m.At},
		Memory:  evidence.Known(false, m.At), Lingers: evidence.Moot[int64](m.At),
	}
	fileRetention(&s, m.At)
	switch m.Kind {
	case NamedVolume, Bind, HostPath:
		s.On = evidence.Known([]evidence.ID{c.hostID()}, m.At)
	case AnonymousVolume:
		s.Name = "an anonymous volume"
		s.On = evidence.Known([]evidence.ID{c.hostID()}, m.At)
		s.Lingers = evidence.Known(int64(0), m.At)
	case Tmpfs, MemoryDir:
		s.On = evidence.Known([]evidence.ID{c.Asset.ID}, m.At)
		s.Memory = evidence.Known(true, m.At)
	case EmptyDir, Ephemeral:
		s.On = evidence.Known([]evidence.ID{c.Pod}, m.At)
	default: // Remote, Plugin, Claim: a thing of its own, here or on another machine
		s.ID = m.Volume + "/files"
		s.On = evidence.Known([]evidence.ID{m.Volume}, m.At)
		if _, seen := o.stores[s.ID]; !seen {
			where := m.OffHost.At()
			if where.Note == "" {
				where.Note = "on which machine a " + string(m.Kind) + " lies is not written here"
			}
			in := evidence.Unknown[evidence.ID](m.OffHost.Why(), where)
			if off, known := m.OffHost.Get(); known && off {
				in = evidence.Moot[evidence.ID](m.OffHost.At())
			} else if known {
				in = evidence.Known(c.hostID(), m.OffHost.At())
			}
			o.to.Record(&evidence.Asset{
				Subject: evidence.Subject{ID: m.Volume, Kind: string(m.Kind), Name: m.Name, At: m.At},
				In:      in, Lingers: evidence.Moot[int64](m.At),
			})
		}
	}
	_, seen := o.stores[s.ID]
	store := o.store(s)
	if !seen {
		store.Complete = evidence.Known(true, m.At)
		store.To = o.tailed(c, m)
	}
	return store
}

// fileRetention says what is known of how long files are kept: a program rotates them or does not, and no manifest tells.
func fileRetention(s *evidence.LogStore, at evidence.Origin) {
	s.Kept = evidence.Unknown[int](evidence.Elsewhere, at.WithNote("how long a program keeps its files is up to the program"))
	s.Bytes = evidence.Unknown[int64](evidence.Elsewhere, at)
	s.ColdAfter = evidence.Moot[int](at)
}

// over returns the mount that lies over a path: the innermost that holds it.
func (c *Container) over(p string) (Mount, bool) {
	best, found := Mount{}, false
	for _, m := range c.Mounts {
		if Within(p, m.Path) && (!found || len(m.Path) >= len(best.Path)) {
			best, found = m, true
		}
	}
	return best, found
}

// below returns the first mount inside a folder.
func (c *Container) below(folder string) (Mount, bool) {
	for _, m := range c.Mounts {
		if m.Path != folder && Within(m.Path, folder) && m.Kind != Settings {
			return m, true
		}
	}
	return Mount{}, false
}

func (c *Container) mountsBelow(folder string) bool {
	return slices.ContainsFunc(c.Mounts, func(m Mount) bool { return Within(m.Path, folder) })
}

// fileAt is where it is written what becomes of a path: the mount over it, or the image.
func (c *Container) fileAt(p string) evidence.Origin {
	if m, ok := c.over(p); ok {
		return m.At
	}
	if m, ok := c.below(p); ok {
		return m.At
	}
	return c.Image.At()
}

// filled reports whether the volume is filled from the image, links included: Docker does so, Kubernetes does not.
func (m Mount) filled(r Runtime) bool {
	switch m.Kind {
	case NamedVolume, AnonymousVolume, Remote, Plugin:
		return r == Docker && !m.NoCopy
	}
	return false
}

// settings reports whether what is mounted may be configuration: a file that somebody put there.
func (m Mount) settings() bool {
	return m.Kind == Settings || m.Kind == Bind || m.Kind == HostPath
}

// Within reports whether a path is a folder or lies in it.
func Within(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}

// ofTheMachine reports whether a mount brings the machine's own logs in: an agent reads them, and writes its own elsewhere.
func (m Mount) ofTheMachine() bool {
	if m.HostPath == "" {
		return false
	}
	p := path.Clean(m.HostPath)
	return p == "/" || slices.ContainsFunc([]string{
		"/var/log", "/var/log/pods", "/var/log/containers", "/var/log/journal", "/run/log/journal", "/var/log/audit",
		"/var/lib/docker", "/var/lib/docker/containers",
	}, func(own string) bool { return p == own || Within(own, p) })
}

func covered(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return Within(p, f) || Within(f, p) })
}

// logFolder reports whether a path is one where programs keep logs, by its name.
func logFolder(p string) bool {
	for _, elem := range strings.Split(strings.ToLower(path.Clean(p)), "/") {
		if elem == "log" || elem == "logs" || strings.HasSuffix(elem, ".log") || strings.HasSuffix(elem, "-logs") || strings.HasSuffix(elem, "_logs") {
			return true
		}
	}
	return false
}
