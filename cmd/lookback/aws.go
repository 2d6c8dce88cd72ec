package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookback/scanners/aws"
	"lookback/spool"
)

// awsTarget names the target; a folder of that name is "./aws".
const awsTarget = "aws"

// awsFlags are the flags of "lookback scan aws".
type awsFlags struct {
	profile, role, externalID string
	regions                   []string
	filter                    aws.Filter
}

func (f *awsFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.profile, "profile", "", "aws: `name` of a profile of the shared configuration")
	fl.StringVar(&f.role, "role-arn", "", "aws: `ARN` of a role to assume first")
	fl.StringVar(&f.externalID, "external-id", "", "aws: the external `id` that roles ask for")
	fl.StringSliceVar(&f.regions, "region", nil, "aws: read only this `region` (repeatable); else every region that is enabled")
	fl.BoolVar(&f.filter.Organization, "organization", false, "aws: read all accounts of the organisation")
	fl.StringVar(&f.filter.Role, "role-name", "", "aws: `name` of the role to assume in each account (default \""+aws.DefaultRole+"\")")
	fl.StringSliceVar(&f.filter.Units, "ou", nil, "aws: only accounts of this organizational unit, by `id`, and of those below (repeatable)")
	fl.StringSliceVar(&f.filter.Accounts, "account", nil, "aws: only the account with this `id` (repeatable)")
	fl.StringSliceVar(&f.filter.Tags, "tag", nil, "aws: only accounts with this tag, `key=value` (repeatable, all have to be there)")
}

// check returns what is wrong with the flags, for the targets of a scan.
func (f awsFlags) check(c *cobra.Command, targets []string) error {
	of := []string{"profile", "role-arn", "external-id", "region", "organization", "role-name", "ou", "account", "tag"}
	used := slices.IndexFunc(of, c.Flags().Changed)
	switch {
	case used >= 0 && !slices.Contains(targets, awsTarget):
		return fmt.Errorf("--%s goes with \"lookback scan aws\"", of[used])
	case !f.filter.Organization && (f.filter.Role != "" || len(f.filter.Units)+len(f.filter.Accounts)+len(f.filter.Tags) > 0):
		return errors.New("--role-name, --ou, --account and --tag choose accounts of an organisation; add --organization")
	case f.externalID != "" && f.role == "" && !f.filter.Organization:
		return errors.New("--external-id goes with --role-arn or --organization")
	}
	return nil
}

// scanAWS reads AWS accounts and gives the evidence of each to the spool.
func scanAWS(ctx context.Context, e *env, f scanFlags, what *learned) error {
	if what.spool == nil {
		what.spool = spool.New("")
	}
	defer limitMemory(e, memory)()
	s, err := aws.Open(ctx, aws.Options{
		Profile: f.aws.profile, Role: f.aws.role, ExternalID: f.aws.externalID, Regions: f.aws.regions, Filter: f.aws.filter, Now: e.now(),
	})
	if err != nil {
		return err
	}
	stop := awsProgress(e, s)
	err = s.Run(ctx, what.spool.Add)
	stop()
	if f.verbose {
		calls(e.stderr, s)
	}
	return err
}

// calls tells how often each action was called.
func calls(w io.Writer, s *aws.Scan) {
	services := map[string]int64{}
	for _, c := range s.Counts() {
		service, _, _ := strings.Cut(c.Action, ":")
		services[service] += c.Calls
		fmt.Fprintf(w, "%7d %s", c.Calls, c.Action)
		if c.Throttles > 0 {
			fmt.Fprintf(w, ", %d of them throttled", c.Throttles)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%7d calls of %d services\n", s.Made(), len(services))
}

// awsProgress tells on a terminal how far a scan came.
func awsProgress(e *env, s *aws.Scan) (stop func()) {
	if !e.terminal.err {
		return func() {}
	}
	begun := time.Now()
	return ticking(func() string {
		line := fmt.Sprintf("%d of %d accounts, %d regions, %d calls", s.Done.Load(), s.Accounts.Load(), s.Regions.Load(), s.Made())
		if n := s.Throttled(); n > 0 {
			line += fmt.Sprintf(", %d throttled", n)
		}
		if done, all := s.Done.Load(), s.Accounts.Load(); done > 0 && done < all {
			left := time.Since(begun) / time.Duration(done) * time.Duration(all-done)
			line += fmt.Sprintf(", about %s left", cmp.Or(left.Round(time.Second), time.Second))
		}
		return line
	}, e.stderr)
}
