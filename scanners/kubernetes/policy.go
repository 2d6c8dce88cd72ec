package kubernetes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
)

// A policy is an audit policy: the rules by which kube-apiserver decides which requests it writes down. The first rule
// that matches a request decides; a request that none matches is not written.
// See https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/.
type policy struct {
	at    evidence.Origin
	rules []policyRule
}

type policyRule struct {
	at        evidence.Origin
	level     string
	omits     auditStages // its own and the policy's
	users     []string
	groups    []string
	verbs     []string
	namespace []string
	resources []groupResources
	urls      []string
}

type groupResources struct {
	group     string
	resources []string
	names     []string
}

// auditStages is a set of the moments of a request at which an event is written.
type auditStages uint8

const (
	requestReceived auditStages = 1 << iota
	responseStarted
	responseComplete
	panicked
)

// levelNone is the level of a request that is not written down.
const levelNone = "None"

// maxPolicyValues bounds what a hostile policy costs. The longest policies in use have a few hundred values.
const maxPolicyValues = 5000

// groupName is a DNS subdomain, in lower case.
var groupName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// readPolicy reads an audit policy. It fails where kube-apiserver would refuse to start with it, and like kube-apiserver
// it passes over fields that it does not know. It also takes v1beta1, which Kubernetes 1.24 removed.
func readPolicy(node *yaml.Node, file string) (policy, error) {
	if node != nil && node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	if node == nil {
		return policy{}, fmt.Errorf("reading an audit policy: the document is empty")
	}
	r := policyReader{file: file, left: maxPolicyValues}
	p := r.policy(node)
	if r.err != nil {
		return policy{}, fmt.Errorf("reading an audit policy: %w", r.err)
	}
	return p, nil
}

// A policyReader keeps the first error; after it, what it returns is of no use.
type policyReader struct {
	file string
	left int // how many values it may still read
	err  error
}

func (r *policyReader) fail(at *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("line %d: %s", at.Line, fmt.Sprintf(format, args...))
	}
}

func (r *policyReader) origin(n *yaml.Node) evidence.Origin {
	return evidence.Origin{File: r.file, Line: n.Line, Col: n.Column}
}

func (r *policyReader) policy(n *yaml.Node) policy {
	top := r.fields(n)
	if v := r.text(top["apiVersion"]); v != "audit.k8s.io/v1" && v != "audit.k8s.io/v1beta1" {
		r.fail(n, "apiVersion %.40q is no version of an audit policy", v)
	}
	if kind := r.text(top["kind"]); kind != "Policy" {
		r.fail(n, "kind %.40q is not Policy", kind)
	}
	p := policy{at: r.origin(n)}
	omits := r.stages(top["omitStages"])
	for _, item := range r.items(top["rules"]) {
		rule := r.rule(item)
		rule.omits |= omits
		p.rules = append(p.rules, rule)
	}
	if len(p.rules) == 0 {
		r.fail(n, "no rules; kube-apiserver does not start without one")
	}
	return p
}

func (r *policyReader) rule(n *yaml.Node) policyRule {
	f := r.fields(n)
	rule := policyRule{
		at:        r.origin(n),
		level:     r.text(f["level"]),
		omits:     r.stages(f["omitStages"]),
		users:     r.texts(f["users"]),
		groups:    r.texts(f["userGroups"]),
		verbs:     r.texts(f["verbs"]),
		namespace: r.texts(f["namespaces"]),
		urls:      r.texts(f["nonResourceURLs"]),
	}
	for _, item := range r.items(f["resources"]) {
		rule.resources = append(rule.resources, r.resources(item))
	}
	switch rule.level {
	case levelNone, "Metadata", "Request", "RequestResponse":
	case "":
		r.fail(n, "a rule without a level")
	default:
		r.fail(f["level"], "level %.40q is none of None, Metadata, Request, RequestResponse", rule.level)
	}
	for _, url := range rule.urls {
		if url != "*" && (!strings.HasPrefix(url, "/") || strings.Contains(url[:len(url)-1], "*")) {
			r.fail(n, "nonResourceURLs: %.40q is no path, with at most one * at its end", url)
		}
	}
	if len(rule.urls) > 0 && len(rule.resources)+len(rule.namespace) > 0 {
		r.fail(n, "a rule for both nonResourceURLs and resources")
	}
	return rule
}

func (r *policyReader) resources(n *yaml.Node) groupResources {
	f := r.fields(n)
	g := groupResources{
		group:     r.text(f["group"]),
		resources: r.texts(f["resources"]),
		names:     r.texts(f["resourceNames"]),
	}
	if g.group != "" && g.group != "*" && (len(g.group) > 253 || !groupName.MatchString(g.group)) {
		r.fail(n, "%.40q is no API group, which has no version in it", g.group)
	}
	if len(g.names) > 0 && len(g.resources) == 0 {
		r.fail(n, "resourceNames without resources")
	}
	return g
}

func (r *policyReader) stages(n *yaml.Node) auditStages {
	var set auditStages
	for _, name := range r.texts(n) {
		switch name {
		case "RequestReceived":
			set |= requestReceived
		case "ResponseStarted":
			set |= responseStarted
		case "ResponseComplete":
			set |= responseComplete
		case "Panic":
			set |= panicked
		default:
			r.fail(n, "omitStages: %.40q is no stage", name)
		}
	}
	return set
}

// fields returns the values of a mapping by key; of a key written twice, the last, and of merged ones, the mapping's
// own.
func (r *policyReader) fields(n *yaml.Node) map[string]*yaml.Node {
	m := followAlias(n)
	if isAbsent(m) {
		return nil
	}
	if m.Kind != yaml.MappingNode {
		r.fail(n, "want a mapping")
	}
	if r.spend(n, len(m.Content)); r.err != nil {
		return nil
	}
	merged, own := map[string]*yaml.Node{}, map[string]*yaml.Node{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := followAlias(m.Content[i]), m.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.fail(key, "want a string as key")
			return nil
		}
		if key.ShortTag() != "!!merge" {
			own[key.Value] = value
			continue
		}
		sources := []*yaml.Node{value}
		if list := followAlias(value); list.Kind == yaml.SequenceNode {
			sources = list.Content
		}
		for _, source := range sources {
			for k, v := range r.fields(source) {
				if merged[k] == nil {
					merged[k] = v
				}
			}
		}
	}
	for k, v := range own {
		merged[k] = v
	}
	return merged
}

func (r *policyReader) items(n *yaml.Node) []*yaml.Node {
	list := followAlias(n)
	if isAbsent(list) {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		r.fail(n, "want a list")
	}
	if r.spend(n, len(list.Content)); r.err != nil {
		return nil
	}
	return list.Content
}

func (r *policyReader) texts(n *yaml.Node) []string {
	var texts []string
	for _, item := range r.items(n) {
		texts = append(texts, r.text(item))
	}
	return texts
}

func (r *policyReader) text(n *yaml.Node) string {
	s := followAlias(n)
	if isAbsent(s) {
		return ""
	}
	// kube-apiserver takes a date for a string, and a number for an error.
	if tag := s.ShortTag(); s.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		r.fail(n, "want a string")
		return ""
	}
	return s.Value
}

// spend bounds the work that aliases can make of a small file.
func (r *policyReader) spend(at *yaml.Node, values int) {
	if r.left -= values; r.left < 0 {
		r.fail(at, "more than %d values", maxPolicyValues)
	}
}

func followAlias(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isAbsent(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// An auditRequest is one of the kinds of requests that a part is made of.
type auditRequest struct {
	verb, group, resource, subresource string
}

const rbacGroup = "rbac.authorization.k8s.io"

// partRequests lists what each part is made of. Clients open exec, attach and portforward with POST (create) over SPDY
// and with GET (get) over WebSocket, as kubectl does since 1.31.
func partRequests() map[evidence.Part][]auditRequest {
	pods := func(subresource string) []auditRequest {
		return []auditRequest{{"get", "", "pods", subresource}, {"create", "", "pods", subresource}}
	}
	parts := map[evidence.Part][]auditRequest{
		evidence.PartExec:          pods("exec"),
		evidence.PartAttach:        pods("attach"),
		evidence.PartPortForward:   pods("portforward"),
		evidence.PartTokenRequests: {{"create", "", "serviceaccounts", "token"}},
	}
	for _, verb := range []string{"get", "list", "watch"} {
		parts[evidence.PartSecretReads] = append(parts[evidence.PartSecretReads], auditRequest{verb, "", "secrets", ""})
	}
	for _, resource := range []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"} {
		for _, verb := range []string{"create", "update", "patch", "delete", "deletecollection"} {
			parts[evidence.PartRBACChanges] = append(parts[evidence.PartRBACChanges], auditRequest{verb, rbacGroup, resource, ""})
		}
	}
	return parts
}

// path is the resource as a rule names it.
func (q auditRequest) path() string {
	if q.subresource == "" {
		return q.resource
	}
	return q.resource + "/" + q.subresource
}

// A filling says whether kube-apiserver knows a namespace, or a name, of a request.
type filling uint8

const (
	maybeFilled filling = iota
	alwaysFilled
	neverFilled
)

func (q auditRequest) namespaces() filling {
	switch {
	case strings.HasPrefix(q.resource, "cluster"):
		return neverFilled
	case q.verb == "list" || q.verb == "watch":
		return maybeFilled // across all namespaces, it has none
	}
	return alwaysFilled
}

func (q auditRequest) names() filling {
	switch {
	case q.verb == "list" || q.verb == "watch":
		return maybeFilled // a field selector on metadata.name is a name
	case q.subresource == "" && (q.verb == "create" || q.verb == "deletecollection"):
		return neverFilled
	}
	return alwaysFilled
}

// stages returns when an event of the request can be written, save for panics.
func (q auditRequest) stages() auditStages {
	if q.verb == "watch" || q.resource == "pods" {
		return requestReceived | responseStarted | responseComplete // these requests stay open
	}
	return requestReceived | responseComplete
}

// A ruleCondition narrows a request to some users, groups, namespaces and names, in this order. A nil list narrows nothing.
type ruleCondition [4][]string

func (c ruleCondition) open() bool {
	return c[0] == nil && c[1] == nil && c[2] == nil && c[3] == nil
}

// applies returns when the rule matches a request of an ordinary user, and whether it ever does. It follows ruleMatches
// in https://github.com/kubernetes/apiserver/blob/v0.36.3/pkg/audit/policy/checker.go.
func (r policyRule) applies(q auditRequest) (c ruleCondition, ever bool) {
	if len(r.verbs) > 0 && !slices.Contains(r.verbs, q.verb) {
		return c, false
	}
	if len(r.users) > 0 {
		c[0] = r.users
	}
	if len(r.groups) > 0 && !slices.Contains(r.groups, "system:authenticated") {
		c[1] = r.groups
	}
	if len(r.namespace) == 0 && len(r.resources) == 0 {
		return c, len(r.urls) == 0
	}
	if c[2], ever = narrowTo(r.namespace, q.namespaces()); !ever || len(r.resources) == 0 {
		return c, ever
	}
	ever = false
	for _, g := range r.resources {
		if !g.has(q) {
			continue
		}
		names, some := narrowTo(g.names, q.names())
		if some && names == nil {
			c[3] = nil
			return c, true
		}
		ever = ever || some
		c[3] = append(c[3], names...)
	}
	return c, ever
}

// has reports whether the resources of a rule hold the request's, whatever its name. "pods/*" holds pods, too.
func (g groupResources) has(q auditRequest) bool {
	if g.group != q.group && g.group != "*" {
		return false
	}
	return len(g.resources) == 0 || slices.ContainsFunc(g.resources, func(res string) bool {
		return res == "*" || res == q.path() || res == q.resource+"/*" ||
			q.subresource != "" && res == "*/"+q.subresource
	})
}

// narrowTo keeps of a rule's list what requests can have, and reports whether any matches. Nil matches all of them.
func narrowTo(list []string, fill filling) ([]string, bool) {
	switch {
	case len(list) == 0:
		return nil, true
	case fill == neverFilled:
		return nil, slices.Contains(list, "")
	case fill == alwaysFilled:
		list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	}
	return list, len(list) > 0
}

// without takes away what an earlier condition decided, and reports whether anything is left.
func (c ruleCondition) without(earlier []reachedRule) (ruleCondition, bool) {
	for d := range c {
		if c[d] == nil {
			continue
		}
		gone := map[string]bool{}
		for _, e := range earlier {
			if !e.when.holds(c, d) {
				continue
			}
			if e.when[d] == nil {
				return c, false
			}
			for _, s := range e.when[d] {
				gone[s] = true
			}
		}
		c[d] = slices.DeleteFunc(slices.Clone(c[d]), func(s string) bool { return gone[s] })
		if len(c[d]) == 0 {
			return c, false
		}
	}
	return c, true
}

// holds reports whether all that o allows is allowed by c, in every list but one.
func (c ruleCondition) holds(o ruleCondition, but int) bool {
	for d := range c {
		if d == but || c[d] == nil {
			continue
		}
		if o[d] == nil {
			return false
		}
		have := map[string]bool{}
		for _, s := range c[d] {
			have[s] = true
		}
		if slices.ContainsFunc(o[d], func(s string) bool { return !have[s] }) {
			return false
		}
	}
	return true
}

// A reachedRule decides some of the requests.
type reachedRule struct {
	rule policyRule
	when ruleCondition
}

func (r policyRule) records(q auditRequest) bool {
	return r.level != levelNone && q.stages()&^r.omits != 0
}

// A requestRecord says how much of one kind of request is written down, and which rule decided that.
type requestRecord struct {
	extent evidence.Extent
	at     evidence.Origin
}

func (p policy) recording(q auditRequest) requestRecord {
	base := policyRule{at: p.at.WithNote("no rule matches"), level: levelNone}
	var before, except []reachedRule
	for _, r := range p.rules {
		c, ever := r.applies(q)
		if !ever {
			continue
		}
		if c.open() {
			base = r
			break
		}
		if c, ever = c.without(before); ever {
			before = append(before, reachedRule{r, c})
		}
	}
	for _, e := range before {
		if e.rule.records(q) != base.records(q) {
			except = append(except, e)
		}
	}
	switch {
	case len(except) == 0 && base.records(q):
		return requestRecord{evidence.Extent{Grade: evidence.All}, base.at}
	case len(except) == 0:
		return requestRecord{evidence.Extent{Grade: evidence.None}, base.at}
	case base.records(q):
		return requestRecord{evidence.Extent{Grade: evidence.Some, But: "not " + describeRules(except)}, except[0].rule.at}
	}
	return requestRecord{evidence.Extent{Grade: evidence.Some, But: "only " + describeRules(except)}, base.at}
}

// parts says how much of each part the policy writes down for an ordinary user: one who is authenticated, and whom no
// rule names. What it leaves out, or writes, only for some users, groups, namespaces or names makes the part Some.
func (p policy) parts() map[evidence.Part]evidence.Value[evidence.Extent] {
	parts := map[evidence.Part]evidence.Value[evidence.Extent]{}
	for part, requests := range partRequests() {
		parts[part] = p.part(requests)
	}
	return parts
}

func (p policy) part(requests []auditRequest) evidence.Value[evidence.Extent] {
	var extents []evidence.Extent
	var worst requestRecord
	where := map[evidence.Extent][]auditRequest{}
	for i, q := range requests {
		rec := p.recording(q)
		if i == 0 || worst.extent.Grade == evidence.All && rec.extent.Grade != evidence.All {
			worst = rec
		}
		if where[rec.extent] == nil {
			extents = append(extents, rec.extent)
		}
		where[rec.extent] = append(where[rec.extent], q)
	}
	if len(extents) == 1 {
		return evidence.Known(extents[0], worst.at)
	}
	var but []string
	for _, e := range extents {
		switch e.Grade {
		case evidence.None:
			but = append(but, "not "+nameRequests(where[e], requests))
		case evidence.Some:
			but = append(but, e.But+" ("+nameRequests(where[e], requests)+")")
		}
	}
	return evidence.Known(evidence.Extent{Grade: evidence.Some, But: strings.Join(but, "; ")}, worst.at)
}

// describeRules says in the policy's words which requests some rules decide: "user:bob in namespace:shop".
func describeRules(rules []reachedRule) string {
	var each []string
	for _, r := range rules {
		var words []string
		for d, kind := range []string{"user:", "group:", "namespace:", "name:"} {
			if r.when[d] == nil {
				continue
			}
			var values []string
			for _, s := range r.when[d] {
				if s == "" {
					s = `""`
				}
				values = append(values, kind+s)
			}
			words = append(words, few(values, ", "))
		}
		each = append(each, strings.Join(words, " in "))
	}
	return few(each, "; ")
}

// nameRequests names some of a part's requests: "verb:watch", "roles, verb:patch of clusterroles".
func nameRequests(some, all []auditRequest) string {
	var order []string
	had, total := map[string][]string{}, map[string]int{}
	for _, q := range all {
		total[q.path()]++
	}
	for _, q := range some {
		if had[q.path()] == nil {
			order = append(order, q.path())
		}
		had[q.path()] = append(had[q.path()], "verb:"+q.verb)
	}
	var verbs []string
	resources := map[string][]string{}
	for _, path := range order {
		of := strings.Join(had[path], ", ")
		if len(had[path]) == total[path] {
			of = ""
		}
		if resources[of] == nil {
			verbs = append(verbs, of)
		}
		resources[of] = append(resources[of], path)
	}
	var words []string
	for _, of := range verbs {
		switch named := strings.Join(resources[of], ", "); {
		case of == "":
			words = append(words, named)
		case len(resources[of]) == len(total):
			words = append(words, of)
		default:
			words = append(words, of+" of "+named)
		}
	}
	return strings.Join(words, ", ")
}

// few joins the first words, each once, and counts the rest.
func few(words []string, separator string) string {
	const most = 4
	seen := map[string]bool{}
	words = slices.DeleteFunc(words, func(w string) bool {
		again := seen[w]
		seen[w] = true
		return again
	})
	if len(words) <= most {
		return strings.Join(words, separator)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], separator), len(words)-most)
}
