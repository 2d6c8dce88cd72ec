package scope

import (
	"testing"

	"lookback/evidence"
)

func TestWhatStandsForUnseenStoresSaysWhereAndWhy(t *testing.T) {
	account := NewScan().NewAccount(Scope{Account: "111122223333"})
	region := account.InRegion("eu-west-1")
	at := region.At("logs:DescribeDeliverySources", "").WithNote("no answer in time")
	source := region.Source("elb/web", evidence.Edge, "load balancer", "web", at)
	source.Enabled = evidence.Known(false, at)
	source.Complete = evidence.Unknown[bool](evidence.Failed, at)
	region.Record(source)
	const unseen = "aws:111122223333/eu-west-1//unseen/logs:DescribeDeliverySources"
	for _, r := range account.Take().Records {
		if store, ok := r.(*evidence.LogStore); ok && store.ID == unseen {
			if got := store.Kept.At(); got != (evidence.Origin{Call: "logs:DescribeDeliverySources", Of: "eu-west-1", Note: "no answer in time"}) {
				t.Errorf("got %+v", got)
			}
			return
		}
	}
	t.Error("nothing stands for them")
}
