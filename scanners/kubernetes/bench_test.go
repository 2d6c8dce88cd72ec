package kubernetes

import (
	"bytes"
	"fmt"
	"testing"

	"go.yaml.in/yaml/v4"

	"lookback/scanners/tree"
)

// manyResources is a file like those of real repositories: a large definition of resources, then a small workload.
func manyResources() []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  property%d:\n    description: what it is, and which kind of thing it is for\n    type: string\n", i)
	}
	b.WriteString("---\n" + pod)
	return b.Bytes()
}

func BenchmarkOffer(b *testing.B) {
	content := manyResources()
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if new(Scanner).Offer(tree.File{Name: "a.yaml", Content: content}) == nil {
			b.Fatal("got nothing kept, want the pod")
		}
	}
}

// BenchmarkParse is the floor: every document parsed to nodes.
func BenchmarkParse(b *testing.B) {
	content := manyResources()
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		dec := yaml.NewDecoder(bytes.NewReader(content))
		for range 2 {
			var n yaml.Node
			if err := dec.Decode(&n); err != nil {
				b.Fatal(err)
			}
		}
	}
}
