package main

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"

	"lookback/scanners/aws"
)

func newPermissions(e *env) *cobra.Command {
	var organization bool
	var role string
	c := &cobra.Command{
		Use:   "permissions aws",
		Short: "Print the least that a scan may be allowed to do",
		Long: `Print the least that a scan may be allowed to do, as the platform's own policy document.

For AWS it is an IAM policy. With --organization it is that of who lists the accounts and assumes a role in each; the role
itself needs the policy without the flag.`,
		Example: `  lookback permissions aws > lookback-policy.json
  lookback permissions aws --organization --role-name lookback`,
		Args:      one(`the platform, as in "lookback permissions aws"`),
		ValidArgs: []string{"aws"},
		RunE: func(*cobra.Command, []string) error {
			if role != "" && !organization {
				return errors.New("--role-name goes with --organization")
			}
			if organization {
				role = cmp.Or(role, aws.DefaultRole)
			}
			policy, err := aws.Policy(role)
			if err != nil {
				return err
			}
			_, err = e.stdout.Write(policy)
			return err
		},
	}
	c.Flags().BoolVar(&organization, "organization", false, "for who scans all accounts of an organisation")
	c.Flags().StringVar(&role, "role-name", "", "the `role` that is assumed in each account")
	return c
}
