package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// Application checks that a container leaves a record of what its program does.
var Application = &checks.Check{
	ID:       "recorded-application",
	Title:    "The application records what it does",
	Severity: checks.Medium,
	Doc: `After a break-in through a web application its own log is usually the only witness of the first request. Some
images write no such log until they are told to (traefik, caddy and haproxy write no access log), and the log driver
"none" throws away whatever a container prints.

Cure, Compose: take out "driver: none"; name a driver that keeps the output.
Cure, an image that is silent by default: turn its log on, as the message says; "--accesslog" for traefik.
Cure, an image of your own: say under "images:" in lookback.yaml where it logs; else this is not assessed.
Cure, AWS: let the role of the function create log streams and put events into them (AWSLambdaBasicExecutionRole); give
the container a "logConfiguration" in its task definition.`,
	Judge: checks.About(evidence.Application, application),
}

func application(_ *checks.View, asset evidence.Asset, logs []evidence.LogSource) checks.Verdict {
	if len(logs) == 0 {
		return checks.Failed(asset.Looked[evidence.Application], "%s %q writes nothing", asset.Kind, asset.Name)
	}
	thrown := checks.Worst(logs, func(l evidence.LogSource) checks.Verdict {
		if len(l.To) == 0 && !checks.Lost(l) {
			switch {
			case l.Complete.IsZero() || l.Complete.IsMoot():
			case l.Complete.IsUnknown():
				return checks.NotKnown(l.Complete)
			case checks.True(l.Complete):
				return checks.Failed(l.Complete, "%s %q throws its output away%s", asset.Kind, asset.Name, checks.Why(l.Complete)).As(checks.High)
			}
		}
		return checks.Worst(l.To, func(d evidence.Delivery) checks.Verdict {
			extent, known := d.Extent.Get()
			switch {
			case !known:
				return checks.NotKnown(d.Extent)
			case extent.Grade == evidence.None:
				return checks.Failed(d.Extent, "%s %q throws its output away: %s", asset.Kind, asset.Name, extent.But).As(checks.High)
			}
			return checks.Unasked()
		})
	})
	if thrown.Outcome == checks.Fail {
		return thrown
	}
	best := checks.Best(logs, func(l evidence.LogSource) checks.Verdict {
		on, known := l.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(l.Enabled)
		case !on:
			return checks.Failed(l.Enabled, "%s %q does not write %s", asset.Kind, asset.Name, l.Records)
		}
		return checks.Passed(l.Enabled, "%s %q writes %s", asset.Kind, asset.Name, l.Records)
	})
	if thrown.Outcome == checks.NotAssessed && best.Outcome != checks.Fail {
		return thrown
	}
	return best
}
