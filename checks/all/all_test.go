package all

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"lookback/checks"
)

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	var order []string
	for _, c := range All() {
		t.Run(c.ID, func(t *testing.T) {
			if seen[c.ID] {
				t.Error("two checks have this ID")
			}
			seen[c.ID] = true
			if !kebab.MatchString(c.ID) {
				t.Error("the ID is not in kebab-case")
			}
			chapter := slices.IndexFunc(checks.Chapters, func(ch checks.Chapter) bool { return ch.Name == c.Chapter() })
			if chapter < 0 {
				t.Fatalf("%q is no chapter", c.Chapter())
			}
			order = append(order, string(rune('a'+chapter))+c.ID)
			if c.Title == "" || strings.HasSuffix(c.Title, ".") || strings.ToUpper(c.Title[:1]) != c.Title[:1] {
				t.Errorf("title %q: want a claim, with a capital and without a full stop", c.Title)
			}
			if !strings.Contains(c.Doc, "Cure") {
				t.Error("the Doc names no cure")
			}
			for i, line := range strings.Split(c.Doc, "\n") {
				if n := len([]rune(line)); n > 120 {
					t.Errorf("line %d of the Doc has %d characters; want at most 120", i+1, n)
				}
				if strings.TrimRight(line, " \t") != line {
					t.Errorf("line %d of the Doc ends in a space", i+1)
				}
			}
			if c.Severity.Rank() == 0 {
				t.Errorf("%q is no severity", c.Severity)
			}
			if c.Judge == nil {
				t.Error("it judges nothing")
			}
			for _, after := range c.After {
				if _, ok := Find(after); !ok {
					t.Errorf("it comes after %q, which is no check", after)
				}
			}
		})
	}
	if !slices.IsSorted(order) {
		t.Errorf("not in order of chapter and ID: %q", order)
	}
}

func TestConsequencesHaveNoCircle(t *testing.T) {
	var visit func(c *checks.Check, on []string)
	visit = func(c *checks.Check, on []string) {
		if slices.Contains(on, c.ID) {
			t.Errorf("a circle of consequences: %q", append(on, c.ID))
			return
		}
		for _, after := range c.After {
			if next, ok := Find(after); ok {
				visit(next, append(slices.Clone(on), c.ID))
			}
		}
	}
	for _, c := range All() {
		visit(c, nil)
	}
}

func TestFind(t *testing.T) {
	if c, ok := Find("shipped-off-asset"); !ok || c.ID != "shipped-off-asset" {
		t.Errorf("found %v, %v", c, ok)
	}
	if c, ok := Find("shipped"); ok {
		t.Errorf("found %v by a part of its ID", c)
	}
}
