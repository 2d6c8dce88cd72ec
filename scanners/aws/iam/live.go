// Package iam reads who may stop, shorten or delete what is recorded. It asks that one question of an account's policies,
// and is no audit of them.
package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const action = "iam:GetAccountAuthorizationDetails"

// Service reads all policies of an account, a thousand principals a call.
func Service() scope.Service {
	return scope.Service{
		Name:    "iam",
		Calls:   []scope.Call{{Service: iam.ServiceID, Op: "GetAccountAuthorizationDetails", Action: action, Per: "account", Fills: "Asset.Hands"}},
		Account: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	at := s.At(action, "")
	e := estate{policies: map[string]document{}, groups: map[string][]document{}, attached: map[string][]types.AttachedPolicy{}}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(iam.NewFromConfig(s.Config), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Tell(s.AccountID(), func(a *evidence.Asset) { a.Hands = scope.Unknown[[]string](err, at) })
			return
		}
		e.add(page)
	}
	hands, unread := e.hands()
	known := evidence.Known(hands, at.WithNote("policies of the organisation may deny it"))
	if unread != "" {
		known = evidence.Unknown[[]string](evidence.Unfamiliar, at.WithNote("the policy "+unread+" could not be read"))
	}
	s.Tell(s.AccountID(), func(a *evidence.Asset) { a.Hands = known })
}
