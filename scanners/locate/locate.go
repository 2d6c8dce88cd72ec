// Package locate finds where a key of a YAML file is written: "services", "web", "logging" -> line and column.
//
// It works on the tree of nodes that go.yaml.in/yaml/v4 makes of a file, as the file has them: what an anchor or a merge
// key brings is found where it is written.
package locate

import (
	"strconv"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
)

// Origin returns the place of a node of a file.
func Origin(file string, n *yaml.Node) evidence.Origin {
	if n == nil {
		return evidence.Origin{File: file}
	}
	return evidence.Origin{File: file, Line: n.Line, Col: n.Column}
}

// At returns the place of what the path leads to from n, or of the nearest thing above it that is written. Where
// nothing of the path is, that is n itself.
func At(file string, n *yaml.Node, path ...string) evidence.Origin {
	place, _, found := Find(n, path...)
	if found == 0 {
		place = Content(n)
	}
	return Origin(file, place)
}

// Find follows the path from n as far as it is written: names of keys, and indexes of lists from "0". It returns the
// last node that it found, the place of that node (its key, or itself in a list), and how much of the path led there.
func Find(n *yaml.Node, path ...string) (place, value *yaml.Node, found int) {
	value = Content(n)
	for i, name := range path {
		p, v := Child(value, name)
		if v == nil {
			return place, value, i
		}
		place, value = p, v
	}
	return place, value, len(path)
}

// Child returns what stands in n under a key, or at an index of a list, with its place: the key, or the item itself.
// Keys that are written in n go before those that a merge key brings. It returns nil where there is none.
func Child(n *yaml.Node, name string) (place, value *yaml.Node) {
	return child(Content(n), name, map[*yaml.Node]bool{})
}

func child(n *yaml.Node, name string, seen map[*yaml.Node]bool) (place, value *yaml.Node) {
	if n == nil || seen[n] {
		return nil, nil
	}
	switch n.Kind {
	case yaml.SequenceNode:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(n.Content) {
			return nil, nil
		}
		return n.Content[i], Content(n.Content[i])
	case yaml.MappingNode:
		// A merge key may lead back here, or to the same mapping many times over.
		seen[n] = true
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; Content(key).Value == name && !IsMerge(key) {
				return key, Content(n.Content[i+1])
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !IsMerge(n.Content[i]) {
				continue
			}
			for _, from := range Merged(n.Content[i+1]) {
				if place, value := child(from, name, seen); value != nil {
					return place, value
				}
			}
		}
	}
	return nil, nil
}

// Content returns what a document or an alias stands for, and any other node as it is.
func Content(n *yaml.Node) *yaml.Node {
	for n != nil {
		switch {
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		case n.Kind == yaml.DocumentNode && len(n.Content) == 1:
			n = n.Content[0]
		default:
			return n
		}
	}
	return nil
}

// IsMerge reports whether a key is "<<".
func IsMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Tag == "" || key.ShortTag() == "!!merge")
}

// Merged returns the mappings that the value of a merge key brings, the one that goes before the others first.
func Merged(value *yaml.Node) []*yaml.Node {
	value = Content(value)
	if value == nil {
		return nil
	}
	var out []*yaml.Node
	switch value.Kind {
	case yaml.MappingNode:
		out = append(out, value)
	case yaml.SequenceNode:
		for _, item := range value.Content {
			if item = Content(item); item != nil && item.Kind == yaml.MappingNode {
				out = append(out, item)
			}
		}
	}
	return out
}
