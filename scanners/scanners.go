// Package scanners holds what scanners of all kinds share: what they are given, and what they hand back.
package scanners

import (
	"context"
	"slices"

	"lookback/evidence"
	"lookback/scanners/tree"
)

// A Scanner reads one kind of manifest in a tree of files. The tree is walked once for all scanners.
type Scanner interface {
	// Offer looks at one file and returns what the scanner wants to keep of it, nil when it is none of its kind. It is
	// called from several goroutines, for files in any order, and must not hold on to the file's content.
	Offer(f tree.File) any
	// Scan turns what Offer kept, in order of file name, into records. Input that it cannot read is a Gap; an error is
	// for what stops the scan as a whole, such as a cancelled context.
	Scan(ctx context.Context, t Target, kept []any, to Sink) error
}

// A Target is what a scanner reads, with what its owner declared.
type Target struct {
	Tree     *tree.Tree
	Declared Declared
}

// A Sink takes what a scanner finds. It is called from one goroutine, in an order that depends on the input alone.
type Sink interface {
	Record(evidence.Record)
	Gap(evidence.Gap)
	Waiver(evidence.Waiver)
}

// Declared is what a manifest cannot say and its owner can: what the platform does, where the owner's images log.
// It comes from lookback.yaml, or from saved evidence of the platform itself.
type Declared struct {
	Docker     *Platform
	Kubernetes *Platform
	Shippers   []Shipper
	Images     []Image
	// Exclude lists globs of files that are not read; Development, of those that never run in production.
	Exclude, Development []string
}

// A Platform says what becomes of the output of containers that say nothing about it themselves.
type Platform struct {
	// Driver is the Docker daemon's log driver; the zero Value where nobody said.
	Driver  evidence.Value[string]
	Options map[string]evidence.Value[string]
	// To lists where the output is shipped to, known and empty when nothing ships; the zero Value where nobody said.
	To evidence.Value[[]evidence.Delivery]
	// Outlets is what a scan of the Docker daemon saw of its default; nil where none did.
	Outlets []Outlet
}

// A Shipper says where the log shippers of an image send what they read, when their configuration is out of sight.
type Shipper struct {
	Image string                        // a path.Match pattern over the image as written, without tag and digest
	To    evidence.Value[[]evidence.ID] // known and empty when they keep everything on the machine
}

// An Image says where an image of the owner's writes its records.
type Image struct {
	Image  string               // a path.Match pattern over the image as written, without tag and digest
	Stdout evidence.Value[bool] // whether standard output holds what an investigation needs
	Files  []string             // folders or files that it writes records to
}

// IsDevelopment reports whether a file never runs in production: by its name, or by a word of the owner.
func (d Declared) IsDevelopment(file string) bool {
	return tree.Match(slices.Concat([]string{"*.test.*", "*.dev.*"}, d.Development), file)
}
