package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// whole scans an estate with all readers.
func whole(t *testing.T, answer func(awstest.Call) (any, error), f Filter) *evidence.Set {
	t.Helper()
	return run(t, newScan(awstest.Config(answer), Options{Now: awstest.Now, Filter: f}))
}

// run returns all that a scan hands on.
func run(t *testing.T, s *Scan) *evidence.Set {
	t.Helper()
	set := &evidence.Set{Started: s.options.Now, Ended: s.options.Now}
	if err := s.Run(t.Context(), func(part *evidence.Set) error {
		set.Records = append(set.Records, part.Records...)
		set.Gaps = append(set.Gaps, part.Gaps...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	set.Sort()
	return set
}

// notes keep which calls were made, by operation, and each question as it was put.
type notes struct {
	mu        sync.Mutex
	ops       map[string]int
	answered  map[string]int
	questions map[string]int
}

func (n *notes) note(answer func(awstest.Call) (any, error)) func(awstest.Call) (any, error) {
	n.ops, n.answered, n.questions = map[string]int{}, map[string]int{}, map[string]int{}
	return func(c awstest.Call) (any, error) {
		out, err := answer(c)
		input, failed := json.Marshal(c.Input)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ops[c.Op]++
		if out != nil || err != nil {
			n.answered[c.Op]++
		}
		n.questions[fmt.Sprintf("%s of %s in %s: %s %v", c.Op, c.Account, c.Region, input, failed)]++
		return out, err
	}
}

// organised is an organisation of which each account has an estate.
func organised(e estate) func(awstest.Call) (any, error) {
	world := world(nil)
	return func(c awstest.Call) (any, error) {
		switch c.Op[:strings.Index(c.Op, ".")] {
		case "STS", "Organizations":
			return world(c)
		}
		return e.answer(c)
	}
}

// every are scans that together make every call.
var every = map[string]struct {
	answer func(awstest.Call) (any, error)
	filter Filter
}{
	"an account":             {estate{}.answer, Filter{}},
	"a weak account":         {estate{weak: true}.answer, Filter{}},
	"units of accounts":      {organised(estate{}), Filter{Organization: true, Units: []string{"ou-top"}}},
	"accounts with a tag":    {organised(estate{}), Filter{Organization: true, Tags: []string{"env"}}},
	"an organisation":        {organised(estate{}), Filter{Organization: true}},
	"an account and no more": {world(nil), Filter{}},
}

func TestEveryCallThatIsDeclaredIsMade(t *testing.T) {
	ops, answered, actions := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, scan := range every {
		var n notes
		whole(t, n.note(scan.answer), scan.filter)
		maps.Copy(ops, n.ops)
		maps.Copy(answered, n.answered)
	}
	for _, c := range Calls() {
		op := c.Service + "." + c.Op
		if ops[op] == 0 {
			t.Errorf("%s is declared, and the estate does not make a scan call it", op)
		}
		if answered[op] == 0 {
			t.Errorf("%s is called, and the estate has nothing to say", op)
		}
		for _, a := range append([]string{c.Action}, c.With...) {
			actions[a] = true
		}
	}
	for _, a := range Actions(true) {
		if !actions[a] {
			t.Errorf("%s is in the policy, and no call needs it", a)
		}
	}
}

func TestThePolicyIsAllThatAScanNeeds(t *testing.T) {
	needs := map[string][]string{}
	for _, c := range Calls() {
		needs[c.Service+"."+c.Op] = append([]string{c.Action}, c.With...)
	}
	for name, scan := range every {
		allowed := append(Actions(scan.filter.Organization), "sts:GetCallerIdentity")
		set := whole(t, func(c awstest.Call) (any, error) {
			for _, a := range needs[c.Op] {
				if !slices.Contains(allowed, a) {
					return nil, awstest.Denied()
				}
			}
			return scan.answer(c)
		}, scan.filter)
		for _, g := range set.Gaps {
			if g.Why != evidence.Elsewhere || g.At.Call != "organizations:ListAccounts" { // the account that is suspended
				t.Errorf("%s: gap: %s: %s %s %s", name, g.Asked, g.Why, g.Err, g.At.Call)
			}
		}
		if strings.Contains(written(t, set), `"denied"`) {
			t.Errorf("%s: a fact is unknown because a call was denied", name)
		}
	}
}

func TestNothingIsAskedTwice(t *testing.T) {
	// Buckets are read when all accounts are, and those that they are copied to after that. What was kept of a key, or of an
	// account, is let go each time: an organisation has too many.
	again := map[string]int{"KMS.DescribeKey": 3, "S3 Control.GetPublicAccessBlock": 2}
	for name, scan := range every {
		var n notes
		whole(t, n.note(scan.answer), scan.filter)
		for question, times := range n.questions {
			if op, _, _ := strings.Cut(question, " of "); times > max(again[op], 1) {
				t.Errorf("%s: asked %d times: %s", name, times, question)
			}
		}
	}
}

func TestTheTrailOfADelegatedAdministratorCoversTheOrganisation(t *testing.T) {
	set := whole(t, world(func(c awstest.Call) (any, error) {
		if c.Account != shop { // that a member does not see it changes nothing
			return nil, nil
		}
		switch c.Input.(type) {
		case *cloudtrail.DescribeTrailsInput:
			return &cloudtrail.DescribeTrailsOutput{TrailList: []trailtypes.Trail{{
				Name: str("all"), TrailARN: str("arn:aws:cloudtrail:eu-west-1:" + shop + ":trail/all"), HomeRegion: str("eu-west-1"), S3BucketName: str("logs"),
				IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true), HasCustomEventSelectors: aws.Bool(false),
			}}}, nil
		case *cloudtrail.GetTrailStatusInput:
			return &cloudtrail.GetTrailStatusOutput{IsLogging: aws.Bool(true), StartLoggingTime: long, LatestDeliveryTime: hour}, nil
		}
		return nil, nil
	}), Filter{Organization: true})
	lines := awstest.Judge(set)
	for _, account := range []string{management, shop, bank} {
		want := fmt.Sprintf(`pass recorded-cloud-api %s: organisation trail "all" records calls in us-east-1`, scope.RegionID(account, "us-east-1"))
		if !slices.Contains(lines, want) {
			t.Errorf("want %s", want)
		}
	}
}

func written(t *testing.T, set *evidence.Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := evidence.Write(&b, set); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheOrderOfAnswersDoesNotMatterToAnEstate(t *testing.T) {
	for name, e := range map[string]estate{"healthy": {}, "weak": {weak: true}} {
		t.Run(name, func(t *testing.T) {
			first := written(t, whole(t, e.answer, Filter{}))
			for range 8 {
				slow := func(c awstest.Call) (any, error) {
					time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
					return e.answer(c)
				}
				if got := written(t, whole(t, slow, Filter{})); got != first {
					t.Fatalf("two scans of the same account differ:\n%s", difference(first, got))
				}
			}
		})
	}
}

// difference shows the lines in which two texts differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range x {
		if !slices.Contains(y, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range y {
		if !slices.Contains(x, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}
