package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// ContainerImage checks that a responder can fetch exactly the image that ran.
var ContainerImage = &checks.Check{
	ID:       "acquirable-container-image",
	Title:    "The image that ran can be fetched again, bit for bit",
	Severity: checks.Low,
	OnDemand: true,
	Doc: `A tag moves. Weeks after an incident "shop:1.4" may name another image, and nobody can say whether the backdoor was in
the one that ran. A digest names it for good.

Cure: image: nginx:1.27@sha256:... A tool such as Renovate keeps digests current.

Shown with --verbose, or when a framework asks for it; it does not count in the score.
Other tools: Checkov asks the same of Kubernetes manifests (CKV_K8S_43).`,
	Judge: checks.Each(containerImage),
}

func containerImage(_ *checks.View, a evidence.Access) checks.Verdict {
	if a.Means != evidence.MeansImage {
		return checks.Unasked()
	}
	exact, known := a.Exact.Get()
	switch {
	case !known:
		return checks.NotKnown(a.Exact)
	case !exact:
		return checks.Failed(a.Exact, "%s is named by a tag, which can move", a.Name).
			Many("%d images are named by a tag, which can move; pin them by digest")
	}
	return checks.Passed(a.Exact, "%s is pinned by its digest", a.Name)
}
