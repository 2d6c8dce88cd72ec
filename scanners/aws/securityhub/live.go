// Package securityhub reads whether a region collects findings in Security Hub.
package securityhub

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const action = "securityhub:DescribeHub"

// Service reads the hub of each region: a second place that keeps what detectors find.
func Service() scope.Service {
	return scope.Service{
		Name:   "securityhub",
		Calls:  []scope.Call{{Service: securityhub.ServiceID, Op: "DescribeHub", Action: action, Per: "region", Fills: "LogSource.To, LogStore.Kept"}},
		Region: read,
	}
}

// StoreID is the ID of what a region's hub keeps.
func StoreID(s *scope.Scope) evidence.ID { return s.ID("securityhub/findings") }

func read(ctx context.Context, s *scope.Scope) {
	at := s.At(action, "")
	_, err := securityhub.NewFromConfig(s.Config).DescribeHub(ctx, &securityhub.DescribeHubInput{})
	s.Listed("security hub", err)
	if Enabled(s).IsUnknown() {
		s.Blind("findings of Security Hub", err, at, scope.Unseen{Store: true})
	}
	if err != nil {
		return
	}
	store := s.Store(StoreID(s), "findings of Security Hub", "Security Hub's store of findings in "+s.Region, at)
	// "Security Hub deletes findings that were not updated in the past 90 days": its user guide, "Quotas".
	store.Kept = evidence.Known(90, at.WithNote("AWS deletes findings that are not updated for 90 days"))
	s.Record(store)
}

// Enabled says, once all services were read, whether a region has a hub.
func Enabled(s *scope.Scope) evidence.Value[bool] {
	at := s.At(action, "")
	err := s.WasListed(s.Region, "security hub")
	// InvalidAccessException: "the account is not subscribed to AWS Security Hub".
	if scope.Is(err, "InvalidAccessException", "ResourceNotFoundException") {
		return evidence.Known(false, at)
	}
	return scope.Got(true, err, at)
}
