package workload

import (
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/shipper"
)

// Observe turns containers into records: the containers and their machines, what they write, where it comes to rest,
// and who carries it away. Containers of all units are given together, in an order that depends on the input alone.
func Observe(containers []*Container, d scanners.Declared, to scanners.Sink) {
	o := &observer{declared: d, to: to, hosts: map[evidence.ID]*evidence.Asset{}, stores: map[evidence.ID]*evidence.LogStore{}}
	for _, c := range containers {
		o.host(c)
		if p, ok := shipperOf(c, d); ok && !c.Brief {
			o.collectors = append(o.collectors, newCollector(c, p, d))
		}
	}
	for _, c := range containers {
		o.neighbours(c)
	}
	for _, c := range containers {
		o.container(c)
	}
	for _, id := range o.order {
		to.Record(o.stores[id])
	}
	for _, id := range o.hostOrder {
		to.Record(o.hosts[id])
	}
}

// An observer holds what the containers of one scan share.
type observer struct {
	declared   scanners.Declared
	to         scanners.Sink
	collectors []*collector
	names      map[string]map[string]*Container // by unit and name
	hosts      map[evidence.ID]*evidence.Asset
	hostOrder  []evidence.ID
	stores     map[evidence.ID]*evidence.LogStore
	order      []evidence.ID
}

// hostID returns the machine that a container runs on, or the node that its pod would run on.
func (c *Container) hostID() evidence.ID {
	if c.Log.Runtime == Docker {
		return evidence.ID(c.Asset.ID.Target() + "//host")
	}
	return evidence.ID(c.Asset.ID.Target() + "//node")
}

func (o *observer) host(c *Container) *evidence.Asset {
	id := c.hostID()
	if h, ok := o.hosts[id]; ok {
		h.Development = h.Development && c.Asset.Development
		return h
	}
	kind, name := "node", "the nodes"
	if c.Log.Runtime == Docker {
		kind, name = "Docker host", "the Docker host"
	}
	at := evidence.Origin{File: c.Asset.At.File}
	h := &evidence.Asset{
		Subject: evidence.Subject{ID: id, Kind: kind, Name: name, At: at},
		In:      evidence.Moot[evidence.ID](at), Host: true, Lingers: evidence.Moot[int64](at),
		Development: c.Asset.Development,
	}
	o.hosts[id] = h
	o.hostOrder = append(o.hostOrder, id)
	return h
}

func (o *observer) neighbours(c *Container) {
	if o.names == nil {
		o.names = map[string]map[string]*Container{}
	}
	for _, u := range c.Units {
		if o.names[u] == nil {
			o.names[u] = map[string]*Container{}
		}
		for _, n := range c.Names {
			if o.names[u][n] == nil {
				o.names[u][n] = c
			}
		}
	}
}

// neighbour returns the container of a shared unit that goes by a name.
func (o *observer) neighbour(c *Container, host string) *Container {
	name, _, _ := strings.Cut(host, ":")
	for _, u := range c.Units {
		if n := o.names[u][name]; n != nil {
			return n
		}
		// web.shop, web.shop.svc.cluster.local
		if service, _, ok := strings.Cut(name, "."); ok && c.Log.Runtime == Kubelet && clusterName(name) && o.names[u][service] != nil {
			return o.names[u][service]
		}
	}
	return nil
}

func clusterName(host string) bool {
	return strings.Count(host, ".") == 1 || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".cluster.local")
}

// store keeps a store once, whoever writes to it.
func (o *observer) store(s evidence.LogStore) *evidence.LogStore {
	if known, ok := o.stores[s.ID]; ok {
		return known
	}
	o.stores[s.ID] = &s
	o.order = append(o.order, s.ID)
	return &s
}

func (o *observer) container(c *Container) {
	img := o.image(c)
	sensor, watches := Sensor{}, false
	if ref, ok := c.Image.Get(); ok && c.Every != nil {
		sensor, watches = LookupSensor(ref)
	}
	_, collects := shipperOf(c, o.declared)

	if c.Log.Runtime == Docker { // a service does not end by itself
		c.Asset.Lingers = evidence.Moot[int64](c.Asset.At)
	}
	out := o.output(c)
	out.Enabled = img.writes(c)
	if img.Log != nil && !img.Database {
		out.Records = img.Log.What
	}
	if watches || collects {
		out.Enabled = evidence.Moot[bool](c.Image.At())
	}
	var files []evidence.LogSource
	if !watches && !collects {
		files = o.files(c, img, &out)
	}

	c.Asset.Looked = map[evidence.Activity]evidence.Value[bool]{}
	if !c.Brief {
		c.Asset.Looked[evidence.Application] = evidence.Known(true, c.Asset.At)
	}
	if img.known && img.Database {
		c.Asset.Looked[evidence.Database] = evidence.Known(true, c.Asset.At)
		db := out
		db.ID = c.Asset.ID + "/connections#database"
		db.Kind, db.Name = "connection log", "the connection log of "+c.Asset.Name
		db.Activity, db.Records, db.Enabled = evidence.Database, img.what(), img.setting(c)
		db.Hidden = evidence.Moot[evidence.Hiding](c.Asset.At)
		o.to.Record(&db)
	}
	if watches {
		o.sensor(c, sensor, out)
	}
	o.to.Record(&c.Asset)
	o.to.Record(&out)
	for i := range files {
		o.to.Record(&files[i])
	}
	o.to.Record(&evidence.Access{
		Subject: evidence.Subject{ID: c.Asset.ID + "/image", Kind: "image", Name: "the image of " + c.Asset.Name, At: c.Image.At()},
		Of:      c.Asset.ID, Means: evidence.MeansImage, Exact: pinned(c.Image),
	})
}

func pinned(image evidence.Value[string]) evidence.Value[bool] {
	ref, known := image.Get()
	switch {
	case known:
		return evidence.Known(strings.Contains(ref, "@sha256:"), image.At())
	case image.Why() == evidence.Elsewhere: // built here: what is pushed has no digest yet
		return evidence.Moot[bool](image.At())
	}
	return evidence.Unknown[bool](image.Why(), image.At())
}

// facts are what is known of the image of a container.
type facts struct {
	Image
	known  bool
	why    evidence.Reason // where it is not
	note   string
	stdout evidence.Value[bool] // what the owner declared of standard output; the zero Value where nothing
}

func (o *observer) image(c *Container) facts {
	ref, ok := c.Image.Get()
	if !ok {
		note := "the image is a placeholder or a variable without a value"
		if c.Image.Why() == evidence.Elsewhere {
			note = "the image is built from source; say in lookback.yaml, under images, where it logs"
		}
		for _, d := range o.declared.Images {
			if c.BuiltAs != "" && matches(d.Image, c.BuiltAs) {
				return declaredFacts(d)
			}
		}
		return facts{why: c.Image.Why(), note: note}
	}
	for _, d := range o.declared.Images {
		if matches(d.Image, ref) {
			return declaredFacts(d)
		}
	}
	if img, ok := Lookup(ref); ok {
		return facts{Image: img, known: true}
	}
	return facts{why: evidence.Unfamiliar, note: "the image is not one that we know; say in lookback.yaml, under images, where it logs"}
}

func declaredFacts(d scanners.Image) facts {
	return facts{Image: Image{Name: d.Image, Files: d.Files}, known: true, stdout: d.Stdout}
}

// matches reports whether a pattern of the owner's names an image, whatever its tag and digest.
func matches(pattern, ref string) bool {
	repository := withoutTag(ref)
	if ok, _ := path.Match(pattern, repository); ok {
		return true
	}
	prefix, deep := strings.CutSuffix(pattern, "/*") // ghcr.io/acme/* holds ghcr.io/acme/shop/api too
	return pattern == ref || deep && !strings.ContainsAny(prefix, "*?[") && strings.HasPrefix(repository, prefix+"/")
}

func withoutTag(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	return ref
}

// what names the record that must be turned on, or what the image writes by itself.
func (f facts) what() string {
	if f.Log != nil {
		return f.Log.What
	}
	if f.Database {
		return "a log of connections"
	}
	return "its output"
}

// writes says whether standard output holds what an investigation needs.
func (f facts) writes(c *Container) evidence.Value[bool] {
	at := c.Image.At()
	switch {
	case !f.known:
		return evidence.Unknown[bool](f.why, at.WithNote(f.note))
	case !f.stdout.IsZero():
		return f.stdout
	case f.Quiet, f.Database:
		return evidence.Moot[bool](at)
	case f.Doubt&DoubtStdout != 0:
		return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("what "+f.Name+" prints could not be confirmed"))
	}
	return f.setting(c)
}

// setting says whether what must be turned on is on; it is, where nothing must be.
func (f facts) setting(c *Container) evidence.Value[bool] {
	at := c.Image.At()
	switch {
	case f.Doubt&DoubtLog != 0:
		if f.Log != nil {
			if on := f.Log.state(c, f.Volumes); isOn(on) { // whoever wrote the switch knows it
				return on
			}
		}
		return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("what turns on the log of "+f.Name+" could not be confirmed"))
	case f.Log == nil:
		return evidence.Known(true, at)
	}
	return f.Log.state(c, f.Volumes)
}

// shipperOf returns the shipper that a container is: by its image, or by a word of the owner.
func shipperOf(c *Container, d scanners.Declared) (*shipper.Product, bool) {
	ref, ok := c.Image.Get()
	if !ok {
		return nil, false
	}
	if p, ok := shipper.Lookup(ref); ok {
		return p, true
	}
	for _, s := range d.Shippers {
		if matches(s.Image, ref) {
			return &shipper.Product{Name: withoutTag(ref)}, true
		}
	}
	return nil, false
}

// sensor records what a sensor watches on the machine of its container.
func (o *observer) sensor(c *Container, s Sensor, out evidence.LogSource) {
	at := c.Image.At()
	host := o.hosts[c.hostID()]
	host.Looked = map[evidence.Activity]evidence.Value[bool]{evidence.Process: evidence.Known(true, c.Asset.At)}
	w := evidence.LogSource{
		Subject:  evidence.Subject{ID: c.Asset.ID + "/events#process", Kind: "sensor", Name: s.Product, At: c.Asset.At},
		Activity: evidence.Process, Covers: []evidence.ID{host.ID}, Records: "what runs",
		Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at),
		Parts: map[evidence.Part]evidence.Value[evidence.Extent]{},
	}
	switch {
	case s.Doubt&DoubtLog != 0:
		w.Enabled = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("what "+s.Product+" records could not be confirmed"))
	case s.Doubt&DoubtRecords != 0:
		w.Enabled = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(s.Product+" is deployed; whether it records is decided by its own policy"))
	case s.Log != nil:
		w.Enabled, w.Records = s.Log.state(c, nil), s.Log.What
	}
	for _, part := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
		w.Parts[part] = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("what "+s.Product+" records by default could not be confirmed"))
	}
	for part, grade := range s.Records {
		extent := evidence.Extent{Grade: grade}
		if grade == evidence.Some {
			extent.But = "its default rules choose"
		}
		w.Parts[part] = evidence.Known(extent, at)
	}
	switch {
	case len(c.Every.Misses) > 0:
		w.Parts[evidence.PartEveryNode] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: strings.Join(c.Every.Misses, ", ")}, c.Every.At)
	default:
		w.Parts[evidence.PartEveryNode] = evidence.Everything(c.Every.At)
	}
	switch s.Keeps {
	case KeepsStdout:
		w.To, w.Complete = out.To, out.Complete
	case KeepsVendor:
		w.To = []evidence.Delivery{{To: evidence.ID("vendor:" + s.Product + "//"), Extent: evidence.Everything(at), Lossless: evidence.Moot[bool](at)}}
		w.Complete = evidence.Known(true, at)
	default:
		w.Complete = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("where "+s.Product+" sends its records is decided by its configuration"))
	}
	o.to.Record(&w)
}
