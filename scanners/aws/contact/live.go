// Package contact reads whom AWS calls when it sees an account abused.
package contact

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const action = "account:GetAlternateContact"

// Service reads the security contact of an account.
func Service() scope.Service {
	return scope.Service{
		Name:    "contact",
		Calls:   []scope.Call{{Service: account.ServiceID, Op: "GetAlternateContact", Action: action, Per: "account", Fills: "Access.Allowed"}},
		Account: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	at := s.At(action, "security")
	_, err := account.NewFromConfig(s.Config).GetAlternateContact(ctx, &account.GetAlternateContactInput{AlternateContactType: types.AlternateContactTypeSecurity})
	known := scope.Got(true, err, at)
	if scope.Is(err, "ResourceNotFoundException") { // who the contact is stays out of the evidence
		known = evidence.Known(false, at)
	}
	s.Record(&evidence.Access{
		Subject: evidence.Subject{ID: s.ID("contact/security"), Kind: "security contact", Name: s.Account, At: at},
		Of:      s.AccountID(), Means: evidence.MeansContact, Allowed: known,
	})
}
