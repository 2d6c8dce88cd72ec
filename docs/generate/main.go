// Command generate writes the pages of docs that follow from the code: checks.md, known.md and aws.md.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/scanners/aws"
	"lookback/scanners/shipper"
	"lookback/scanners/workload"
)

func main() {
	for name, text := range pages() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

const mark = "<!-- Written by \"go generate ./docs\". -->\n\n"

func pages() map[string]string {
	return map[string]string{"checks.md": checksPage(), "known.md": knownPage(), "aws.md": awsPage()}
}

//go:embed aws.md
var awsText string

// awsPage is what aws.md of this folder says, with the calls.
func awsPage() string {
	head, rest, _ := strings.Cut(awsText, "\n\n")
	return head + "\n\n" + mark + strings.Replace(rest, "<!-- calls -->\n", aws.Reference(), 1)
}

func checksPage() string {
	var b strings.Builder
	b.WriteString("# Checks\n\n" + mark)
	for _, chapter := range checks.Chapters {
		head := false
		for _, c := range all.All() {
			if c.Chapter() != chapter.Name {
				continue
			}
			if !head {
				head = true
				fmt.Fprintf(&b, "## %s\n\n", chapter.Question)
			}
			fmt.Fprintf(&b, "### %s\n\n**%s.** Weight: %s.", c.ID, c.Title, c.Severity)
			if c.OnDemand {
				b.WriteString(" Shown on demand; not scored.")
			}
			if len(c.After) > 0 {
				fmt.Fprintf(&b, " A consequence where %s fails.", strings.Join(c.After, " or "))
			}
			b.WriteString("\n\n")
			for line := range strings.Lines(strings.TrimSpace(c.Doc) + "\n") {
				if strings.HasPrefix(line, "Cure") {
					b.WriteString("\n- ")
				}
				b.WriteString(strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`).Replace(line))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func knownPage() string {
	var b strings.Builder
	b.WriteString("# What lookback knows\n\n" + mark +
		"Verdicts rest on these rows. A row that is marked with a doubt could not be confirmed at its source, and what rests on the\n" +
		"doubtful part is not assessed.\n\n## Images\n\n| image | tag | links to standard output | log files | volumes | off until asked | doubt | source |\n|---|---|---|---|---|---|---|---|\n")
	for _, i := range workload.Images() {
		off := ""
		switch {
		case i.Quiet:
			off = "nothing to turn on"
		case i.Log != nil:
			off = i.Log.What
		}
		row(&b, i.Name, i.Tag, strings.Join(i.Linked, " "), strings.Join(i.Files, " "), strings.Join(i.Volumes, " "), off, i.Doubt.String(), i.Source)
	}
	b.WriteString("\n## Log shippers\n\n| product | images | source |\n|---|---|---|\n")
	for _, p := range shipper.Products() {
		row(&b, p.Name, strings.Join(p.Images, " "), p.Source)
	}
	b.WriteString("\n## Sensors\n\n| product | images | off until asked | doubt | source |\n|---|---|---|---|---|\n")
	for _, s := range workload.Sensors() {
		off := ""
		if s.Log != nil {
			off = s.Log.What
		}
		row(&b, s.Product, strings.Join(s.Images, " "), off, s.Doubt.String(), s.Source)
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("|")
	for _, c := range cells {
		fmt.Fprintf(b, " %s |", strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`).Replace(c))
	}
	b.WriteString("\n")
}
