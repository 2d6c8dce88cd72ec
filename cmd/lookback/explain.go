package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/report/json"
)

func newExplain(e *env) *cobra.Command {
	return &cobra.Command{
		Use:               "explain CHECK",
		Short:             "Say why a check asks, and how to mend a failure",
		Args:              one(`a check; "lookback list checks" has them all`),
		ValidArgsFunction: completeChecks,
		RunE: func(_ *cobra.Command, args []string) error {
			c, ok := all.Find(args[0])
			if !ok {
				return fmt.Errorf("there is no check %q%s; \"lookback list checks\" has them all", args[0], nearest(args[0]))
			}
			_, err := fmt.Fprintf(e.stdout, "%s\n%s, %s\n\n%s\n", c.ID, c.Title, c.Severity, strings.TrimSpace(c.Doc))
			return err
		},
	}
}

// nearest suggests the checks whose name holds what was asked for.
func nearest(asked string) string {
	var near []string
	for _, c := range all.All() {
		if asked != "" && strings.Contains(c.ID, asked) {
			near = append(near, c.ID)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

func completeChecks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, c := range all.All() {
		ids = append(ids, c.ID+"\t"+c.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func newList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:       "list checks|formats|schema",
		Short:     "List the checks, the formats of a report, or the JSON Schema of results.json",
		Args:      one("checks, formats or schema"),
		ValidArgs: []string{"checks", "formats", "schema"},
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "formats":
				return listFormats(e)
			case "schema":
				_, err := io.WriteString(e.stdout, json.JSONSchema())
				return err
			}
			return listChecks(e)
		},
	}
}

func listFormats(e *env) error {
	for _, f := range formats {
		if _, err := fmt.Fprintf(e.stdout, "%-6s  %-14s %s\n", f.name, "-o FILE"+f.suffix, f.what); err != nil {
			return err
		}
	}
	return nil
}

func listChecks(e *env) error {
	for _, chapter := range checks.Chapters {
		head := false
		for _, c := range all.All() {
			if c.Chapter() != chapter.Name {
				continue
			}
			if !head {
				head = true
				fmt.Fprintf(e.stdout, "%s\n", chapter.Question)
			}
			if _, err := fmt.Fprintf(e.stdout, "  %-34s %-7s %s\n", c.ID, c.Severity, c.Title); err != nil {
				return err
			}
		}
	}
	return nil
}
