package redshift

import (
	"slices"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A cluster is what is set for its audit logs, and how their delivery goes.
type cluster struct {
	name           string
	at             evidence.Origin
	paused         bool
	on             evidence.Value[bool]
	toGroups       bool // to log groups, else to a bucket
	bucket, prefix string
	exports        []string // what goes to log groups
	delivered      time.Time
	failed         time.Time
	message        string // of the last failure
}

// connections is the log of who connects: "Logs authentication attempts, connections, and disconnections", the management
// guide, "Database audit logging".
const connections = "connectionlog"

// observe turns a cluster into records.
func observe(s *scope.Scope, c cluster) {
	thing := "redshift/" + c.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "Redshift cluster", Name: c.name, At: c.at},
		In:      s.In(c.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Database: evidence.Known(true, c.at)},
	}
	s.Record(asset)
	l := s.Source(thing, evidence.Database, "connection log", c.name, c.at)
	l.Records, l.Covers, l.Enabled = "its log of connections", []evidence.ID{asset.ID}, c.on
	at := c.on.At()
	switch on, _ := c.on.Get(); {
	case !on, !c.toGroups && c.bucket == "":
	case !c.toGroups:
		// Connection and user logs go to a bucket together, the user activity log too where a parameter asks for it:
		// [prefix/]AWSLogs/AccountID/redshift/Region/, the management guide.
		place := scope.Place{Bucket: c.bucket, Prefix: vended.Under(c.prefix, "AWSLogs/"+s.Account+"/redshift/"+s.Region)}
		to := evidence.EverythingTo(s.Bucket(place), at)
		c.arrival(&to, at)
		l.To = []evidence.Delivery{to}
	case !slices.Contains(c.exports, connections):
		l.Enabled = evidence.Known(false, at.WithNote("only "+strings.Join(c.exports, ", ")+" goes to CloudWatch Logs"))
	default:
		to := evidence.EverythingTo(s.GroupID("/aws/redshift/cluster/"+c.name+"/"+connections), at)
		c.arrival(&to, at)
		l.To = []evidence.Delivery{to}
	}
	s.Record(l)
}

// arrival says how the last delivery went. Logs are uploaded hourly at least, unless the cluster is paused: the management
// guide, "Managing log files". Of log groups no time need be told.
func (c cluster) arrival(d *evidence.Delivery, at evidence.Origin) {
	d.Error = evidence.Known("", at)
	if !c.failed.IsZero() && c.failed.After(c.delivered) {
		d.Error = evidence.Known(c.message, at)
		if c.message == "" {
			d.Error = evidence.Known("the last delivery failed", at)
		}
	}
	d.Last = evidence.Known(c.delivered, at)
	if c.paused || c.toGroups && c.delivered.IsZero() {
		d.Last = evidence.Moot[time.Time](at)
	}
}
