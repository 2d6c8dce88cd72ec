package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const actionAccountBlock = "s3:GetAccountPublicAccessBlock"

// accountBlock returns the public access block of the account as a whole. It holds for each of its buckets, whatever these
// say themselves. It is asked once, and only where a bucket alone would be public.
func accountBlock(ctx context.Context, s *scope.Scope) evidence.Value[control.PublicAccessBlockConfiguration] {
	return scope.Memo(s, "public access block of the account", func() evidence.Value[control.PublicAccessBlockConfiguration] {
		client := s3control.NewFromConfig(s.Config, func(o *s3control.Options) {
			if o.BaseEndpoint != nil {
				o.EndpointResolverV2 = oneName{o.EndpointResolverV2}
			}
		})
		at := evidence.Origin{Call: actionAccountBlock, Of: s.Account}
		return ask(at, func() (block control.PublicAccessBlockConfiguration, err error) {
			out, err := client.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(s.Account)})
			if err == nil && out.PublicAccessBlockConfiguration != nil {
				block = *out.PublicAccessBlockConfiguration
			}
			return block, err
		}, "NoSuchPublicAccessBlockConfiguration")
	})
}

// oneName asks a server that stands in for AWS under its own name: it has none for each account.
type oneName struct{ s3control.EndpointResolverV2 }

func (o oneName) ResolveEndpoint(ctx context.Context, p s3control.EndpointParameters) (smithyendpoints.Endpoint, error) {
	p.RequiresAccountId = aws.Bool(false)
	return o.EndpointResolverV2.ResolveEndpoint(ctx, p)
}
