// Package reporttest makes the reports on which renderers are tested: every kind of row that a report can have, and names
// as an intruder would choose them.
//
// Its checks are small ones of its own, so that a word changed in a real one changes no golden file.
package reporttest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
)

// Hostile is a name that holds what no renderer may pass on as it is: an escape sequence, a bell, markup, quotes, line
// ends, a C1 control, text that runs backwards, and a byte that is no UTF-8.
const Hostile = "ev\x1b[31mil\a \"quoted\" 'single' </script><img src=x onerror=alert(1)> a\r\nb \u009b2J \u202Egnp.exe \xff %n | `tick` ]]>"

// Sample returns a report with rows of all kinds:
//
//   - failures of each severity, several in one line, in one target and in two; one without a file, from a live scan
//   - passes, one of them declared; not assessed for each reason; a waived failure; a consequence; one of a development
//     file; one shown on demand; one that a baseline knows; a subject with a [Hostile] name
//   - gaps, bad input among them; an idle and an expired waiver; a horizon with a number, with "at least", with no end
func Sample(t testing.TB) *report.Report {
	t.Helper()
	return report.New(SampleSet())
}

// SampleSet is the evidence of [Sample], and how it is judged.
func SampleSet() (*evidence.Set, report.Options) {
	set := &evidence.Set{
		Tool:    "lookback 0.1.0",
		Started: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		Ended:   time.Date(2026, 11, 21, 9, 0, 2, 0, time.UTC),
		Targets: []string{".", "aws"},
		Gaps: []evidence.Gap{
			{
				In: "compose:apps/broken", Asked: "what runs here", Why: evidence.Failed,
				Err: "line 3: did not find expected key", At: evidence.Origin{File: "apps/broken/compose.yaml", Line: 3}, Bad: true,
			},
			{
				In: "kubernetes:charts/shop", Asked: "what runs here", Why: evidence.Unfamiliar,
				Err: "a Helm template; render it first", At: evidence.Origin{File: "charts/shop/templates/web.yaml"},
			},
			{
				In: "aws:111122223333/eu-west-3", Asked: "trails", Why: evidence.Denied,
				Err: "not authorized", At: evidence.Origin{Call: "cloudtrail:DescribeTrails"},
			},
		},
		Waivers: []evidence.Waiver{
			{
				Check: "shipped-off-asset", Subject: "compose:apps/shop//cache/*", Reason: "holds nothing but a cache", Who: "ann@example.com",
				Until: "2027-01-31", At: evidence.Origin{File: "lookback.yaml", Line: 9, Col: 5},
			},
			{Check: "retained-*", Subject: "compose:gone//*", Reason: "moved away", At: evidence.Origin{File: "lookback.yaml", Line: 14}},
			{
				Check: "shipped-off-asset", Subject: "compose:apps/shop//web/*", Reason: "until the move", Until: "2026-06-30",
				At: evidence.Origin{File: "lookback.yaml", Line: 19},
			},
		},
	}
	shop := project{set, "compose:apps/shop", "apps/shop/compose.yaml"}
	shop.host()
	for i, name := range []string{"api", "cache", "web", "worker"} {
		shop.container(name, 10*(i+1), dockerDefault)
	}
	shop.container("db", 50, throwsAway)
	shop.container("mail", 60, syslog)
	shop.container("queue", 70, noValue)
	shop.container("scratch", 80, memory)
	shop.image("web", 31, false)
	shop.image("db", 51, true)

	dev := project{set, "compose:apps/shop", "apps/shop/compose.dev.yaml"}
	dev.container("debug", 4, dockerDefault).Development = true

	blog := project{set, "compose:apps/blog", "apps/blog/compose.yaml"}
	blog.host()
	for i, name := range []string{"cms", "proxy"} {
		blog.container(name, 10*(i+1), dockerDefault)
	}
	blog.container("stats", 30, declared)

	hostile := project{set, evidence.ID("compose:apps/" + Hostile), "apps/" + Hostile + "/compose.yaml"}
	hostile.host()
	hostile.container(Hostile, 7, dockerDefault)

	kubernetes(set)
	cloud(set)
	set.Counted = map[string]int{"ConfigMap": 4, "CustomResourceDefinition": 12}
	set.Sort()

	return set, report.Options{
		Checks:   all(),
		Policy:   checks.DefaultPolicy(),
		Evidence: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Known:    map[string]bool{report.Key("shipped-off-asset", "compose:apps/blog//cms/stdout#application"): true},
	}
}

// Large is a set as the source of a large scan.
type Large struct{ *evidence.Set }

// Head is everything but the records and the gaps.
func (l Large) Head() *evidence.Set {
	head := *l.Set
	head.Records, head.Gaps = nil, nil
	return &head
}

// bounds returns where units begin in a sorted set. No unit of a sample has a name that another one's begins with.
func (l Large) bounds() []int {
	var out []int
	last := ""
	for i, r := range l.Records {
		if unit := r.Self().ID.Unit(); i == 0 || unit != last {
			out, last = append(out, i), unit
		}
	}
	return append(out, len(l.Records))
}

// Units is how many units there are.
func (l Large) Units() int { return len(l.bounds()) - 1 }

// Unit returns the records of one.
func (l Large) Unit(n int) ([]evidence.Record, error) {
	bounds := l.bounds()
	return slices.Clone(l.Records[bounds[n]:bounds[n+1]]), nil
}

// Gaps hands out the gaps.
func (l Large) Gaps(take func(evidence.Gap) error) error {
	for _, g := range l.Set.Gaps {
		if err := take(g); err != nil {
			return err
		}
	}
	return nil
}

// Many returns a report with one cause of n subjects in each of the given targets, all on lines of their own.
func Many(t testing.TB, n int, targets ...string) *report.Report {
	t.Helper()
	return report.New(ManySet(n, targets...))
}

// ManySet is the evidence of [Many], and how it is judged.
func ManySet(n int, targets ...string) (*evidence.Set, report.Options) {
	set := &evidence.Set{
		Tool: "lookback 0.1.0", Started: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 21, 9, 0, 2, 0, time.UTC),
		Targets: []string{"."},
	}
	for _, target := range targets {
		p := project{set, evidence.ID("compose:" + target), target + "/compose.yaml"}
		p.host()
		for i := range n {
			p.container(fmt.Sprintf("s%06d", i), 10*i+2, dockerDefault)
		}
	}
	set.Sort()
	return set, report.Options{Checks: all(), Policy: checks.DefaultPolicy()}
}

// Empty returns a report of a scan that found nothing at all.
func Empty(t testing.TB) *report.Report {
	t.Helper()
	set := &evidence.Set{
		Tool: "lookback 0.1.0", Started: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		Targets: []string{"."},
	}
	return report.New(set, report.Options{Checks: all(), Policy: checks.DefaultPolicy()})
}

// A project is a Compose project in a file.
type project struct {
	set    *evidence.Set
	target evidence.ID
	file   string
}

// A way is what becomes of a container's output.
type way int

const (
	dockerDefault way = iota // nobody wrote a driver
	throwsAway               // driver none
	syslog                   // a remote driver
	noValue                  // a driver named by a variable without a value
	memory                   // a tmpfs, as somebody wrote it
	declared                 // a remote driver, as lookback.yaml says
)

func (p project) id(thing string) evidence.ID { return p.target + "//" + evidence.ID(thing) }

func (p project) host() {
	at := evidence.Origin{File: p.file}
	p.set.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: p.id("docker"), Kind: "machine", Name: "the Docker host", At: at},
		In:      evidence.Moot[evidence.ID](at), Host: true,
	})
}

func (p project) container(name string, line int, w way) *evidence.Asset {
	at := evidence.Origin{File: p.file, Line: line, Col: 3}
	logging := evidence.Origin{File: p.file, Line: line + 4, Col: 7}
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: p.id(name), Kind: "service", Name: name, At: at},
		In:      evidence.Known(p.id("docker"), at),
		Looked:  map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, at)},
	}
	source := &evidence.LogSource{
		Subject:  evidence.Subject{ID: p.id(name + "/stdout#application"), Kind: "standard output", Name: name + "'s output", At: at},
		Activity: evidence.Application, Records: "its output", Covers: []evidence.ID{asset.ID},
		Enabled: evidence.Known(true, at), Hidden: evidence.Known(evidence.HiddenNot, at), Complete: evidence.Known(true, at),
	}
	store := &evidence.LogStore{
		Subject: evidence.Subject{ID: p.id(name + "/json-file"), Kind: "log files", Name: "the files of driver json-file", At: logging},
		On:      evidence.Known([]evidence.ID{asset.ID}, at.WithNote(evidence.NoteDockerDefault)),
		Memory:  evidence.Known(false, at), Kept: evidence.Known(0, at), Bytes: evidence.Known[int64](10_000_000, at),
		ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	to := evidence.Delivery{To: store.ID, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, logging)}
	switch w {
	case throwsAway:
		to.Extent = evidence.Known(evidence.Extent{Grade: evidence.None, But: `driver "none"`}, logging)
	case syslog:
		to.To = "syslog:logs.example.net:6514"
		store = nil
	case declared:
		to.To = "syslog:logs.example.net:6514"
		to.Extent = evidence.Known(evidence.Extent{Grade: evidence.All}, evidence.Origin{File: "lookback.yaml", Line: 3, Col: 7, Note: evidence.NoteDeclared})
		store = nil
	case noValue:
		to.Extent = evidence.Unknown[evidence.Extent](evidence.Unresolved, logging)
	case memory:
		store.Name = "a tmpfs over /var/log/app"
		store.Kind = "tmpfs"
		store.On = evidence.Known([]evidence.ID{asset.ID}, logging)
		store.Memory = evidence.Known(true, logging)
	}
	if to.To != "" {
		source.To = []evidence.Delivery{to}
	}
	p.set.Record(asset)
	p.set.Record(source)
	if store != nil {
		p.set.Record(store)
	}
	return asset
}

func (p project) image(name string, line int, pinned bool) {
	at := evidence.Origin{File: p.file, Line: line, Col: 5}
	p.set.Record(&evidence.Access{
		Subject: evidence.Subject{ID: p.id(name + "/image"), Kind: "image", Name: name + ":1", At: at},
		Of:      p.id(name), Means: evidence.MeansImage, Exact: evidence.Known(pinned, at),
	})
}

// kubernetes adds a workload whose output nobody is seen to collect, and three control planes.
func kubernetes(set *evidence.Set) {
	at := evidence.Origin{File: "deploy/web.yaml", Line: 21, Col: 9}
	pod := evidence.ID("kubernetes:deploy//shop/deployment/web/nginx")
	elsewhere := evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("nothing here collects it; the cluster may"))
	set.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: pod, Kind: "container", Name: "nginx", At: at},
		In:      evidence.Known[evidence.ID]("kubernetes:deploy//node", at),
		Looked:  map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, at)},
		Places:  []evidence.Origin{{File: "release/all.yaml", Line: 412, Col: 9}},
	})
	set.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: "kubernetes:deploy//node", Kind: "node", Name: "the node", At: at}, Host: true,
		In: evidence.Moot[evidence.ID](at),
	})
	set.Record(&evidence.LogSource{
		Subject:  evidence.Subject{ID: pod + "/stdout#application", Kind: "standard output", Name: "the output of nginx", At: at},
		Activity: evidence.Application, Records: "its output", Covers: []evidence.ID{pod}, Enabled: evidence.Known(true, at),
		To:       []evidence.Delivery{{To: pod + "/kubelet", Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, at)}},
		Complete: elsewhere,
	})
	set.Record(&evidence.LogStore{
		Subject: evidence.Subject{ID: pod + "/kubelet", Kind: "log files", Name: "the kubelet's files", At: at},
		On:      evidence.Known([]evidence.ID{pod}, at), Kept: evidence.Unknown[int](evidence.Elsewhere, at), Complete: elsewhere,
	})

	apiserver(set, "old", evidence.Known(30, evidence.Origin{File: "control-plane/old.yaml", Line: 22, Col: 7}))
	apiserver(set, "new", evidence.Known(evidence.Forever, evidence.Origin{File: "control-plane/new.yaml", Line: 22, Col: 7}))
	apiserver(set, "odd", evidence.Unknown[int](evidence.Failed, evidence.Origin{
		File: "control-plane/odd.yaml", Line: 22, Col: 7, Note: `"ninety" is no number`,
	}))
}

// apiserver adds a control plane whose audit log is kept for a number of days.
func apiserver(set *evidence.Set, name string, kept evidence.Value[int]) {
	at := evidence.Origin{File: "control-plane/" + name + ".yaml", Line: 14, Col: 7}
	cluster := evidence.ID("kubernetes:control-plane//kube-system/pod/" + name)
	store := &evidence.LogStore{
		Subject: evidence.Subject{ID: cluster + "/audit", Kind: "host folder", Name: "/var/log/audit of " + name, At: at},
		On:      evidence.Known([]evidence.ID{}, at), Memory: evidence.Known(false, at),
		Kept: kept, Bytes: evidence.Moot[int64](at), ColdAfter: evidence.Moot[int](at),
		Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	set.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: cluster, Kind: "API server", Name: name, At: at},
		In:      evidence.Moot[evidence.ID](at), Host: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.KubernetesAPI: evidence.Known(true, at)},
	})
	set.Record(&evidence.LogSource{
		Subject:  evidence.Subject{ID: cluster + "/audit#kubernetes-api", Kind: "audit log", Name: "the audit log of " + name, At: at},
		Activity: evidence.KubernetesAPI, Records: "the audit log", Covers: []evidence.ID{cluster},
		Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at), Complete: evidence.Known(true, at),
		To: []evidence.Delivery{{To: store.ID, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, at)}},
	})
	set.Record(store)
}

// cloud adds what a live scan finds: facts of calls, without a file.
func cloud(set *evidence.Set) {
	for _, region := range []struct {
		name string
		on   evidence.Value[bool]
	}{
		{"eu-west-1", evidence.Known(false, evidence.Origin{Call: "cloudtrail:GetTrailStatus"})},
		{"eu-west-2", evidence.Unknown[bool](evidence.Denied, evidence.Origin{Call: "cloudtrail:GetTrailStatus"})},
	} {
		at := evidence.Origin{Call: "cloudtrail:DescribeTrails"}
		target := evidence.ID("aws:111122223333/" + region.name)
		set.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: target, Kind: "region", Name: region.name, At: at}, Host: true,
			In:     evidence.Moot[evidence.ID](at),
			Looked: map[evidence.Activity]evidence.Value[bool]{evidence.CloudAPI: evidence.Known(true, at)},
		})
		set.Record(&evidence.LogSource{
			Subject:  evidence.Subject{ID: target + "//cloudtrail/main#cloud-api", Kind: "trail", Name: "main", At: at},
			Activity: evidence.CloudAPI, Records: "API calls", Covers: []evidence.ID{target}, Enabled: region.on,
		})
	}
}

func all() []*checks.Check {
	return []*checks.Check{
		{
			ID: "recorded-application", Title: "The application records what it does", Severity: checks.Medium,
			Doc: `After a break-in through a web application its own log is usually the only witness of the first request.

Cure, Compose: take out "driver: none"; name a driver that keeps the output.`,
			Judge: checks.About(evidence.Application, application),
		},
		{
			ID: "recorded-cloud-api", Title: "Every call to the cloud's API is recorded", Severity: checks.High,
			Doc: `The trail is the only record of who asked the account to do what.

Cure: aws cloudtrail start-logging --name NAME`,
			Judge: checks.Each(trail),
		},
		{
			ID: "shipped-off-asset", Title: "The records outlive the container that wrote them", Severity: checks.Medium,
			After: []string{"recorded-application"},
			Doc: `Containers are replaced many times a day, and their log files are deleted with them.
If the service is replaced before anyone looks, nothing shows what ran.

Cure, Compose: a log driver that sends output away (syslog over TLS, fluentd, gelf, awslogs, ...).
Do not put a volume on /var/log of an image that logs to standard output: <html> & "quotes" stay as they are.`,
			Judge: checks.Each(offAsset),
		},
		{
			ID: "shipped-off-host", Title: "The records leave the machine", Severity: checks.Medium,
			After: []string{"recorded-application", "shipped-off-asset"},
			Doc: `Whoever gets root on the host can delete every log on it.

Cure: a log driver that sends to another machine.`,
			Judge: checks.Each(offHost),
		},
		{
			ID: "retained-by-time", Title: "Records are kept by time, not by size", Severity: checks.Low,
			After: []string{"shipped-off-asset"},
			Doc: `"Ten files of 100 MB" promises no time at all.

Cure: send the records to a store with a retention.`,
			Judge: checks.Each(byTime),
		},
		{
			ID: "retained-long-enough", Title: "Records are kept as long as the policy asks", Severity: checks.Medium,
			After: []string{"shipped-off-asset"},
			Doc: `Intruders are found late.

Cure, kube-apiserver: --audit-log-maxage=365`,
			Judge: checks.Each(longEnough),
		},
		{
			ID: "acquirable-container-image", Title: "The image that ran can be had again", Severity: checks.Low, OnDemand: true,
			Doc: `A tag moves; a digest does not.

Cure: image: NAME@sha256:...`,
			Judge: checks.Each(image),
		},
	}
}

func application(_ *checks.View, asset evidence.Asset, logs []evidence.LogSource) checks.Verdict {
	return checks.Best(logs, func(l evidence.LogSource) checks.Verdict {
		for _, d := range l.To {
			if e, known := d.Extent.Get(); known && e.Grade == evidence.None {
				return checks.Failed(d.Extent, "%s %q throws its output away: %s", asset.Kind, asset.Name, e.But).As(checks.High)
			}
		}
		return checks.Passed(l.Enabled, "%s %q writes %s", asset.Kind, asset.Name, l.Records)
	})
}

func trail(_ *checks.View, s evidence.LogSource) checks.Verdict {
	on, known := s.Enabled.Get()
	switch {
	case s.Activity != evidence.CloudAPI:
		return checks.Unasked()
	case !known:
		return checks.NotKnown(s.Enabled)
	case !on:
		return checks.Failed(s.Enabled, "trail %q is off", s.Name)
	}
	return checks.Passed(s.Enabled, "trail %q is on", s.Name)
}

func offAsset(v *checks.View, s evidence.LogSource) checks.Verdict {
	if !v.CanEnd(s) {
		return checks.Unasked()
	}
	return checks.Decided(checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		on := checks.Cite(v, r, r.Store.On)
		inMemory := checks.True(r.Store.Memory)
		switch {
		case r.By.Extent.IsUnknown():
			return checks.NotKnown(r.By.Extent)
		case checks.True(v.Outlives(r.Store, s)):
			return checks.Passed(on, "%s goes to %s", s.Name, r.Store.Name)
		case inMemory:
			return checks.Failed(on, "%s is kept in %s, which ends with it", s.Name, r.Store.Name).As(checks.High)
		case on.At().Written():
			return checks.Failed(on, "%s is kept in %s, which ends with it", s.Name, r.Store.Name)
		}
		return checks.Failed(on, "%s is left to the daemon; Docker's own default keeps it only as long as the container", s.Name).
			Many("%d services leave the log driver to the daemon; Docker's own default keeps their output only as long as the container")
	}), s)
}

func offHost(v *checks.View, s evidence.LogSource) checks.Verdict {
	if s.Activity != evidence.Application {
		return checks.Unasked()
	}
	return checks.Decided(checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if r.By.Extent.IsUnknown() {
			return checks.NotKnown(r.By.Extent)
		}
		if !r.Scanned {
			return checks.Passed(r.By.Extent, "%s goes to %s", s.Name, r.Store.Name)
		}
		return checks.Failed(r.Store.On, "%s stays on the machine, in %s", s.Name, r.Store.Name)
	}), s)
}

func byTime(_ *checks.View, store evidence.LogStore) checks.Verdict {
	switch bytes, bounded := store.Bytes.Get(); {
	case bounded:
		return checks.Failed(store.Bytes, "%s holds %s at most, whatever its age", store.Name, checks.Size(bytes))
	case store.Bytes.IsMoot():
		return checks.Passed(store.Bytes, "%s is not bounded by size", store.Name)
	}
	return checks.NotKnown(store.Bytes)
}

func longEnough(v *checks.View, store evidence.LogStore) checks.Verdict {
	switch days, known := store.Kept.Get(); {
	case !known:
		return checks.NotKnown(store.Kept)
	case days < v.Policy.Retain:
		return checks.Failed(store.Kept, "%s promises %d days; policy asks %d", store.Name, days, v.Policy.Retain)
	}
	return checks.Passed(store.Kept, "%s keeps records long enough", store.Name)
}

func image(_ *checks.View, a evidence.Access) checks.Verdict {
	if checks.True(a.Exact) {
		return checks.Passed(a.Exact, "%s is pinned by its digest", a.Name)
	}
	return checks.Failed(a.Exact, "%s can change under its tag", a.Name).
		Many("%d images are not pinned by their digest")
}
