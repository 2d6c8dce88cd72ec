package kubernetes

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/workload"
)

// An apiServer is what the manifest of a kube-apiserver says about its audit log. A flag that is not written is known
// and empty, with kube-apiserver's default as its note. See
// https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/.
type apiServer struct {
	in                         *placed
	of                         *workload.Container
	policy                     evidence.Value[string]
	log, logMode               evidence.Value[string]
	maxAge, maxBackup, maxSize evidence.Value[int64]
	webhook, webhookMode       evidence.Value[string]
	maxAgeWritten, complete    bool
	recorded                   map[evidence.Part]evidence.Value[evidence.Extent]
	id                         evidence.ID
}

// noteDefault is the note of a flag that nobody wrote.
const noteDefault = "kube-apiserver default"

// audit yields the audit logs of the API servers, and of audit policies that come without one.
func (s *scan) audit(workloads []*placed) {
	taken := map[evidence.ID]bool{}
	next := 0
	for _, w := range workloads {
		for i := range w.containers {
			c := s.containers[next]
			next++
			flags, ok := apiServerFlags(&w.containers[i], c)
			if !ok {
				continue
			}
			a := readAPIServer(flags)
			a.in, a.of, a.complete = w, c, !slices.ContainsFunc(w.units, func(u string) bool { return s.collected[u] })
			a.recorded = s.parts(a.policy)
			a.id = evidence.ID(w.id.Target() + "//kube-apiserver")
			for n := 2; taken[a.id]; n++ {
				a.id = evidence.ID(fmt.Sprintf("%s//kube-apiserver:%d", w.id.Target(), n))
			}
			taken[a.id] = true
			s.observe(a)
		}
	}
	if len(taken) == 0 {
		s.policiesAlone()
	}
}

// A flag is one of a command line.
type flag struct {
	name  string
	value evidence.Value[string]
}

// commandLine is the flags of a command; open where a part of it is not known, so that there may be more.
type commandLine struct {
	flags []flag
	open  evidence.Value[string]
	at    evidence.Origin
}

// apiServerFlags returns the flags of a container that runs kube-apiserver.
func apiServerFlags(c *container, out *workload.Container) (commandLine, bool) {
	line := commandLine{at: c.at}
	var words []evidence.Value[string] // as written
	var values []evidence.Value[string]
	runs := false
	for i, a := range c.args {
		text, _ := a.Get()
		if i == 0 {
			line.at = a.At()
		}
		if isAPIServer(text) {
			runs = true
		}
		if !strings.ContainsAny(text, " \n") || !strings.Contains(text, "kube-apiserver") {
			words, values = append(words, a), append(values, out.Args[i])
			continue
		}
		for _, word := range strings.Fields(text) { // the script of a shell
			runs = runs || isAPIServer(word)
			v := evidence.Known(strings.Trim(word, `"'`), a.At())
			words, values = append(words, v), append(values, expand(v, out.Env))
		}
	}
	if image, known := out.Image.Get(); known && path.Base(imageName(image)) == "kube-apiserver" {
		runs = true
	}
	for i := 0; i < len(words); i++ {
		text, _ := words[i].Get()
		name, _, assigned := strings.Cut(text, "=")
		if !strings.HasPrefix(name, "--") {
			if values[i].IsUnknown() {
				line.open = values[i]
			}
			continue
		}
		value := values[i]
		switch resolved, known := value.Get(); {
		case assigned && known:
			_, after, _ := strings.Cut(resolved, "=")
			value = evidence.Known(strings.Trim(after, `"'`), value.At())
		case !assigned && i+1 < len(words):
			if following, _ := words[i+1].Get(); !strings.HasPrefix(following, "--") {
				i++
				value = values[i]
			} else {
				value = evidence.Known("true", value.At())
			}
		case !assigned:
			value = evidence.Known("true", value.At())
		}
		line.flags = append(line.flags, flag{strings.ReplaceAll(name, "_", "-"), value})
	}
	return line, runs
}

func isAPIServer(program string) bool { return path.Base(program) == "kube-apiserver" }

// value returns a flag. Where it is written twice, the last counts.
func (l commandLine) value(name string) (v evidence.Value[string], written bool) {
	for _, f := range slices.Backward(l.flags) {
		if f.name == name {
			return f.value, true
		}
	}
	if !l.open.IsZero() {
		return l.open, false
	}
	return evidence.Known("", l.at.WithNote(noteDefault)), false
}

// number returns a flag that counts, 0 where it is not written.
func (l commandLine) number(name string) (n evidence.Value[int64], written bool) {
	v, written := l.value(name)
	if text, known := v.Get(); known && text == "" && !written {
		return evidence.Known[int64](0, v.At()), false
	}
	return number(v), written
}

func readAPIServer(l commandLine) apiServer {
	var a apiServer
	a.policy, _ = l.value("--audit-policy-file")
	a.log, _ = l.value("--audit-log-path")
	a.logMode, _ = l.value("--audit-log-mode")
	a.maxAge, a.maxAgeWritten = l.number("--audit-log-maxage")
	a.maxBackup, _ = l.number("--audit-log-maxbackup")
	a.maxSize, _ = l.number("--audit-log-maxsize")
	a.webhook, _ = l.value("--audit-webhook-config-file")
	a.webhookMode, _ = l.value("--audit-webhook-mode")
	return a
}

// enabled says whether anything is written. Without a policy no event is, wherever the log would go.
func (a apiServer) enabled() evidence.Value[bool] {
	policy, known := a.policy.Get()
	switch {
	case known && policy == "":
		return evidence.Known(false, a.policy.At())
	case !known:
		return evidence.Unknown[bool](a.policy.Why(), a.policy.At())
	}
	log, logKnown := a.log.Get()
	webhook, webhookKnown := a.webhook.Get()
	switch {
	case log != "" || webhook != "":
		return evidence.Known(true, a.policy.At())
	case !logKnown:
		return evidence.Unknown[bool](a.log.Why(), a.log.At())
	case !webhookKnown:
		return evidence.Unknown[bool](a.webhook.Why(), a.webhook.At())
	}
	return evidence.Known(false, a.log.At())
}

// observe yields the records of an API server.
func (s *scan) observe(a apiServer) {
	at := a.of.Asset.At
	s.records = append(s.records, &evidence.Asset{
		Subject:     evidence.Subject{ID: a.id, Kind: "Kubernetes API server", Name: a.in.name, At: at},
		In:          evidence.Known(a.in.id, at),
		Looked:      map[evidence.Activity]evidence.Value[bool]{evidence.KubernetesAPI: evidence.Known(true, at)},
		Lingers:     evidence.Moot[int64](at),
		Development: a.in.development,
	})
	source := &evidence.LogSource{
		Subject:  evidence.Subject{ID: a.id + "/audit#kubernetes-api", Kind: "audit log", Name: "the audit log of " + a.in.name, At: at},
		Activity: evidence.KubernetesAPI, Records: "requests to the API server", Covers: []evidence.ID{a.id},
		Enabled: a.enabled(), Hidden: evidence.Moot[evidence.Hiding](at), Parts: a.recorded,
		Complete: evidence.Known(true, at),
	}
	if !a.complete {
		source.Complete = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("a log shipper runs beside it"))
	}
	log, known := a.log.Get()
	switch {
	case !known:
		source.Complete = evidence.Unknown[bool](a.log.Why(), a.log.At())
	case log == "-":
		source.Complete = evidence.Unknown[bool](evidence.Elsewhere, a.log.At().WithNote("written to standard output"))
	case log != "":
		a.of.Told = append(a.of.Told, path.Dir(path.Clean("/"+log)))
		store := a.store(path.Clean("/" + log))
		s.records = append(s.records, store)
		source.To = append(source.To, evidence.Delivery{
			To: store.ID, Extent: evidence.Everything(a.log.At()), Lossless: lossless(a.logMode, "blocking"), Buffer: evidence.Moot[int64](a.log.At()),
		})
	}
	webhook, known := a.webhook.Get()
	switch {
	case !known:
		source.Complete = evidence.Unknown[bool](a.webhook.Why(), a.webhook.At())
	case webhook != "":
		source.To = append(source.To, evidence.Delivery{
			To: receiver(a.of.File(webhook)), Extent: evidence.Everything(a.webhook.At()), Lossless: lossless(a.webhookMode, "batch"),
			Buffer: evidence.Moot[int64](a.webhook.At()),
		})
	}
	s.records = append(s.records, source)
}

// lossless says whether a mode holds requests back until their events are written. "batch" drops events when its
// buffer is full.
func lossless(mode evidence.Value[string], otherwise string) evidence.Value[bool] {
	text, known := mode.Get()
	if !known {
		return evidence.Unknown[bool](mode.Why(), mode.At())
	}
	switch cmp.Or(text, otherwise) {
	case "batch":
		return evidence.Known(false, mode.At())
	case "blocking", "blocking-strict":
		return evidence.Known(true, mode.At())
	}
	return evidence.Unknown[bool](unreadable(text), mode.At())
}

// store is the log file and its older copies.
func (a apiServer) store(file string) *evidence.LogStore {
	at := a.log.At()
	store := &evidence.LogStore{
		Subject: evidence.Subject{ID: a.id + "/audit-log", Kind: "audit log file", Name: file, At: at},
		On:      evidence.Known([]evidence.ID{a.in.id}, at), Memory: evidence.Known(false, at),
		ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	store.Kept, store.Bytes = a.kept()
	if !a.complete {
		store.Complete = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("a log shipper runs beside it"))
	}
	var over *workload.Mount
	for i, m := range a.of.Mounts {
		if workload.Within(file, m.Path) && (over == nil || len(m.Path) >= len(over.Path)) {
			over = &a.of.Mounts[i]
		}
	}
	if over == nil {
		return store
	}
	switch over.Kind {
	case workload.HostPath:
		store.On = evidence.Known([]evidence.ID{nodeOf(a.in.id)}, over.At)
	case workload.EmptyDir, workload.Ephemeral:
		store.On = evidence.Known([]evidence.ID{a.in.id}, over.At)
	case workload.MemoryDir:
		store.On, store.Memory = evidence.Known([]evidence.ID{a.in.id}, over.At), evidence.Known(true, over.At)
	default:
		store.On = evidence.Unknown[[]evidence.ID](evidence.Elsewhere, over.At)
	}
	return store
}

// kept says how long, and how much, the log file and its older copies hold. A number that is 0 sets no limit.
func (a apiServer) kept() (days evidence.Value[int], bytes evidence.Value[int64]) {
	size, sizeKnown := a.maxSize.Get()
	backups, backupsKnown := a.maxBackup.Get()
	switch {
	case sizeKnown && size <= 0 || backupsKnown && backups <= 0:
		bytes = evidence.Moot[int64](a.maxSize.At())
		if sizeKnown && size > 0 {
			bytes = evidence.Moot[int64](a.maxBackup.At())
		}
	case !sizeKnown:
		bytes = evidence.Unknown[int64](a.maxSize.Why(), a.maxSize.At())
	case !backupsKnown:
		bytes = evidence.Unknown[int64](a.maxBackup.Why(), a.maxBackup.At())
	default:
		const most = int64(1) << 40
		bytes = evidence.Known(min(size, most>>20)<<20*min(backups, most>>20), a.maxSize.At())
	}
	age, known := a.maxAge.Get()
	switch {
	case !known:
		return evidence.Unknown[int](a.maxAge.Why(), a.maxAge.At()), bytes
	case age > 0:
		return evidence.Known(int(min(age, evidence.Forever)), a.maxAge.At()), bytes
	case bytes.IsUnknown():
		return evidence.Unknown[int](bytes.Why(), bytes.At()), bytes
	case !bytes.IsMoot():
		return evidence.Known(0, bytes.At()), bytes
	}
	return evidence.Known(evidence.Forever, a.maxAge.At()), bytes
}

// receiver names the server of a webhook after its kubeconfig file.
func receiver(config evidence.Value[string]) evidence.ID {
	const thing = "//audit-webhook"
	text, known := config.Get()
	if !known || len(text) > maxConfig {
		return "webhook:unknown" + thing
	}
	roots, err := parseYAML([]byte(text))
	if err != nil || len(roots) == 0 {
		return "webhook:unknown" + thing
	}
	root := field{n: roots[0], r: &reader{file: newFile(""), aliases: maxAliases}}
	for _, c := range root.get("clusters").items() {
		if u, err := url.Parse(c.get("cluster", "server").text()); err == nil && u.Host != "" {
			return evidence.ID("webhook:" + u.Host + thing)
		}
	}
	return "webhook:unknown" + thing
}

// parts says what the policy that a flag names writes down. The only policy of the scan is taken for it; of several,
// the one with that file name.
func (s *scan) parts(named evidence.Value[string]) map[evidence.Part]evidence.Value[evidence.Extent] {
	name, known := named.Get()
	policies := s.policies
	if len(policies) > 1 {
		policies = slices.DeleteFunc(slices.Clone(policies), func(p *auditPolicy) bool {
			return !known || path.Base(p.file.name) != path.Base(name)
		})
	}
	if name != "" && len(policies) == 1 || !known && len(s.policies) == 1 {
		return policies[0].parts
	}
	parts := map[evidence.Part]evidence.Value[evidence.Extent]{}
	for part := range (policy{}).parts() {
		parts[part] = evidence.Unknown[evidence.Extent](evidence.Elsewhere, named.At())
	}
	return parts
}

// policiesAlone yields audit policies of which no API server is in the scan: only what they write down is judged.
func (s *scan) policiesAlone() {
	taken := map[evidence.ID]bool{}
	for _, p := range s.policies {
		id := targetOf(p.file.folder()) + "//audit-policy/" + evidence.ID(path.Base(p.file.name))
		for n, first := 2, id; taken[id]; n++ {
			id = first + evidence.ID(fmt.Sprintf(":%d", n))
		}
		taken[id] = true
		development := s.target.Declared.IsDevelopment(p.file.name)
		s.records = append(s.records, &evidence.Asset{
			Subject: evidence.Subject{ID: id, Kind: "audit policy", Name: p.file.name, At: p.at}, In: evidence.Moot[evidence.ID](p.at),
			Looked:  map[evidence.Activity]evidence.Value[bool]{evidence.KubernetesAPI: evidence.Known(true, p.at)},
			Lingers: evidence.Moot[int64](p.at), Development: development,
		}, &evidence.LogSource{
			Subject:  evidence.Subject{ID: id + "#kubernetes-api", Kind: "audit log", Name: "the audit log under " + p.file.name, At: p.at},
			Activity: evidence.KubernetesAPI, Records: "requests to the API server", Covers: []evidence.ID{id},
			Enabled: evidence.Moot[bool](p.at), Hidden: evidence.Moot[evidence.Hiding](p.at), Parts: p.parts,
			Complete: evidence.Unknown[bool](evidence.Elsewhere, p.at),
		})
	}
}
