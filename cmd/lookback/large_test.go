package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"lookback/evidence"
)

// An estate is a made-up organisation: every account has regions with log groups, a network whose flow log goes to a
// log group, alarms, and a log of a load balancer that goes to the central bucket. A trail of the first account covers all
// regions of all accounts and delivers to that bucket.
type estate struct {
	accounts, regions, groups int
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
	text := func(set *evidence.Set) (records, gaps []byte) {
		var buf bytes.Buffer
		if err := evidence.Write(&buf, set); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(buf.Bytes()) {
			switch {
			case bytes.HasPrefix(line, []byte(`{"gap":`)):
				gaps = append(gaps, line...)
			case !bytes.HasPrefix(line, []byte(`{"header":`)) && !bytes.HasPrefix(line, []byte(`{"end":`)):
				records = append(records, line...)
			}
		}
		return records, gaps
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
	records, _ := text(o.part(-1))
	put(records)
	records, gaps := text(o.part(0))
	put(records)
	var like [7][2][]byte
	for i := range like {
		like[i][0], like[i][1] = text(o.part(21 + i))
	}
	for n := 1; n < o.accounts; n++ {
		one := like[n%7]
		was := []byte(o.account(21 + n%7))
		put(bytes.ReplaceAll(one[0], was, []byte(o.account(n))))
		gaps = append(gaps, bytes.ReplaceAll(one[1], was, []byte(o.account(n)))...)
	}
	put(gaps)
	put(end)
}

func TestMakeEstate(t *testing.T) {
	path := os.Getenv("ESTATE")
	if path == "" {
		t.Skip()
	}
	var o estate
	fmt.Sscan(os.Getenv("SIZE"), &o.accounts, &o.regions, &o.groups)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	o.write(t, w)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkLarge(b *testing.B) {
	path := os.Getenv("ESTATE")
	if path == "" {
		b.Skip()
	}
	for b.Loop() {
		e := &env{stdin: nil, stdout: io.Discard, stderr: io.Discard, now: time.Now, getenv: func(string) string { return "" }}
		if err := scan(b.Context(), e, scanFlags{failOn: "never", quiet: true, outputs: []string{os.Getenv("OUT")}}, []string{path}); err != nil {
			b.Fatal(err)
		}
	}
}
