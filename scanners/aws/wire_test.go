package aws

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/scanners/aws/awstest"
)

// A wire keeps which requests were sent, and which of them are not known to change nothing.
type wire struct {
	// empty are operations, or the ends of paths, to which the wire answers itself that there is nothing.
	empty []string

	mu    sync.Mutex
	sent  int
	wrong []string
}

// posts are operations that read and that are sent with POST, by the end of their path; see the reference of each API.
var posts = []string{
	"/coverage",            // GuardDuty, ListCoverage
	"/getAlternateContact", // Account Management
	"/logsources/list",     // Security Lake, ListLogSources
	"/domain-info",         // OpenSearch, DescribeDomains
}

// see looks at a request as it is sent.
func (w *wire) see(r *http.Request, body []byte) {
	op := operationOf(r, body)
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if op != "" {
		reads = readsOnly(op) || op == "AssumeRole" // which a scan of an organisation begins with, and which leaves nothing behind
	} else if r.Method == http.MethodPost {
		reads = slices.ContainsFunc(posts, func(end string) bool { return strings.HasSuffix(r.URL.Path, end) })
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	if !reads {
		w.wrong = append(w.wrong, r.Method+" "+r.URL.Path+" "+op)
	}
}

// operationOf is the operation that a request names, "" where its method and path do.
func operationOf(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if strings.Contains(r.Header.Get("Content-Type"), "x-www-form-urlencoded") {
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
			return form.Get("Action")
		}
	}
	if _, op, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return op
	}
	return ""
}

// check fails a test whose requests may have changed something.
func (w *wire) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent == 0 {
		t.Error("nothing was sent")
	}
	for _, request := range w.wrong {
		t.Errorf("sent: %s", request)
	}
}

// tapped is a server before another one, at which all requests are seen.
func (w *wire) tapped(t *testing.T, server string) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}
	tap := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			out.WriteHeader(http.StatusBadRequest)
			return
		}
		w.see(r, body)
		if op := operationOf(r, body); slices.ContainsFunc(w.empty, func(e string) bool { return e == op || op == "" && strings.HasSuffix(r.URL.Path, e) }) {
			nothing(out, r, op)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(out, r)
	}))
	t.Cleanup(tap.Close)
	return tap.URL
}

// nothing answers that there is nothing.
func nothing(out http.ResponseWriter, r *http.Request, op string) {
	text := "{}"
	switch kind := r.Header.Get("Content-Type"); {
	case strings.Contains(kind, "x-www-form-urlencoded"):
		text = "<" + op + "Response></" + op + "Response>"
	case strings.Contains(kind, "cbor"), r.Header.Get("Smithy-Protocol") != "":
		out.Header().Set("Smithy-Protocol", r.Header.Get("Smithy-Protocol"))
		text = "\xa0" // an empty map
	}
	_, _ = io.WriteString(out, text)
}

// watched is a configuration of which all requests are seen, as they would be sent.
func (w *wire) watched(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("wire", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			r := in.Request.(*smithyhttp.Request)
			var body []byte
			if stream := r.GetStream(); stream != nil {
				var err error
				if body, err = io.ReadAll(stream); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				if err := r.RewindStream(); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			w.see(r.Request, body)
			return next.HandleFinalize(ctx, in)
		}), "Signing", middleware.After)
	})
	return cfg
}

// TestAScanChangesNothing looks at each request of scans that together make every call.
func TestAScanChangesNothing(t *testing.T) {
	for _, scan := range every {
		var w wire
		run(t, newScan(w.watched(awstest.Config(scan.answer)), Options{Now: awstest.Now, Filter: scan.filter}))
		w.check(t)
	}
}

func TestARequestThatMayChangeSomethingIsSeen(t *testing.T) {
	for _, request := range []struct{ method, path, header, value, body string }{
		{method: "PUT", path: "/bucket"},
		{method: "DELETE", path: "/bucket"},
		{method: "POST", path: "/detector"},
		{method: "POST", header: "X-Amz-Target", value: "com.amazonaws.cloudtrail.v20131101.StopLogging"},
		{method: "POST", header: "Content-Type", value: "application/x-www-form-urlencoded", body: "Action=DeleteFlowLogs&Version=1"},
		{method: "POST", path: "/service/GraniteServiceVersion20100801/operation/DeleteAlarms"},
	} {
		r := httptest.NewRequest(request.method, "http://aws.example"+request.path, nil)
		r.Header.Set(request.header, request.value)
		var w wire
		if w.see(r, []byte(request.body)); len(w.wrong) != 1 {
			t.Errorf("not seen: %v", request)
		}
	}
}
