package scope

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"lookback/evidence"
)

// Limits on calls.
const (
	// InFlight is how many calls of one scan are under way at a time.
	InFlight = 96
	// PerSecond is how often one action is called in one region of one account, with a burst of as much. It is half of the
	// lower rates that AWS grants to read actions, so that the owner's own calls find room; where AWS still throttles, the
	// SDK slows down further.
	PerSecond = 25
	// attemptTime bounds one attempt of a call, callTime the call with all its attempts.
	attemptTime = 30 * time.Second
	callTime    = 3 * time.Minute
	// connects is how often one call tries to reach somebody: where nobody is, waiting longer does not help.
	connects = 3
)

// slow are actions that AWS grants at a lower rate: four fifths of it, per second. See the quotas in the user guides of
// CloudWatch Logs (10 and 5) and CloudTrail (10).
var slow = map[string]rate.Limit{
	"CloudWatch Logs.DescribeLogGroups":           8,
	"CloudWatch Logs.DescribeMetricFilters":       4,
	"CloudWatch Logs.DescribeSubscriptionFilters": 4,
	"CloudTrail.GetTrailStatus":                   8,
	"CloudTrail.DescribeTrails":                   8,
	"CloudTrail.GetEventSelectors":                8,
	"SSM.GetInventory":                            5,
	"Organizations.ListAccounts":                  5,
}

// first are services whose calls go before others where calls wait for room. Their lists are the longest: log groups come 50
// a page, one page after another, so that a scan of one account takes as long as they do.
var first = map[string]bool{"CloudWatch Logs": true}

// A flight bounds how many calls are under way. Who waits is served in turn, but for those that go first.
type flight struct {
	free  chan struct{}
	first chan struct{} // hands room from one call to the next
}

func newFlight(room int) *flight {
	f := &flight{free: make(chan struct{}, room), first: make(chan struct{})}
	for range room {
		f.free <- struct{}{}
	}
	return f
}

func (f *flight) board(ctx context.Context, goesFirst bool) error {
	handed := f.first
	if !goesFirst {
		handed = nil // which nobody ever hands anything to
	}
	select {
	case <-f.free:
	case <-handed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (f *flight) leave() {
	select {
	case f.first <- struct{}{}:
	default:
		f.free <- struct{}{}
	}
}

// A Guard confines the calls of a scan to those that were declared, bounds their rate and number, and counts them.
type Guard struct {
	calls  map[string]Call
	flight *flight

	mu     sync.Mutex
	counts map[string]*count

	made, throttled atomic.Int64
}

type count struct{ calls, throttles int64 }

// NewGuard returns a guard that lets the declared calls through.
func NewGuard(declared []Call) *Guard {
	g := &Guard{calls: map[string]Call{}, flight: newFlight(InFlight), counts: map[string]*count{}}
	for _, c := range declared {
		g.calls[c.Service+"."+c.Op] = c
	}
	return g
}

// Idle reports whether calls leave more than half of the room that they may take: they wait for limits, or for few answers.
func (g *Guard) Idle() bool { return 2*len(g.flight.free) > cap(g.flight.free) }

// Made is how many requests were sent, Throttled how many of them were turned away for coming too fast.
func (g *Guard) Made() int64 { return g.made.Load() }

// Throttled is how many answers asked for a slower pace.
func (g *Guard) Throttled() int64 { return g.throttled.Load() }

// A Count says how often an action was called.
type Count struct {
	Action           string
	Calls, Throttles int64
}

// Counts returns how often each action was called, in order of the action.
func (g *Guard) Counts() []Count {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []Count
	for op, c := range g.counts {
		out = append(out, Count{g.calls[op].Action, c.calls, c.throttles})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Compare(a.Action, b.Action) })
	return out
}

func (g *Guard) count(op string, throttle bool) {
	g.made.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.counts[op]
	if c == nil {
		c = &count{}
		g.counts[op] = c
	}
	c.calls++
	if throttle {
		c.throttles++
		g.throttled.Add(1)
	}
}

// Account returns a configuration whose calls are guarded, for one account. Limits of rate hold for that account. Done says
// that the account was read: what is kept for its limits then is let go, and begins anew should it be called again. Lost
// returns the calls that brought nothing since it was asked before, with an error of each: those that were refused, and those
// to which there was no answer. That something does not exist is an answer.
func (g *Guard) Account(cfg aws.Config) (guarded aws.Config, lost func() map[Loss]error, done func()) {
	p := newPace()
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(stack *middleware.Stack) error {
		if err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("lookback.call", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
			op := operation(ctx)
			if _, ok := g.calls[op]; !ok {
				return out, meta, fmt.Errorf("%s: %w", op, ErrUndeclared)
			}
			h := p.health(awsmiddleware.GetServiceID(ctx) + " " + awsmiddleware.GetRegion(ctx))
			if h.down() {
				p.lose(g.calls[op].Action, awsmiddleware.GetRegion(ctx), errRegionDown)
				return out, meta, errRegionDown
			}
			ctx, cancel := context.WithTimeout(middleware.WithStackValue(ctx, triesKey{}, new(int)), callTime)
			defer cancel()
			out, meta, err = next.HandleInitialize(ctx, in)
			h.saw(err)
			p.lose(g.calls[op].Action, awsmiddleware.GetRegion(ctx), err)
			return out, meta, err
		}), middleware.After); err != nil { // some clients name the operation in a middleware of this step
			return err
		}
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("lookback.attempt", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, meta middleware.Metadata, err error) {
			op := operation(ctx)
			if err := p.wait(ctx, op, awsmiddleware.GetRegion(ctx)); err != nil {
				return out, meta, err
			}
			if err := g.flight.board(ctx, first[awsmiddleware.GetServiceID(ctx)]); err != nil {
				return out, meta, err
			}
			defer g.flight.leave()
			ctx, cancel := context.WithTimeout(ctx, attemptTime)
			defer cancel()
			out, meta, err = next.HandleFinalize(ctx, in)
			g.count(op, throttled(Code(err)))
			if tries, ok := middleware.GetStackValue(ctx, triesKey{}).(*int); ok && unreachable(err) {
				if *tries++; *tries == connects {
					err = &Unreached{err}
				}
			}
			return out, meta, err
		}), "Retry", middleware.After)
	})
	return cfg, p.losses, p.forget
}

// triesKey is where a call keeps how often it reached nobody.
type triesKey struct{}

// Unreached is the error of a call that reached nobody, and is not to be tried again.
type Unreached struct{ Err error }

func (e *Unreached) Error() string { return e.Err.Error() }

// Unwrap returns what happened the last time.
func (e *Unreached) Unwrap() error { return e.Err }

func operation(ctx context.Context) string {
	return awsmiddleware.GetServiceID(ctx) + "." + awsmiddleware.GetOperationName(ctx)
}

// A pace is what one account is asked at most.
type pace struct {
	mu      sync.Mutex
	limits  map[string]*rate.Limiter
	regions map[string]*health
	lost    map[Loss]error
}

// A Loss is an action that a region did not answer.
type Loss struct{ Action, Region string }

func (p *pace) lose(action, region string, err error) {
	if err == nil || errors.Is(err, context.Canceled) || Why(err) != evidence.Denied && Code(err) != "" && !throttled(Code(err)) && !broken(err) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost[Loss{action, region}] == nil {
		p.lost[Loss{action, region}] = err
	}
}

func (p *pace) losses() map[Loss]error {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := p.lost
	p.lost = map[Loss]error{}
	return lost
}

func newPace() *pace {
	return &pace{limits: map[string]*rate.Limiter{}, regions: map[string]*health{}, lost: map[Loss]error{}}
}

func (p *pace) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits, p.regions = map[string]*rate.Limiter{}, map[string]*health{}
}

func (p *pace) wait(ctx context.Context, op, region string) error {
	p.mu.Lock()
	l := p.limits[op+" "+region]
	if l == nil {
		per := rate.Limit(PerSecond)
		if s, ok := slow[op]; ok {
			per = s
		}
		if strings.HasPrefix(op, "S3.") {
			per *= 8 // S3 grants 5,500 reads a second for a prefix; what a bucket says of itself is granted less
		}
		l = rate.NewLimiter(per, int(per))
		p.limits[op+" "+region] = l
	}
	p.mu.Unlock()
	return l.Wait(ctx)
}

func (p *pace) health(endpoint string) *health {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.regions[endpoint]
	if h == nil {
		h = &health{}
		p.regions[endpoint] = h
	}
	return h
}

// A health says whether the endpoint of a service in a region answers. One that never did is not waited for again.
type health struct {
	answered, failed atomic.Bool
}

func (h *health) down() bool { return h.failed.Load() && !h.answered.Load() }

func (h *health) saw(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case unreachable(err), unavailable(err):
		h.failed.Store(true)
	case err == nil || Code(err) != "" || Unreadable(err):
		h.answered.Store(true)
	}
}
