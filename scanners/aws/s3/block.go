package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const actionAccountBlock = "s3:GetAccountPublicAccessBlock"

// accountBlock returns the public access block of the account as a whole. It holds for each of its buckets, whatever these
// say themselves. It is asked once, and only where a bucket alone would be public.
func accountBlock(ctx context.Context, s *scope.Scope) evidence.Value[types.PublicAccessBlockConfiguration] {
	return scope.Memo(s, "public access block of the account", func() evidence.Value[types.PublicAccessBlockConfiguration] {
		client := s3control.NewFromConfig(s.Config, func(o *s3control.Options) {
			if o.BaseEndpoint != nil {
				o.EndpointResolverV2 = oneName{o.EndpointResolverV2}
			}
		})
		at := evidence.Origin{Call: actionAccountBlock, Of: s.Account}
		return ask(at, func() (block types.PublicAccessBlockConfiguration, err error) {
			out, err := client.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(s.Account)})
			if err == nil && out.PublicAccessBlockConfiguration != nil { // of the two that keep strangers out
				block.RestrictPublicBuckets = out.PublicAccessBlockConfiguration.RestrictPublicBuckets
				block.IgnorePublicAcls = out.PublicAccessBlockConfiguration.IgnorePublicAcls
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
