package arriving

import (
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// NotHidden checks that no mount diverts what a container prints.
var NotHidden = &checks.Check{
	ID:       "arriving-not-hidden",
	Title:    "No mount stands between the log and its reader",
	Severity: checks.Medium,
	Doc: `Some images send their log files to standard output by links that were made when the image was built: nginx in
/var/log/nginx, the apache images of PHP in /var/log/apache2. A bind mount, a tmpfs or a Kubernetes volume over such a
folder hides the links: the output lands in the mount, and the log driver or collector that waits for it gets nothing. A
Docker volume is filled from the image, links included: output goes on to the driver, and the volume that looks like a
log archive holds nothing at all.

Cure: take the mount away and let the driver carry the output; or keep the bind mount on purpose, and collect its files.`,
	Judge: checks.Each(notHidden),
}

func notHidden(v *checks.View, s evidence.LogSource) checks.Verdict {
	hidden, known := s.Hidden.Get()
	switch {
	case !known:
		return checks.NotKnown(s.Hidden)
	case hidden == evidence.HiddenNothing:
		return checks.Failed(s.Hidden, "%s keeps nothing: it was filled with links to standard output", s.Name)
	case hidden == evidence.HiddenNot:
		return checks.Passed(s.Hidden, "nothing stands in the way of %s", s.Name)
	}
	// What stays on the machine is no better than the mount, which does too.
	missed := slices.ContainsFunc(v.Reached(s), func(r checks.Reached) bool {
		away, known := v.Leaves(r.Store, s).Get()
		declared := r.By.Extent.At().Note == evidence.NoteDeclared
		return checks.Arrives(r).Outcome == checks.Pass && checks.True(v.Outlives(r.Store, s)) && (away || !known || declared)
	})
	if missed {
		return checks.Failed(s.Hidden, "%s is diverted into a mount, and what would have kept it gets nothing", s.Name).As(checks.High)
	}
	return checks.Failed(s.Hidden, "%s is diverted into a mount and does not reach the log driver", s.Name).As(checks.Low)
}
