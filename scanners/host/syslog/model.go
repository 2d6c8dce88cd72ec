package syslog

import (
	"strings"

	"lookback/evidence"
)

// A config is what a syslog service does with what is said on the machine.
type config struct {
	steps []step
	// journal and socket say which way records come in: read from the journal, or through the socket of syslog.
	journal, socket bool
	limited         evidence.Value[bool] // whether its way in drops records of a flood; zero where it does not
	size            evidence.Value[int64]
	taken           []taken // files of other programs that are read, and sent on
	// open is why there may be more than is listed; nil where there is not.
	open error
	at   evidence.Origin
}

// A taken is a file, or files, that a service reads line by line as messages of one facility and program.
type taken struct {
	pattern, facility, program, set string
	steps                           []step // what is done with them
	at                              evidence.Origin
}

// A step is done with a message after the ones before it: it is written to a target, or it ends there.
type step struct {
	when   filter
	target *target // nil for the end
	// kept says, of an end, that what ends there was written somewhere by the step before: it is diverted, not lost.
	kept bool
	at   evidence.Origin
}

// A target is where records go.
type target struct {
	file   string // below the root
	shaped bool   // the name of the file depends on the record
	driver string
	host   string // of another machine
	here   bool   // a service on this machine that we do not follow
	udp    bool
	tls    evidence.Value[bool] // zero where its driver does not tell
	disk   bool                 // it waits on the disk while the other end is away
	again  bool                 // it is tried until it arrives
	buffer int64
	at     evidence.Origin
}

// key tells targets apart.
func (t *target) key() string {
	return strings.Join([]string{t.file, t.driver, t.host}, "\x00")
}

// Limits that no real configuration reaches.
const (
	maxSteps    = 4096
	maxFiles    = 512
	maxIncludes = 16      // files within files
	maxText     = 8 << 20 // bytes of them all
)

// A share is how much of a message's kinds comes to a target.
type share struct {
	target *target
	how    answer
}

// follow goes through the steps with all messages of a facility and a program, but for those that only debug a program.
func (c *config) follow(facility, program string) []share {
	const least = 7 // severities, from emerg to info
	var order []*target
	got := map[string][]answer{}
	for severity := range least {
		m := message{facility, severity, program}
		alive := yes
		for _, s := range c.steps {
			if alive == no {
				break
			}
			how := both(alive, func() answer { return s.when(m) })
			switch {
			case s.target == nil && how == some && s.kept: // these few lie elsewhere
			case s.target == nil:
				alive = both(alive, func() answer { return opposite(s.when(m)) })
			case how != no:
				key := s.target.key()
				if got[key] == nil {
					got[key] = make([]answer, least)
					order = append(order, s.target)
				}
				got[key][severity] = max(got[key][severity], how)
			}
		}
	}
	var out []share
	for _, t := range order {
		out = append(out, share{t, total(got[t.key()])})
	}
	return out
}

// total is one answer for several kinds of message.
func total(all []answer) answer {
	most, least := no, yes
	odd := false
	for _, a := range all {
		most, least, odd = max(most, a), min(least, a), odd || a == strange
	}
	switch {
	case most == no || least == yes:
		return most
	case odd:
		return strange
	}
	return some
}
