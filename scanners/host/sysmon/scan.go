package sysmon

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
)

// A Scanner reads configurations of Sysmon among the files of a repository, before they are put on any machine.
type Scanner struct{}

var _ scanners.Scanner = Scanner{}

// Names asks for files whose name says that they are Sysmon's. Repositories hold a great deal of other XML; a configuration of
// another name is read where it is named as the target.
func (Scanner) Names() []string { return []string{"*sysmon*.xml"} }

// maxSniff is how far into a file the element Sysmon may begin: configurations open with pages of comment.
const maxSniff = 256 << 10

// A file is a configuration that was offered.
type file struct {
	name    string
	classes Classes
	err     error
}

// Offer keeps what is known of a configuration of Sysmon.
func (Scanner) Offer(f tree.File) any {
	if f.Err != nil || !strings.EqualFold(path.Ext(f.Name), ".xml") {
		return nil
	}
	text := decoded(f.Content)
	if !bytes.Contains(text[:min(len(text), maxSniff)], []byte("<Sysmon")) {
		return nil
	}
	classes, err := Grade(text, Either)
	if errors.Is(err, ErrNotSysmon) {
		return nil
	}
	return file{name: f.Name, classes: classes, err: err}
}

// Scan records each configuration as an asset, with what a Sysmon that had it would see.
func (Scanner) Scan(ctx context.Context, t scanners.Target, kept []any, to scanners.Sink) error {
	for _, k := range kept {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f, ok := k.(file); ok {
			f.observe(t, to)
		}
	}
	return nil
}

func (f file) observe(t scanners.Target, to scanners.Sink) {
	at := evidence.Origin{File: f.name, Line: f.classes.Line}
	target := evidence.ID("sysmon:" + f.name)
	if f.err != nil {
		to.Gap(evidence.Gap{In: target, Asked: "the file " + f.name, Why: evidence.Failed, Err: f.err.Error(), At: at, Bad: true})
		return
	}
	machine := at.WithNote("the machines that it is put on decide")
	asset := &evidence.Asset{
		Subject:     evidence.Subject{ID: target + "//host", Kind: "Sysmon configuration", Name: f.name, At: at},
		In:          evidence.Unknown[evidence.ID](evidence.Elsewhere, machine),
		Lasting:     true, // what becomes of the records is the machines' business
		Looked:      map[evidence.Activity]evidence.Value[bool]{evidence.Process: evidence.Known(true, at)},
		Development: t.Declared.IsDevelopment(f.name),
	}
	to.Record(asset)
	parts := f.classes.Parts(func(s Setting) evidence.Origin {
		line := s.Line
		if line == 0 {
			line = f.classes.Line
		}
		return evidence.Origin{File: f.name, Line: line, Col: s.Col}
	})
	parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](at)
	to.Record(&evidence.LogSource{
		Subject:  evidence.Subject{ID: target + "//sysmon#" + evidence.ID(evidence.Process), Kind: "sensor", Name: "Sysmon", At: at},
		Activity: evidence.Process,
		Records:  "what Sysmon sees",
		Covers:   []evidence.ID{asset.ID},
		Enabled:  evidence.Unknown[bool](evidence.Elsewhere, machine),
		Hidden:   evidence.Moot[evidence.Hiding](at),
		Parts:    parts,
		Complete: evidence.Unknown[bool](evidence.Elsewhere, machine),
	})
}
