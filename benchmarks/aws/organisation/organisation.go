// Package organisation simulates an organisation of AWS accounts over HTTP, to measure scans against: it waits before it
// answers, pages, and throttles, as AWS does. Only its size and its manners are meant to be true to life: a call that it
// does not know gets the answer of an account in which there is nothing.
//
// Who asks is told by the access key, which carries the account: [Key].
package organisation

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// An Estate says how large the organisation is, and how it answers.
type Estate struct {
	Accounts int
	Regions  int // of each account, 28 at most
	Groups   int // log groups of a region
	Clusters int // EKS clusters of a region
	Buckets  int // of an account

	Latency time.Duration // of each answer
	// Rates are the limits on calls, of those that AWS documents: 1 for the same, 0 for none.
	Rates float64
}

// Stats say what was asked of a server.
type Stats struct {
	Requests, Throttled, MostAtATime int64
	Operations                       map[string]int64
	// Last is how long after the first request the last answer was given.
	Last time.Duration
}

// A Server answers for an organisation.
type Server struct {
	estate  Estate
	regions []string
	now     time.Time

	mu         sync.Mutex
	limits     map[limited]*rate.Limiter
	operations map[string]int64

	begun, ended time.Time // of the first request, the last answer

	requests, throttled, flying, most atomic.Int64
}

type limited struct{ account, region, operation string }

// New returns a server. Things happened lately, seen from now.
func New(e Estate, now time.Time) *Server {
	e.Regions = min(max(e.Regions, 1), len(regionNames()))
	return &Server{
		estate: e, regions: regionNames()[:e.Regions], now: now,
		limits: map[limited]*rate.Limiter{}, operations: map[string]int64{},
	}
}

// Stats returns what was asked until now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{s.requests.Load(), s.throttled.Load(), s.most.Load(), maps.Clone(s.operations), s.ended.Sub(s.begun)}
}

// A protocol is how a service writes its answers.
type protocol int

const (
	jsonRPC protocol = iota // awsJson 1.0 and 1.1
	restJSON
	query
	ec2Query
	restXML
	cborRPC
)

// A call is a request, understood.
type call struct {
	account, region, service string
	// operation is the name in the API, or for REST services the method and the kind of path: "GET /clusters/*".
	operation string
	protocol  protocol
	path      []string // of REST services, without empty parts
	form      url.Values
	body      []byte
}

// ServeHTTP answers one call, after the latency.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	flying := s.flying.Add(1)
	defer s.flying.Add(-1)
	for most := s.most.Load(); flying > most && !s.most.CompareAndSwap(most, flying); most = s.most.Load() {
	}
	begun := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := understand(r, body)
	s.requests.Add(1)
	a := s.answer(c)
	if !s.allow(c) {
		s.throttled.Add(1)
		a = throttle(c)
	}
	select {
	case <-time.After(s.estate.Latency - time.Since(begun)):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", contentType(c.protocol))
	if c.protocol == cborRPC {
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if a.kind != "" {
		w.Header().Set("X-Amzn-Errortype", a.kind)
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	_, _ = w.Write(a.body) // who asked may have gone
	s.mu.Lock()
	s.ended = time.Now()
	s.mu.Unlock()
}

func contentType(p protocol) string {
	switch p {
	case jsonRPC:
		return "application/x-amz-json-1.1"
	case restJSON:
		return "application/json"
	case cborRPC:
		return "application/cbor"
	}
	return "text/xml"
}

// keyLead is how an access key begins.
const keyLead = "AKIA"

// Key is the access key of an account.
func Key(account string) string { return keyLead + account + "ORGA" }

// understand reads who asks for what from the signature's scope and the forms of the protocols.
func understand(r *http.Request, body []byte) call {
	c := call{body: body}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(credential, "/"); len(parts) >= 4 {
		key := strings.TrimPrefix(parts[0], keyLead)
		c.account, c.region, c.service = key[:min(12, len(key))], parts[2], parts[3]
	}
	for part := range strings.SplitSeq(r.URL.Path, "/") {
		if part != "" {
			c.path = append(c.path, part)
		}
	}
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		c.protocol, c.operation = jsonRPC, target[strings.LastIndex(target, ".")+1:]
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		c.protocol, c.operation = cborRPC, c.path[max(len(c.path)-1, 0)]
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		c.form, _ = url.ParseQuery(string(body)) // what cannot be read is not there
		c.protocol, c.operation = query, c.form.Get("Action")
		if c.service == "ec2" {
			c.protocol = ec2Query
		}
	case c.service == "s3":
		c.protocol, c.form = restXML, r.URL.Query()
		c.operation = r.Method + " ?" + settingOf(c.form)
	default:
		c.protocol, c.form = restJSON, r.URL.Query()
		if c.service == "cloudfront" || c.service == "route53" {
			c.protocol = restXML
		}
		c.operation = r.Method + " /" + strings.Join(c.path[:min(1, len(c.path))], "") + strings.Repeat("/*", max(len(c.path)-1, 0))
	}
	return c
}

// settingOf is what a request asks of a bucket: "logging".
func settingOf(form url.Values) string {
	for name, values := range form {
		if name != "x-id" && len(values) == 1 && values[0] == "" {
			return name
		}
	}
	return ""
}

// grant is how many calls of an action AWS lets through, for an account in a region: so many a second, and so many at
// once.
func grant(service, operation string) (perSecond, atOnce float64) {
	switch service {
	case "ec2": // Amazon EC2 Developer Guide, "Request throttling": non-mutating actions without a filter or a page size
		return 10, 50
	case "cloudtrail": // AWS CloudTrail User Guide, "Quotas": Describe, Get and List
		return 10, 10
	case "logs": // Amazon CloudWatch Logs User Guide, "CloudWatch Logs quotas"
		switch operation {
		case "DescribeLogGroups":
			return 10, 10
		case "DescribeMetricFilters", "DescribeSubscriptionFilters":
			return 5, 5
		}
	case "s3": // 5,500 reads a second for a prefix; nothing is said of what is asked of buckets
		return 500, 500
	}
	return 20, 20
}

func (s *Server) allow(c call) bool {
	s.mu.Lock()
	if s.begun.IsZero() {
		s.begun = time.Now()
	}
	s.operations[c.service+":"+c.operation]++
	key := limited{c.account, c.region, c.service + ":" + c.operation}
	l := s.limits[key]
	if l == nil && s.estate.Rates > 0 {
		per, once := grant(c.service, c.operation)
		l = rate.NewLimiter(rate.Limit(per*s.estate.Rates), max(1, int(once*s.estate.Rates)))
		s.limits[key] = l
	}
	s.mu.Unlock()
	return l == nil || l.Allow()
}

func regionNames() []string {
	return []string{
		"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-3", "ap-northeast-2", "ap-southeast-1",
		"ap-southeast-2", "ap-northeast-1", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1",
		"sa-east-1", "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ca-west-1", "eu-central-2",
		"eu-south-1", "eu-south-2", "il-central-1", "me-south-1",
	}
}
