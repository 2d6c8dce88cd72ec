package workload

import (
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"lookback/evidence"
	"lookback/scanners"
)

// output is what becomes of a container's standard output: the one place that knows what a log driver means.
func (o *observer) output(c *Container) evidence.LogSource {
	s := evidence.LogSource{
		Subject:  evidence.Subject{ID: c.Asset.ID + "/stdout#application", Kind: "standard output", Name: "the output of " + c.Asset.Name, At: c.Log.At},
		Activity: evidence.Application, Records: "its output", Covers: []evidence.ID{c.Asset.ID},
		Hidden: evidence.Moot[evidence.Hiding](c.Asset.At),
	}
	if c.Log.Runtime == Kubelet {
		o.kubelet(c, &s)
		return s
	}
	driver, options, at := c.Log.Driver, c.Log.Options, c.Log.Driver.At()
	if p := o.declared.Docker; driver.IsZero() && p != nil && p.Outlets != nil {
		o.outlets(c, &s, p.Outlets)
		return s
	}
	p := o.declared.Docker
	if driver.IsZero() {
		driver = evidence.Known("json-file", c.Log.At.WithNote(evidence.NoteDockerDefault))
		if p != nil && !p.Driver.IsZero() {
			driver = p.Driver
		}
		at = driver.At()
	}
	if p != nil && sameDriver(driver, p.Driver) {
		options = maps.Clone(p.Options)
		if options == nil {
			options = map[string]evidence.Value[string]{}
		}
		maps.Copy(options, c.Log.Options)
	}
	s.Complete = evidence.Known(true, at)
	name, known := driver.Get()
	if !known {
		unread := at.WithNote("the log driver has no value that we know")
		store := o.store(evidence.LogStore{
			Subject: evidence.Subject{ID: c.Asset.ID + "/stdout", Kind: "log driver", Name: "a log driver that is not known", At: at},
			On:      evidence.Unknown[[]evidence.ID](driver.Why(), unread),
			Kept:    evidence.Unknown[int](driver.Why(), unread),
		})
		s.To = []evidence.Delivery{{To: store.ID, Extent: evidence.Everything(at), Lossless: evidence.Unknown[bool](driver.Why(), unread)}}
		return s
	}
	s.To = []evidence.Delivery{o.driver(c, name, options, at)}
	return s
}

func sameDriver(a, b evidence.Value[string]) bool {
	x, ok := a.Get()
	y, also := b.Get()
	return ok && also && x == y
}

// outlets says what becomes of output by the default of a daemon that was scanned.
func (o *observer) outlets(c *Container, s *evidence.LogSource, outlets []scanners.Outlet) {
	for i, out := range outlets {
		by, at := out.By, out.By.Extent.At()
		if out.Store != nil && out.Rests != scanners.Away {
			store := *out.Store
			at = store.On.At()
			store.ID = c.Asset.ID + "/stdout"
			if i > 0 {
				store.ID += evidence.ID(strconv.Itoa(i))
			}
			store.On = evidence.Known([]evidence.ID{c.Asset.ID}, at)
			if out.Rests == scanners.OnHost {
				store.On = evidence.Known([]evidence.ID{c.hostID()}, at)
			}
			by.To = o.store(store).ID
		}
		s.To = append(s.To, by)
		s.Complete = evidence.Known(true, at)
	}
}

// kubelet keeps output in files that go with the pod; a collector on the node may take them away.
func (o *observer) kubelet(c *Container, s *evidence.LogSource) {
	at := c.Log.At.WithNote("kubelet default")
	store := o.store(evidence.LogStore{
		Subject: evidence.Subject{ID: c.Asset.ID + "/stdout", Kind: "kubelet's log file", Name: "the kubelet's log file", At: c.Log.At},
		On:      evidence.Known([]evidence.ID{c.Asset.ID}, at), Memory: evidence.Known(false, at),
		Kept: evidence.Known(0, at), Bytes: evidence.Known(int64(5*10<<20), at), // containerLogMaxFiles x containerLogMaxSize
		ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	})
	s.To = []evidence.Delivery{{To: store.ID, Extent: evidence.Everything(at), Lossless: evidence.Known(true, at)}}
	s.Complete = evidence.Unknown[bool](evidence.Elsewhere, c.Log.At.WithNote("whether a collector of the cluster takes the output away is not in these files; scan the cluster or say it under platform"))
	copies, optedOut := o.collected(c)
	store.To = append(store.To, copies...)
	if optedOut {
		s.Complete = evidence.Known(true, copies[0].Extent.At())
	}
	if p := o.declared.Kubernetes; p != nil && !p.To.IsZero() {
		to, known := p.To.Get()
		store.To = append(store.To, to...)
		if known {
			s.Complete = evidence.Known(true, p.To.At())
		}
	}
}

// driver says where one of Docker's log drivers brings records, and what it may lose. The defaults are those of
// https://docs.docker.com/engine/logging/configure/ and the pages of each driver.
func (o *observer) driver(c *Container, name string, options map[string]evidence.Value[string], at evidence.Origin) evidence.Delivery {
	d := evidence.Delivery{Extent: evidence.Everything(at), Lossless: evidence.Known(true, at), Buffer: evidence.Moot[int64](at)}
	if mode, written := options["mode"]; written {
		value, known := mode.Get()
		switch {
		case !known:
			d.Lossless = evidence.Unknown[bool](mode.Why(), mode.At())
		case value == "non-blocking":
			d.Lossless = evidence.Known(false, mode.At())
			d.Buffer = evidence.Known(int64(1<<20), mode.At().WithNote(evidence.NoteDockerDefault))
			if size, written := options["max-buffer-size"]; written {
				d.Buffer = bytesOf(size, units.RAMInBytes)
			}
		}
	}
	host := c.hostID()
	own := evidence.LogStore{
		Subject:   evidence.Subject{ID: c.Asset.ID + "/stdout", Kind: name + " log", Name: "Docker's " + name + " log", At: at},
		Memory:    evidence.Known(false, at),
		ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	switch name {
	case "none":
		d.To, d.Extent = own.ID, evidence.Known(evidence.Extent{Grade: evidence.None, But: "the log driver is none"}, at)
		return d
	case "json-file", "local":
		own.On = evidence.Known([]evidence.ID{c.Asset.ID}, at)
		own.Kept, own.Bytes = rotation(name, options, at)
		own.To = o.collectedDocker(c, name, at)
	case "journald", "etwlogs":
		own.ID, own.Name = host+"/journal", "the journal of the host"
		own.On = evidence.Known([]evidence.ID{host}, at)
		own.Kept = evidence.Unknown[int](evidence.Elsewhere, at)
		own.To = append(o.journalled(c), o.platformTo()...)
	default:
		return o.remote(c, name, options, at, d)
	}
	d.To = o.store(own).ID
	return d
}

// rotation is how long Docker's own files keep output: no time where bytes bound them.
func rotation(driver string, options map[string]evidence.Value[string], at evidence.Origin) (kept evidence.Value[int], bytes evidence.Value[int64]) {
	size, files := options["max-size"], options["max-file"]
	def := at.WithNote(evidence.NoteDockerDefault)
	each, count := evidence.Known(int64(-1), def), evidence.Known("1", def)
	if driver == "local" {
		each, count = evidence.Known(int64(20<<20), def), evidence.Known("5", def)
	}
	if !size.IsZero() {
		each = bytesOf(size, units.FromHumanSize)
	}
	if !files.IsZero() {
		count = files
	}
	e, known := each.Get()
	text, knownCount := count.Get()
	n, err := units.FromHumanSize(text)
	switch {
	case !known:
		return evidence.Unknown[int](each.Why(), each.At()), evidence.Unknown[int64](each.Why(), each.At())
	case e < 0:
		return evidence.Known(evidence.Forever, each.At()), evidence.Moot[int64](each.At())
	case !knownCount || err != nil || n < 1 || n > 1<<20:
		return evidence.Known(0, each.At()), evidence.Unknown[int64](evidence.Unresolved, count.At())
	}
	return evidence.Known(0, each.At()), evidence.Known(e*n, each.At())
}

func bytesOf(v evidence.Value[string], parse func(string) (int64, error)) evidence.Value[int64] {
	text, known := v.Get()
	if !known {
		return evidence.Unknown[int64](v.Why(), v.At())
	}
	if text == "-1" {
		return evidence.Known(int64(-1), v.At())
	}
	n, err := parse(text)
	if err != nil || n < 0 || n > 1<<50 {
		return evidence.Unknown[int64](evidence.Unfamiliar, v.At().WithNote("the size is not one that Docker reads"))
	}
	return evidence.Known(n, v.At())
}

// addressOption names the option that says where a remote driver sends, and what it is when nobody wrote it.
var addressOption = map[string]struct{ option, fallback string }{
	"syslog":  {"syslog-address", "unix:///dev/log"},
	"gelf":    {"gelf-address", ""},
	"fluentd": {"fluentd-address", "tcp://localhost:24224"},
	"splunk":  {"splunk-url", ""},
	"loki":    {"loki-url", ""},
	"awslogs": {"awslogs-group", ""},
	"gcplogs": {"gcp-project", ""},
}

// remote says where a driver sends that leaves the container.
func (o *observer) remote(c *Container, name string, options map[string]evidence.Value[string], at evidence.Origin, d evidence.Delivery) evidence.Delivery {
	kind := name
	if strings.HasPrefix(withoutTag(name), "grafana/loki-docker-driver") {
		kind = "loki"
	}
	known, ok := addressOption[kind]
	if !ok {
		note := at.WithNote("the log driver " + name + " is not one that we know")
		d.To = o.store(evidence.LogStore{
			Subject: evidence.Subject{ID: c.Asset.ID + "/stdout", Kind: "log driver", Name: "the log driver " + name, At: at},
			On:      evidence.Unknown[[]evidence.ID](evidence.Unfamiliar, note),
			Kept:    evidence.Unknown[int](evidence.Unfamiliar, note),
		}).ID
		return d
	}
	address := options[known.option]
	switch {
	case kind == "awslogs":
		region, _ := options["awslogs-region"].Get()
		group, _ := address.Get()
		d.To = evidence.ID("aws:/" + region + "//logs/" + group)
		return d
	case kind == "gcplogs":
		project, _ := address.Get()
		d.To = evidence.ID("gcp:" + project + "//logging")
		return d
	case address.IsZero():
		address = evidence.Known(known.fallback, at.WithNote("default of the "+kind+" driver"))
	}
	text, resolved := address.Get()
	if !resolved || text == "" {
		why := address.Why()
		if resolved {
			why = evidence.Unresolved
		}
		// It leaves the container all the same; where to is not known.
		place := c.Asset.ID + "/stdout/server"
		o.to.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: place, Kind: "log server", Name: "the log server", At: address.At()},
			In:      evidence.Unknown[evidence.ID](why, address.At().WithNote("the address of the log server has no value that we know")),
			Lingers: evidence.Moot[int64](at),
		})
		d.To = o.store(evidence.LogStore{
			Subject: evidence.Subject{ID: c.Asset.ID + "/stdout", Kind: name + " server", Name: "a " + name + " server", At: at},
			On:      evidence.Known([]evidence.ID{place}, at), Memory: evidence.Known(false, at),
			Kept: evidence.Unknown[int](evidence.Elsewhere, at), Bytes: evidence.Unknown[int64](evidence.Elsewhere, at),
			ColdAfter: evidence.Unknown[int](evidence.Elsewhere, at), Lingers: evidence.Moot[int64](at),
		}).ID
		return d
	}
	scheme, server := splitAddress(text)
	if (scheme == "udp" || kind == "gelf" && scheme != "tcp") && blocking(d) {
		d.Lossless, d.Buffer = evidence.Known(false, address.At()), evidence.Moot[int64](address.At())
	}
	at = address.At()
	if d.Extent.At().Note == evidence.NoteDeclared {
		at.Note = evidence.NoteDeclared
	}
	d.Extent = evidence.Everything(at)
	beside := o.neighbour(c, server)
	if !loopback(scheme, server) && beside == nil {
		d.To = evidence.ID(kind + ":" + server + "//")
		return d
	}
	here := evidence.LogStore{
		Subject: evidence.Subject{ID: c.hostID() + evidence.ID("/"+kind+"/"+server), Kind: name + " server", Name: "a " + name + " server on the same machine", At: at},
		On:      evidence.Known([]evidence.ID{c.hostID()}, at), Memory: evidence.Known(false, at),
		Kept: evidence.Unknown[int](evidence.Elsewhere, at), Bytes: evidence.Unknown[int64](evidence.Elsewhere, at),
		ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	here.To = append(o.listening(c, kind, scheme, server, beside), o.platformTo()...)
	if beside != nil {
		here.On = evidence.Known([]evidence.ID{beside.Asset.ID}, at)
	}
	d.To = o.store(here).ID
	return d
}

func blocking(d evidence.Delivery) bool {
	safe, known := d.Lossless.Get()
	return known && safe
}

// platformTo is where the owner says that the Docker hosts send what they are left.
func (o *observer) platformTo() []evidence.Delivery {
	if o.declared.Docker == nil {
		return nil
	}
	to, _ := o.declared.Docker.To.Get()
	return to
}

// splitAddress cuts a driver's address into its scheme and its server; user and password are left out.
func splitAddress(address string) (scheme, server string) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "tcp", address
	} else if u, err := url.Parse(address); err == nil {
		return u.Scheme, u.Host
	}
	rest, _, _ = strings.Cut(rest, "/")
	return scheme, rest[strings.LastIndexByte(rest, '@')+1:]
}

// loopback reports whether an address is this machine's own.
func loopback(scheme, server string) bool {
	if scheme == "unix" || scheme == "unixgram" {
		return true
	}
	host := server
	if h, _, err := net.SplitHostPort(server); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	switch host {
	case "", "localhost", "host.docker.internal", "gateway.docker.internal", "host-gateway":
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified() || ip.Equal(dockerBridge))
}

// dockerBridge is the host on Docker's default bridge network.
var dockerBridge = net.IPv4(172, 17, 0, 1)
