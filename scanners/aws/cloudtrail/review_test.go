package cloudtrail

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

func TestAQuietTrailWhoseSelectorsAreDeniedDoesNotFail(t *testing.T) {
	quiet := running()
	quiet.LatestDeliveryTime = ago(90 * 24 * time.Hour) // it may take data events alone
	e := &estate{
		trails: []types.Trail{trailOf("main", custom)},
		status: map[string]*cloudtrail.GetTrailStatusOutput{"main": quiet},
		fails:  map[string]error{"GetEventSelectors": awstest.Denied()},
	}
	begins(t, "verdict", verdict(e.scan(t), "arriving-recently", mainAPI), "not-assessed arriving-recently "+mainAPI+": we may not call cloudtrail:GetEventSelectors")
}

func TestATrailThatNamesNoPlaceMayDeliverSomewhere(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) { t.S3BucketName = nil })}}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "complete", say(api.Complete), "failed: the answer does not say where it delivers")
	begins(t, "verdict", verdict(set, recorded, regionID), "pass ")
}

func TestAKeyThatIsNoARNIsThatOfTheTrailsHome(t *testing.T) {
	var got []scope.Place
	e := &estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) {
		t.HomeRegion, t.KmsKeyId = aws.String("eu-north-1"), aws.String("alias/trail")
		t.TrailARN = aws.String("arn:aws:cloudtrail:eu-north-1:111122223333:trail/main")
	})}}
	got = places(t, e)
	if len(got) != 1 || got[0].KeyRegion != "eu-north-1" || got[0].KeyAccount != awstest.Account {
		t.Errorf("got %+v", got)
	}
}

func TestTheBucketOfAnOrganisationsTrailIsOutOfReachOfIt(t *testing.T) {
	// The one account that is scanned owns the bucket; the trail is another's.
	set := (&estate{trails: []types.Trail{trailOf("main", ofOrganization)}}).scan(t)
	at := evidence.Origin{Call: "s3:ListAllMyBuckets"}
	set.Record(&evidence.LogStore{
		Subject: evidence.Subject{ID: "aws://s3/logs/AWSLogs", Kind: "bucket", Name: "s3://logs/AWSLogs", At: at},
		On:      evidence.Known([]evidence.ID{"aws:111122223333//account"}, at), Memory: evidence.Known(false, at),
		Kept: evidence.Known(evidence.Forever, at), Locked: evidence.Known(0, at), Complete: evidence.Known(true, at),
	})
	set.Sort()
	begins(t, "verdict", verdict(set, "sealed-out-of-reach", "aws://s3/logs/AWSLogs"), "pass ")
	begins(t, "recorded", verdict(set, recorded, regionID), "pass ")
}

func TestWhatAMemberMaySeeGoesBeforeWhatAnotherMayNot(t *testing.T) {
	trail := trailOf("main", ofOrganization, custom)
	for _, blind := range []string{"111111111111", "999999999999"} {
		scan := scope.NewScan()
		for _, account := range []string{blind, "444455556666"} {
			e := &estate{trails: []types.Trail{trail}, selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": basic(types.EventSelector{})}}
			if account == blind {
				e.fails = map[string]error{"GetEventSelectors": awstest.Error("TrailNotFoundException")}
			}
			cfg := awstest.Config(func(c awstest.Call) (any, error) { return e.answer(c.Region, c.Input) })
			one := scan.NewAccount(scope.Scope{Partition: "aws", Account: account, Region: "us-east-1", Now: awstest.Now, Config: cfg})
			Service().Region(t.Context(), one.InRegion(awstest.Region))
		}
		for _, r := range scan.Shared() {
			if l, ok := r.(*evidence.LogSource); ok && l.Activity == evidence.CloudAPI {
				equal(t, "reads, beside "+blind, say(l.Parts[evidence.PartReads]), "all")
			}
		}
	}
}

func TestAnEventDataStoreThatWasOnlyMadeMayNotCollect(t *testing.T) {
	equal(t, "created", say(collecting(types.EventDataStoreStatusCreated, evidence.Origin{})), "unfamiliar: its status is CREATED")
}

// places are those of the buckets that are to be read.
func places(t *testing.T, e *estate) (out []scope.Place) {
	t.Helper()
	owner := scope.Service{Name: "owner", Account: func(_ context.Context, s *scope.Scope) { s.OwnBuckets(map[string]string{"logs": awstest.Region}) }}
	awstest.Scan(t, e.answer, func(_ context.Context, b scope.Bucket) { out = append(out, b.Places...) }, Service(), owner)
	return out
}
