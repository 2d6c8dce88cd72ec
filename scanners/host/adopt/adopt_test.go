package adopt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/adopt"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

func TestEveryIDOfARecordIsRenamed(t *testing.T) {
	at := evidence.Origin{File: "x.yaml", Line: 1}
	subject := evidence.Subject{ID: "old://a", At: at}
	shared := []evidence.Delivery{{To: "old://store"}, {To: "syslog:logs.example.net//"}}
	set := hosttest.Scan(t, nil, func(_ context.Context, s *scope.Scope) {
		sink := adopt.Sink{
			Scope: s,
			Name: func(id evidence.ID) evidence.ID {
				if id.Target() == "old:" {
					return s.ID(id.Thing())
				}
				return id
			},
			Keep: func(r evidence.Record) bool { return r.Self().Kind != "dropped" },
			Of:   []evidence.Activity{evidence.KubernetesAPI},
		}
		sink.Record(&evidence.Asset{Subject: subject, In: evidence.Known[evidence.ID]("old://host", at)})
		sink.Record(&evidence.LogSource{Subject: subject, Covers: []evidence.ID{"old://a"}, To: shared})
		sink.Record(&evidence.LogStore{Subject: subject, On: evidence.Known([]evidence.ID{"old://a"}, at), To: shared})
		sink.Record(&evidence.Access{Subject: subject, Of: "old://a"})
		sink.Record(&evidence.Asset{Subject: evidence.Subject{ID: "old://b", Kind: "dropped"}})
		sink.Gap(evidence.Gap{Asked: "the file x.yaml", Err: "line 1: bad", At: at})
		sink.Waiver(evidence.Waiver{Check: "*", Subject: "*"})
	})
	for _, r := range set.Records {
		if strings.Contains(fmt.Sprintf("%+v", r), "old:") {
			t.Errorf("an ID kept its name: %+v", r)
		}
	}
	if len(set.Records) != 5 || len(set.Gaps) != 1 || len(set.Waivers) != 0 {
		t.Errorf("got %d records, %d gaps, %d waivers", len(set.Records), len(set.Gaps), len(set.Waivers))
	}
	if shared[0].To != "old://store" {
		t.Error("a list that others share was changed")
	}
}
