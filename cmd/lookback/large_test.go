package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/html"
	"lookback/report/json"
	"lookback/spool"
)

// An estate is a made-up organisation: every account has regions with log groups, a network whose flow log goes to a
// log group, alarms, and a log of a load balancer that goes to the central bucket. A trail of the first account covers all
// regions of all accounts and delivers to that bucket. The buckets of an account write access logs to one that nobody else
// writes to.
type estate struct {
	accounts, regions, groups, buckets int
}

func (o estate) account(n int) string { return fmt.Sprintf("1%011d", n) }

const central = evidence.ID("aws://s3/central/AWSLogs")

func (o estate) management() string { return o.account(0) }

func seen(call, of string) evidence.Origin { return evidence.Origin{Call: call, Of: of} }

func whole(at evidence.Origin) evidence.Value[evidence.Extent] {
	return evidence.Known(evidence.Extent{Grade: evidence.All}, at)
}

func delivery(to evidence.ID, at evidence.Origin) evidence.Delivery {
	return evidence.Delivery{To: to, Extent: whole(at), Lossless: evidence.Moot[bool](at), Buffer: evidence.Moot[int64](at)}
}

func store(id evidence.ID, kind, name, account string, days int, at evidence.Origin) *evidence.LogStore {
	return &evidence.LogStore{
		Subject: evidence.Subject{ID: id, Kind: kind, Name: name, At: at},
		On:      evidence.Known([]evidence.ID{evidence.ID("aws:" + account + "//account")}, at), Memory: evidence.Known(false, at),
		Kept: evidence.Known(days, at), Bytes: evidence.Moot[int64](at), ColdAfter: evidence.Moot[int](at), Restore: evidence.Moot[int64](at),
		Lingers: evidence.Moot[int64](at), Locked: evidence.Known(0, at), Encrypted: evidence.Known(false, at), Complete: evidence.Known(true, at),
	}
}

// part is what one account gives, or, for -1, what belongs to none.
func (o estate) part(n int) *evidence.Set {
	set := &evidence.Set{}
	if n < 0 {
		set.Record(store(central, "bucket", "central", o.management(), 400, seen("s3:GetLifecycleConfiguration", "central")))
		return set
	}
	account := o.account(n)
	id := evidence.ID("aws:" + account + "//account")
	organization := evidence.ID("aws:" + o.management() + "//organization")
	at := seen("sts:GetCallerIdentity", "")
	set.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: id, Kind: "account", Name: account, At: at}, In: evidence.Known(organization, at), Lasting: true,
		Alarmed: evidence.Known(true, at), Hands: evidence.Known([]string{"role admin"}, at),
	})
	set.Record(&evidence.Alarm{
		Subject: evidence.Subject{ID: id + "/alarm", Kind: "alarm", Name: "trail-stopped", At: at}, On: []evidence.ID{id},
		Enabled: evidence.Known(n%3 > 0, at), Reaches: evidence.Known(true, at),
	})
	if n == 0 {
		set.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: organization, Kind: "organisation", Name: "acme", At: at}, In: evidence.Moot[evidence.ID](at), Lasting: true,
		})
		var regions []evidence.ID
		for i := range o.accounts {
			for r := range o.regions {
				regions = append(regions, evidence.ID(fmt.Sprintf("aws:%s/region-%02d//region", o.account(i), r)))
			}
		}
		set.Record(&evidence.LogSource{
			Subject:  evidence.Subject{ID: evidence.ID("aws:" + account + "/region-00//cloudtrail/main#cloud-api"), Kind: "trail", Name: "main", At: at},
			Activity: evidence.CloudAPI, Records: "calls", Covers: regions, Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at),
			Parts: map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartReads: whole(at), evidence.PartWrites: whole(at)},
			To:    []evidence.Delivery{delivery(central, at)}, Complete: evidence.Known(true, at),
		})
	}
	logs := evidence.ID("aws://s3/logs-" + account + "/access")
	if o.buckets > 0 {
		private := store(logs, "bucket", string(logs), account, 90, seen("s3:GetLifecycleConfiguration", string(logs)))
		private.As = "aws://s3/logs-" + evidence.ID(account)
		set.Record(private)
	}
	for i := range o.buckets {
		name := fmt.Sprintf("data-%03d-%s", i, account)
		if i == 0 {
			name = "logs-" + account
		}
		at := seen("s3:ListAllMyBuckets", name)
		bucket := evidence.ID("aws:" + account + "/region-00//s3/" + name)
		set.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: bucket, Kind: "bucket", Name: name, At: at}, Lasting: true, Also: []evidence.ID{evidence.ID("aws://s3/" + name)},
			In:     evidence.Known(evidence.ID("aws:"+account+"/region-00//region"), at),
			Looked: map[evidence.Activity]evidence.Value[bool]{evidence.CloudData: evidence.Known(true, at)},
		})
		set.Record(&evidence.LogSource{
			Subject:  evidence.Subject{ID: bucket + "/access#cloud-data", Kind: "server access log", Name: name, At: at},
			Activity: evidence.CloudData, Records: "requests", Covers: []evidence.ID{bucket}, Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at),
			Parts: map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartDataReads: whole(at), evidence.PartDataWrites: whole(at)},
			To:    []evidence.Delivery{delivery(logs, at)}, Complete: evidence.Known(true, at),
		})
	}
	for r := range o.regions {
		name := fmt.Sprintf("region-%02d", r)
		target := "aws:" + account + "/" + name + "//"
		region := evidence.ID(target + "region")
		at := seen("ec2:DescribeRegions", name)
		set.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: region, Kind: "region", Name: name, At: at}, In: evidence.Known(id, at), Lasting: true,
			Looked: map[evidence.Activity]evidence.Value[bool]{evidence.CloudAPI: evidence.Known(true, at), evidence.Configuration: evidence.Known(true, at)},
		})
		for g := range o.groups {
			group := fmt.Sprintf("/aws/lambda/function-%04d", g)
			set.Record(store(evidence.ID(target+"logs/"+group), "log group", group, account, []int{evidence.Forever, 30, 400}[g%3], seen("logs:DescribeLogGroups", name+"/"+group)))
		}
		for i, to := range []evidence.ID{evidence.ID(target + "logs//aws/lambda/function-0001"), central} {
			if i == 1 && r > 0 {
				break
			}
			vpc := evidence.ID(fmt.Sprintf("%svpc/vpc-%d", target, i))
			at := seen("ec2:DescribeFlowLogs", fmt.Sprintf("%s/vpc-%d", name, i))
			set.Record(&evidence.Asset{
				Subject: evidence.Subject{ID: vpc, Kind: "network", Name: fmt.Sprintf("vpc-%d", i), At: at}, In: evidence.Known(region, at), Lasting: true,
				Looked: map[evidence.Activity]evidence.Value[bool]{evidence.NetworkFlow: evidence.Known(true, at)},
			})
			set.Record(&evidence.LogSource{
				Subject:  evidence.Subject{ID: vpc + "/flow#network-flow", Kind: "flow log", Name: fmt.Sprintf("fl-%d", i), At: at},
				Activity: evidence.NetworkFlow, Records: "flows", Covers: []evidence.ID{vpc}, Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at),
				Parts: map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartAccepted: whole(at), evidence.PartRejected: whole(at)},
				To:    []evidence.Delivery{delivery(to, at)}, Complete: evidence.Known(true, at),
			})
		}
	}
	if n%7 == 0 {
		set.Gap(evidence.Gap{In: id, Asked: "buckets", Why: evidence.Denied, At: seen("s3:ListAllMyBuckets", "")})
	}
	set.Sort()
	return set
}

func (o estate) head() *evidence.Set {
	return &evidence.Set{
		Tool: "lookback dev", Started: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Ended: time.Date(2026, 6, 1, 14, 0, 0, 0, time.UTC),
		Targets: []string{"aws"},
	}
}

// write writes the estate as saved evidence. All accounts but the first hold the same, so that their lines need not be
// made one by one.
func (o estate) write(t testing.TB, w io.Writer) {
	t.Helper()
	text := func(set *evidence.Set) (buckets, records, gaps []byte) {
		var buf bytes.Buffer
		if err := evidence.Write(&buf, set); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(buf.Bytes()) {
			switch {
			case bytes.HasPrefix(line, []byte(`{"gap":`)):
				gaps = append(gaps, line...)
			case bytes.HasPrefix(line, []byte(`{"log_store":{"id":"aws://`)):
				buckets = append(buckets, line...)
			case !bytes.HasPrefix(line, []byte(`{"header":`)) && !bytes.HasPrefix(line, []byte(`{"end":`)):
				records = append(records, line...)
			}
		}
		return buckets, records, gaps
	}
	put := func(text []byte) {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	var frame bytes.Buffer
	if err := evidence.Write(&frame, o.head()); err != nil {
		t.Fatal(err)
	}
	header, end, _ := bytes.Cut(frame.Bytes(), []byte("\n"))
	put(append(header, '\n'))
	buckets, _, _ := text(o.part(-1))
	put(buckets)
	var like [7][3][]byte
	for i := range like {
		like[i][0], like[i][1], like[i][2] = text(o.part(21 + i))
	}
	alike := func(n, of int) []byte {
		return bytes.ReplaceAll(like[n%7][of], []byte(o.account(21+n%7)), []byte(o.account(n)))
	}
	for n := range o.accounts {
		put(alike(n, 0))
	}
	_, records, gaps := text(o.part(0))
	put(records)
	for n := 1; n < o.accounts; n++ {
		put(alike(n, 1))
		gaps = append(gaps, alike(n, 2)...)
	}
	put(gaps)
	put(end)
}

// file writes the estate to a file.
func (o estate) file(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	o.write(t, w)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func quietEnv() *env {
	return &env{stdout: io.Discard, stderr: io.Discard, now: time.Now, getenv: func(string) string { return "50" }} // nothing sets GOGC
}

// judged judges what was learned, and returns results.json and the report.
func judged(t testing.TB, l *learned, waivers ...evidence.Waiver) ([]byte, *report.Report) {
	t.Helper()
	outputs := []output{{path: filepath.Join(t.TempDir(), "results.json"), name: "json", render: json.Render}}
	r, done, err := l.judge(quietEnv(), report.Options{Checks: all.All(), Policy: checks.DefaultPolicy(), Waivers: waivers}, outputs)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var out bytes.Buffer
	if err := outputs[0].render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), r
}

func openLarge(t testing.TB, path string) *learned {
	t.Helper()
	file, err := spool.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &learned{file: file}
	t.Cleanup(l.close)
	return l
}

func TestLargeEvidenceOfANewerVersionNamesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	if err := os.WriteFile(path, []byte(`{"header":{"schema":"lookback-evidence/1","tool":"lookback 99.0","started":"2026-11-21T09:00:00Z","targets":["aws"]}}
{"asset":{"id":"aws:1//account","kind":"account","name":"1","at":{},"colour":"green"}}
{"end":{"ended":"2026-11-21T09:00:00Z"}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := openLarge(t, path).judge(quietEnv(), report.Options{Checks: all.All(), Policy: checks.DefaultPolicy()}, nil)
	if err == nil || !strings.Contains(err.Error(), `unknown field "colour"; "lookback 99.0" wrote it`) {
		t.Errorf("got %v", err)
	}
}

// results are the lists of results.json, of which only that of gaps has another order in a large scan.
func resultsOf(out []byte) (results string, rest []string) {
	before, list, _ := strings.Cut(string(out), `"results": [`)
	results, after, _ := strings.Cut(list, "\n]")
	for line := range strings.Lines(before + after) {
		rest = append(rest, strings.TrimRight(line, ",\n"))
	}
	slices.Sort(rest)
	return results, rest
}

// inOrder puts the lines of a list in order.
func inOrder(list string) string {
	var lines []string
	for line := range strings.Lines(list) {
		lines = append(lines, strings.TrimRight(line, ",\n"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestAnOrganisationIsJudgedAccountByAccount judges an organisation at once and from its file: a trail of the organisation
// covers the regions of all accounts, a central bucket takes the records of all, every account has an alarm.
func TestAnOrganisationIsJudgedAccountByAccount(t *testing.T) {
	for name, o := range map[string]estate{
		"no buckets": {accounts: 9, regions: 3, groups: 4}, "buckets": {accounts: 9, regions: 3, groups: 4, buckets: 3},
	} {
		t.Run(name, func(t *testing.T) { accountByAccount(t, o) })
	}
}

func accountByAccount(t *testing.T, o estate) {
	t.Helper()
	path := o.file(t)
	set, err := readEvidence(path)
	if err != nil {
		t.Fatal(err)
	}
	waivers := []evidence.Waiver{
		{Check: "sealed-*", Subject: "aws:" + o.account(3), Reason: "a sandbox"}, {Check: "*", Subject: "aws:" + o.account(99), Reason: "gone"},
	}
	wantJSON, want := judged(t, &learned{Set: set}, waivers...)
	large := openLarge(t, path)
	gotJSON, got := judged(t, large, waivers...)
	if got.Score != want.Score || got.Evidence != want.Evidence || len(got.Idle) != 1 {
		t.Errorf("got %+v %s %v, want %+v %s %v", got.Score, got.Evidence, got.Idle, want.Score, want.Evidence, want.Idle)
	}
	gotResults, gotRest := resultsOf(gotJSON)
	wantResults, wantRest := resultsOf(wantJSON)
	if o.buckets > 0 { // a bucket that one account alone writes to is judged with that account
		gotResults, wantResults = inOrder(gotResults), inOrder(wantResults)
	}
	if gotResults != wantResults {
		t.Error("the results are not those of all at once")
	}
	if !slices.Equal(gotRest, wantRest) {
		t.Errorf("the rest is not that of all at once: %q, want %q", gotRest, wantRest)
	}
	var text, wanted bytes.Buffer
	if err := errors.Join(html.Render(&text, got), html.Render(&wanted, want)); err != nil || text.String() != wanted.String() {
		t.Errorf("the page differs, %v", err)
	}

	// The control: each account judged without the others says something else, of the trail and of the bucket.
	said := map[string]string{}
	for _, res := range want.Results {
		said[report.Key(res.Check.ID, res.Subject.ID)] = res.Outcome.String()
	}
	differ := map[string]int{}
	for n := range large.file.Units() {
		records, err := large.file.Unit(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, res := range checks.Run(&evidence.Set{Records: records, Ended: set.Ended}, all.All(), checks.DefaultPolicy(), nil).All {
			if said[report.Key(res.Check.ID, res.Subject.ID)] != res.Outcome.String() {
				differ[res.Check.ID]++
			}
		}
	}
	if differ["recorded-cloud-api"] == 0 || differ["sealed-locked"] == 0 {
		t.Errorf("without what the accounts share too little changes: %v", differ)
	}
}

// TestAccountsAreSpooled adds the accounts in an order of their own.
func TestAccountsAreSpooled(t *testing.T) {
	o := estate{accounts: 6, regions: 2, groups: 3}
	l := &learned{Set: o.head(), spool: spool.New(t.TempDir())}
	defer l.close()
	for _, n := range []int{4, 0, 5, -1, 2, 1, 3} {
		if err := l.spool.Add(o.part(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.join(); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := l.save(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(o.file(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the accounts are not what all at once is")
	}
}

// TestAnInterruptedScanIsPartial interrupts a scan of AWS in its middle: what was learned until then is judged, saved and
// named partial, and the saved evidence gives the same report.
func TestAnInterruptedScanIsPartial(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && bytes.Contains(body, []byte("Action=GetCallerIdentity")) {
			_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ann</Arn>`+
				`<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
			return
		}
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	scan := func(ctx context.Context, args ...string) string {
		var out, told bytes.Buffer
		e := env{stdout: &out, stderr: &told, now: func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }, getenv: func(string) string { return "" }}
		if code := run(ctx, e, append([]string{"scan"}, args...)); code != exitBad || told.Len() > 0 {
			t.Errorf("exit %d: %s", code, told.String())
		}
		return out.String()
	}
	saved := filepath.Join(dir, "evidence.jsonl")
	first := scan(ctx, "aws", "--save", saved)
	if !strings.Contains(first, "partial: the scan was cut short") || !strings.Contains(first, "the scan was interrupted") {
		t.Errorf("the report does not say that it is partial:\n%s", first)
	}
	set, err := readEvidence(saved)
	if err != nil || !set.Partial || len(set.Records) == 0 {
		t.Errorf("the evidence holds %d records, partial %t: %v", len(set.Records), set.Partial, err)
	}
	if again := scan(t.Context(), saved); again != first {
		t.Errorf("judged again it reads\n%s\nnot\n%s", again, first)
	}
}

// A weighed source weighs the memory in use before its last unit is read the last time.
type weighed struct {
	*spool.File
	live uint64
}

func (w *weighed) Unit(n int) ([]evidence.Record, error) {
	if n == w.Units()-1 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.live = m.HeapAlloc
	}
	return w.File.Unit(n)
}

// TestMemoryDoesNotGrowWithTheAccounts weighs what is in use at the end of judging organisations that differ in nothing but how
// many accounts they have. What an account may take is little beside what is in it: 60 kB of evidence here, 16 MB in a large one.
func TestMemoryDoesNotGrowWithTheAccounts(t *testing.T) {
	weigh := func(accounts int) int {
		o := estate{accounts: accounts, regions: 3, groups: 4, buckets: 15}
		w := &weighed{File: openLarge(t, o.file(t)).file}
		r, err := report.NewLarge(w, report.Options{Checks: all.All(), Policy: checks.DefaultPolicy()}, nil)
		if err != nil || r.Score.Pass < 20*accounts {
			t.Errorf("%d passes, %v", r.Score.Pass, err)
		}
		return int(w.live)
	}
	few, many := weigh(200), weigh(400) // of 50, not every class of results has all of its examples yet
	each := (many - few) / 200
	if t.Logf("%d kB for 200 accounts, %d kB for 400: %d bytes for each more", few>>10, many>>10, each); each > 20<<10 {
		t.Errorf("each account takes %d bytes", each)
	}
}

var size = flag.String("estate", "20 17 100 0", "accounts, regions in each, log groups in each of these, and buckets of each account, of BenchmarkEstate")

// BenchmarkEstate judges a made-up organisation from its file and writes results.json.
func BenchmarkEstate(b *testing.B) {
	var o estate
	if _, err := fmt.Sscan(*size, &o.accounts, &o.regions, &o.groups, &o.buckets); err != nil {
		b.Fatal(err)
	}
	path := o.file(b)
	for b.Loop() {
		l := openLarge(b, path)
		outputs := []output{{path: filepath.Join(b.TempDir(), "results.json"), name: "json"}}
		r, done, err := l.judge(quietEnv(), report.Options{Checks: all.All(), Policy: checks.DefaultPolicy()}, outputs)
		if err != nil {
			b.Fatal(err)
		}
		if err := writeFile(outputs[0].path, func(w io.Writer) error { return outputs[0].render(w, r) }); err != nil {
			b.Fatal(err)
		}
		done()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*o.accounts*o.regions*o.groups), "ns/log-group")
}
