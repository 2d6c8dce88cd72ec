package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"lookback/checks"
	"lookback/evidence"
	"lookback/scanners"
)

// A file is one file that is being read.
type file struct {
	*loader
	path, shown string
	number      int // its place in Config.Files
}

// An extension is a file that another extends.
type extension struct {
	path string
	node *yaml.Node
}

func (f *file) problem(line int, format string, args ...any) {
	if len(f.problems) == maxProblems {
		f.more++
		return
	}
	err := fmt.Errorf("%s:%d: %w", f.shown, line, fmt.Errorf(format, args...))
	f.problems = append(f.problems, problem{file: f.number, line: line, err: err})
}

func (f *file) bad(n *yaml.Node, format string, args ...any) { f.problem(n.Line, format, args...) }

// declared is where the owner states a fact.
func (f *file) declared(n *yaml.Node) evidence.Origin {
	return evidence.Origin{File: f.shown, Line: n.Line, Col: n.Column, Note: evidence.NoteDeclared}
}

// document reads a whole file and returns what it extends.
func (f *file) document(data []byte) (extends []extension) {
	root := f.parse(data)
	if root == nil {
		return nil
	}
	if alias := firstAlias(root); alias != nil {
		f.bad(alias, "the alias *%.40s is not read here; write its value out", alias.Value)
		return nil
	}
	f.mapping(root, "lookback.yaml", []key{
		{name: "extends", read: func(k, v *yaml.Node) { extends = f.extends(k, v) }},
		{name: "policy", read: f.policy},
		{name: "time", read: f.time},
		{name: "exclude", read: f.globs(&f.config.Declared.Exclude)},
		{name: "development", read: f.globs(&f.config.Declared.Development)},
		{name: "waivers", read: f.waivers},
		{name: "platform", read: f.platform},
		{name: "images", read: f.images},
	})
	return extends
}

// parse returns the root of the only document, nil where the file is empty or cannot be read.
func (f *file) parse(data []byte) *yaml.Node {
	var doc, more yaml.Node
	dec, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxNesting))))
	if err == nil {
		err = dec.Load(&doc)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if err = dec.Load(&more); err == nil {
			f.problem(max(more.Line, 1), "a second document begins here; keep to one")
			return nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line, text := 1, err.Error()
		var load *yaml.LoadError
		if errors.As(err, &load) {
			line, text = max(load.Mark.Line, 1), load.Message
		}
		f.problem(line, "this is not YAML that we read: %s", text)
		return nil
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil
	}
	return doc.Content[0]
}

// firstAlias returns an alias, nil where there is none. Without them a small file cannot stand for a large one.
func firstAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, c := range n.Content {
		if a := firstAlias(c); a != nil {
			return a
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// A key is one that a mapping may have.
type key struct {
	name string
	need string // what is missing without it: "a reason"; "" where it may be absent
	read func(key, value *yaml.Node)
}

// mapping reads a mapping whose keys are known.
func (f *file) mapping(n *yaml.Node, what string, keys []key) {
	written := map[string]bool{}
	ok := f.entries(n, what, func(name string, k, v *yaml.Node) {
		written[name] = true
		for _, known := range keys {
			if known.name == name {
				known.read(k, v)
				return
			}
		}
		names := make([]string, len(keys))
		for i := range keys {
			names[i] = keys[i].name
		}
		f.bad(k, "%.60q is not a key of %s, whose keys are: %s", name, what, strings.Join(names, ", "))
	})
	for _, k := range keys {
		if ok && k.need != "" && !written[k.name] {
			f.bad(n, "%s needs %s; add %s", what, k.need, k.name)
		}
	}
}

// entries calls read for each entry of a mapping.
func (f *file) entries(n *yaml.Node, what string, read func(name string, key, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		f.bad(n, "%s is a mapping; write keys with values below it", what)
		return false
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch first, twice := lines[k.Value]; {
		case k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str":
			f.bad(k, "a key of %s is text; put it in quotes", what)
		case twice:
			f.bad(k, "%.60q is already on line %d; keep one of the two", k.Value, first)
		default:
			lines[k.Value] = k.Line
			read(k.Value, k, v)
		}
	}
	return true
}

// items returns the elements of a list.
func (f *file) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		f.bad(n, "%s is a list; begin each element with a dash", what)
		return nil
	}
	return n.Content
}

// Forms of text.
var (
	anyText = regexp.MustCompile(`\S`)
	// glob has no classes, for which tools differ, and neither "!" nor "#" in front, which would make the order count.
	glob      = regexp.MustCompile(`^/?[^!#/\s\[\]\\][^\[\]\\]*$`)
	imageGlob = regexp.MustCompile(`^[^@\s\[\]\\]+$`)
	imageTag  = regexp.MustCompile(`:[^/]*$`)
	logPath   = regexp.MustCompile(`^/[^/*?\[\]][^*?\[\]]*$`)
	server    = regexp.MustCompile(`^[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]*$`)
	// timeServer is a name, an address, or a device such as /dev/ptp0.
	timeServer = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|/dev/[a-z0-9_]+)$`)
	thisHost   = regexp.MustCompile(`^(localhost|host\.docker\.internal|127(\.[0-9]+){3}|0\.0\.0\.0|::1|\[::1\])(:[0-9]+)?$`)
)

// text reads text of a form.
func (f *file) text(n *yaml.Node, form *regexp.Regexp, cure string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || !form.MatchString(n.Value) {
		f.bad(n, "%s", cure)
		return "", false
	}
	return n.Value, true
}

func (f *file) extends(_, v *yaml.Node) (out []extension) {
	nodes := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		nodes = f.items(v, "extends")
	}
	for _, n := range nodes {
		if path, ok := f.text(n, anyText, "extends names a file, or is a list of files; write paths from this file's folder"); ok {
			out = append(out, extension{path, n})
		}
	}
	return out
}

// A measure is a way to write a quantity.
type measure struct {
	form  *regexp.Regexp // number and unit
	units map[string]int64
	cure  string
}

// The measures. Numbers are short, so that none can grow too large in any unit.
var (
	inDays = measure{
		regexp.MustCompile(`^([1-9][0-9]{0,4})( days?)?$`),
		map[string]int64{"": 1, "day": 1, "days": 1},
		`%s is a number of days from 1 to 99999; write "365 days"`,
	}
	inTime = measure{
		regexp.MustCompile(`^([1-9][0-9]{0,4}) ?(s|seconds?|m|minutes?|h|hours?|days?)$`),
		map[string]int64{
			"s": 1, "second": 1, "seconds": 1, "m": 60, "minute": 60, "minutes": 60,
			"h": 3600, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400,
		},
		`%s is a time with its unit, s, m, h or days; write "1h" or "2 days"`,
	}
	inBytes = measure{
		regexp.MustCompile(`^([1-9][0-9]{0,5}) ?(kB|MB|GB|KiB|MiB|GiB)$`),
		map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30},
		`%s is a size with its unit, kB, MB, GB, KiB, MiB or GiB; write "25 MB"`,
	}
	inNumber = measure{
		regexp.MustCompile(`^([1-9][0-9]{0,4})()$`),
		map[string]int64{"": 1},
		`%s is a number from 1 to 99999; write 10`,
	}
)

// quantity reads a number with its unit, 0 where it cannot.
func (f *file) quantity(k, v *yaml.Node, m measure) int64 {
	if v.Kind == yaml.ScalarNode && (v.ShortTag() == "!!str" || v.ShortTag() == "!!int") {
		if parts := m.form.FindStringSubmatch(v.Value); parts != nil {
			n, _ := strconv.ParseInt(parts[1], 10, 64) // a few digits, says the form
			return n * m.units[strings.TrimSpace(parts[2])]
		}
	}
	f.bad(v, m.cure, k.Value)
	return 0
}

func (f *file) policy(_, v *yaml.Node) {
	p := &f.config.Policy
	f.mapping(v, "policy", []key{
		{name: "retain", read: func(k, v *yaml.Node) { keep(&p.Retain, int(f.quantity(k, v, inDays))) }},
		{name: "searchable", read: func(k, v *yaml.Node) {
			if p.Searchable == 0 {
				f.searchable = problem{file: f.number, line: v.Line}
			}
			keep(&p.Searchable, int(f.quantity(k, v, inDays)))
		}},
		{name: "restore-within", read: func(k, v *yaml.Node) {
			keep(&p.RestoreWithin, time.Duration(f.quantity(k, v, inTime))*time.Second)
		}},
		{name: "finished-job-stays", read: func(k, v *yaml.Node) {
			keep(&p.FinishedStays, time.Duration(f.quantity(k, v, inTime))*time.Second)
		}},
		{name: "buffer", read: func(k, v *yaml.Node) { keep(&p.Buffer, f.quantity(k, v, inBytes)) }},
		{name: "fresh", read: func(k, v *yaml.Node) {
			keep(&p.Fresh, time.Duration(f.quantity(k, v, inTime))*time.Second)
		}},
		{name: "hands", read: func(k, v *yaml.Node) { keep(&p.Hands, int(f.quantity(k, v, inNumber))) }},
	})
}

// keep takes a value in unless a nearer file has given one.
func keep[T comparable](to *T, v T) {
	var none T
	if *to == none {
		*to = v
	}
}

// time reads the servers that clocks are to take the time from.
func (f *file) time(_, v *yaml.Node) {
	for _, n := range f.items(v, "time") {
		if text, ok := f.text(n, timeServer, "time names servers, without scheme and port, such as ntp.corp.example or 10.0.0.5"); ok {
			f.config.Policy.TimeSources = append(f.config.Policy.TimeSources, text)
		}
	}
}

func (f *file) globs(to *[]string) func(key, value *yaml.Node) {
	return func(k, v *yaml.Node) {
		for _, n := range f.items(v, k.Value) {
			if text, ok := f.text(n, glob, `a pattern names files from the repository's root, such as "legacy/**", with *, ** and ? only`); ok {
				*to = append(*to, text)
			}
		}
	}
}

func (f *file) waivers(_, v *yaml.Node) {
	for _, n := range f.items(v, "waivers") {
		w := evidence.Waiver{At: f.declared(n)}
		words := func(to *string, cure string) func(_, v *yaml.Node) {
			return func(_, v *yaml.Node) {
				text, _ := f.text(v, anyText, cure)
				*to = strings.Join(strings.Fields(text), " ")
			}
		}
		f.mapping(n, "a waiver", []key{
			{name: "check", need: "a check", read: func(_, v *yaml.Node) { w.Check = f.check(v) }},
			{name: "subject", need: "a subject", read: words(&w.Subject, `the subject of a waiver is an ID, or a pattern with *; write "compose:apps/shop//*"`)},
			{name: "reason", need: "a reason", read: words(&w.Reason, "a waiver needs a reason; say why the failure is accepted")},
			{name: "who", read: words(&w.Who, "who is the name or the address of who accepts the failure")},
			{name: "until", read: func(_, v *yaml.Node) { w.Until = f.date(v) }},
		})
		f.config.Waivers = append(f.config.Waivers, w)
	}
}

// check reads the ID of a check, or a pattern that matches some.
func (f *file) check(v *yaml.Node) string {
	pattern, ok := f.text(v, anyText, `the check of a waiver is its ID, or a pattern with *; write "shipped-off-host"`)
	if !ok {
		return ""
	}
	for _, id := range f.options.Checks {
		if checks.Glob(pattern, id) {
			return pattern
		}
	}
	f.bad(v, `%.60q matches no check; "lookback list checks" names them`, pattern)
	return ""
}

func (f *file) date(v *yaml.Node) string {
	if v.Kind == yaml.ScalarNode && (v.ShortTag() == "!!str" || v.ShortTag() == "!!timestamp") {
		if _, err := time.Parse(time.DateOnly, v.Value); err == nil {
			return v.Value
		}
	}
	f.bad(v, `until is the last day on which the waiver holds; write a date such as "2027-01-31"`)
	return ""
}

func (f *file) platform(_, v *yaml.Node) {
	f.mapping(v, "platform", []key{
		{name: "docker", read: f.docker},
		{name: "kubernetes", read: f.kubernetes},
		{name: "shippers", read: f.shippers},
	})
}

func (f *file) docker(_, v *yaml.Node) {
	var own scanners.Platform
	var options *yaml.Node
	driver := false
	f.mapping(v, "docker", []key{
		{name: "driver", read: func(_, v *yaml.Node) {
			driver = true
			if name, ok := f.text(v, anyText, "driver is the log driver of the Docker daemon; write its name, such as journald"); ok {
				own.Driver = evidence.Known(name, f.declared(v))
			}
		}},
		{name: "options", read: func(k, v *yaml.Node) {
			options = k
			own.Options = map[string]evidence.Value[string]{}
			f.entries(v, "options", func(name string, _, v *yaml.Node) {
				switch {
				case v.Kind != yaml.ScalarNode, !strings.Contains(" !!str !!int !!float !!bool ", " "+v.ShortTag()+" "):
					f.bad(v, "an option of the log driver is text, a number, true or false; write it as in daemon.json")
				default:
					own.Options[name] = evidence.Known(v.Value, f.declared(v))
				}
			})
		}},
		{name: "ships-to", read: func(k, v *yaml.Node) { own.To = f.deliveries(k, v) }},
	})
	if options != nil && !driver {
		f.bad(options, "options belong to a log driver; add driver")
	}
	p := platform(&f.config.Declared.Docker)
	if p.Driver.IsZero() { // options go with the driver that they were written for
		p.Driver, p.Options = own.Driver, own.Options
	}
	if p.To.IsZero() {
		p.To = own.To
	}
}

func (f *file) kubernetes(_, v *yaml.Node) {
	p := platform(&f.config.Declared.Kubernetes)
	f.mapping(v, "kubernetes", []key{{name: "ships-to", read: func(k, v *yaml.Node) {
		if to := f.deliveries(k, v); p.To.IsZero() {
			p.To = to
		}
	}}})
}

// platform returns the platform that a nearer file declares, or a new one.
func platform(to **scanners.Platform) *scanners.Platform {
	if *to == nil {
		*to = &scanners.Platform{}
	}
	return *to
}

func (f *file) shippers(_, v *yaml.Node) {
	nearer, lines := map[string]bool{}, map[string]int{}
	for _, s := range f.config.Declared.Shippers {
		nearer[s.Image] = true
	}
	for _, n := range f.items(v, "shippers") {
		var s scanners.Shipper
		f.mapping(n, "a shipper", []key{
			{name: "image", need: "an image", read: func(_, v *yaml.Node) {
				s.Image = f.image(v)
				if first, twice := lines[s.Image]; twice && s.Image != "" {
					f.bad(v, "the shipper %.60q is already on line %d; keep one of the two", s.Image, first)
				}
				lines[s.Image] = v.Line
			}},
			{name: "ships-to", need: "a place that it ships to", read: func(k, v *yaml.Node) {
				if to := f.deliveries(k, v); !to.IsZero() {
					deliveries, _ := to.Get()
					ids := make([]evidence.ID, len(deliveries))
					for i, d := range deliveries {
						ids[i] = d.To
					}
					s.To = evidence.Known(ids, to.At())
				}
			}},
		})
		if !nearer[s.Image] {
			f.config.Declared.Shippers = append(f.config.Declared.Shippers, s)
		}
	}
}

// deliveries reads where records are shipped to: servers, or nowhere. It is the zero Value where it cannot be read.
func (f *file) deliveries(k, v *yaml.Node) evidence.Value[[]evidence.Delivery] {
	const cure = "ships-to names another machine or service that keeps the records, without scheme and path, such as logs.example.net:6514; or write nowhere"
	if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str" && v.Value == "nowhere" {
		return evidence.Known([]evidence.Delivery{}, f.declared(v))
	}
	nodes, at := []*yaml.Node{v}, f.declared(v)
	if v.Kind == yaml.SequenceNode {
		nodes, at = f.items(v, "ships-to"), f.declared(k)
		if len(v.Content) == 0 {
			f.bad(v, "ships-to is empty; write nowhere if nothing is shipped")
			return evidence.Value[[]evidence.Delivery]{}
		}
	}
	var out []evidence.Delivery
	for _, n := range nodes {
		host, ok := f.text(n, server, cure)
		switch {
		case !ok:
		case host == "nowhere":
			f.bad(n, "nowhere cannot stand in a list; keep it alone, or take it out")
		case thisHost.MatchString(host):
			f.bad(n, "%s is the machine itself; name another one, or write nowhere", host)
		default:
			out = append(out, evidence.Delivery{
				To:       evidence.ID("server:" + host + "//"),
				Extent:   evidence.Known(evidence.Extent{Grade: evidence.All}, f.declared(n)),
				Lossless: evidence.Moot[bool](f.declared(n)),
			})
		}
	}
	if len(out) < len(nodes) {
		return evidence.Value[[]evidence.Delivery]{}
	}
	return evidence.Known(out, at)
}

// image reads a pattern over names of images.
func (f *file) image(n *yaml.Node) string {
	const cure = `an image is named without tag and digest, with * and ? for what varies; write "ghcr.io/acme/*"`
	text, ok := f.text(n, imageGlob, cure)
	if ok && imageTag.MatchString(text) {
		f.bad(n, "%s", cure)
		return ""
	}
	return text
}

func (f *file) images(_, v *yaml.Node) {
	nearer := map[string]bool{}
	for _, i := range f.config.Declared.Images {
		nearer[i.Image] = true
	}
	f.entries(v, "images", func(_ string, k, v *yaml.Node) {
		img := scanners.Image{Image: f.image(k)}
		f.mapping(v, "an image", []key{
			// Required: that nobody said anything about standard output must not read as "all is there".
			{name: "stdout", need: "to say whether it logs to standard output", read: func(_, v *yaml.Node) {
				on, err := strconv.ParseBool(strings.ToLower(v.Value))
				if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || err != nil {
					f.bad(v, "stdout says whether standard output holds what an investigation needs; write true or false")
					return
				}
				img.Stdout = evidence.Known(on, f.declared(v))
			}},
			{name: "files", read: func(_, v *yaml.Node) {
				for _, n := range f.items(v, "files") {
					if text, ok := f.text(n, logPath, "files are folders or files in the container; write whole paths, such as /var/log/app"); ok {
						img.Files = append(img.Files, text)
					}
				}
			}},
		})
		if !nearer[img.Image] {
			f.config.Declared.Images = append(f.config.Declared.Images, img)
		}
	})
}
