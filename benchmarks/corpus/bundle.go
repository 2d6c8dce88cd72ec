package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// definitions is how many resource definitions a bundle holds.
const definitions = 12

// definitionBytes is about how large one definition is. Those of the Prometheus operator have between 10 kB and 800 kB.
const definitionBytes = 210_000

// bundle is a file of resource definitions in the form in which controller-gen writes them: deep OpenAPI schemas, a
// description at every field, two thirds of it prose.
func bundle(i int) string {
	w := &schema{random: rand.New(rand.NewPCG(2026, uint64(i)))}
	for d := range definitions {
		kind := fmt.Sprintf("Gadget%03d%02d", i, d)
		lower := strings.ToLower(kind)
		fmt.Fprintf(&w.b, `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.16.5
  name: %[2]ss.operator%03[3]d.example.com
spec:
  group: operator%03[3]d.example.com
  names:
    kind: %[1]s
    listKind: %[1]sList
    plural: %[2]ss
    singular: %[2]s
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
      schema:
        openAPIV3Schema:
          type: object
          description: %[1]s is managed by an operator.
          properties:
`, kind, lower, i)
		w.until = w.b.Len() + definitionBytes
		for field := 0; w.b.Len() < w.until; field++ {
			w.property(6, 0, fmt.Sprintf("section%d", field))
		}
	}
	return w.b.String()
}

// A schema is being written.
type schema struct {
	b      strings.Builder
	random *rand.Rand
	until  int // the length at which no new field is begun
}

// property writes a field and what is in it; indent counts steps of two spaces.
func (w *schema) property(indent, depth int, name string) {
	pad := strings.Repeat("  ", indent)
	fmt.Fprintf(&w.b, "%s%s:\n%s  description: |-\n", pad, name, pad)
	for range 1 + w.random.IntN(4) {
		fmt.Fprintf(&w.b, "%s    %s\n", pad, w.sentence())
	}
	kind := w.random.IntN(6)
	if depth >= 6 || w.b.Len() > w.until {
		kind = w.random.IntN(3)
	}
	switch kind {
	case 0:
		fmt.Fprintf(&w.b, "%s  type: string\n%s  pattern: ^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?)$\n", pad, pad)
	case 1:
		fmt.Fprintf(&w.b, "%s  type: integer\n%s  format: int32\n%s  minimum: 0\n", pad, pad, pad)
	case 2:
		fmt.Fprintf(&w.b, "%s  type: string\n%s  enum:\n%s    - Always\n%s    - IfNotPresent\n%s    - Never\n", pad, pad, pad, pad, pad)
	case 3:
		fmt.Fprintf(&w.b, "%s  type: array\n%s  x-kubernetes-list-type: atomic\n%s  items:\n%s    type: object\n%s    properties:\n", pad, pad, pad, pad, pad)
		w.properties(indent+3, depth+1)
	default:
		fmt.Fprintf(&w.b, "%s  type: object\n%s  properties:\n", pad, pad)
		w.properties(indent+2, depth+1)
	}
}

func (w *schema) properties(indent, depth int) {
	for field := range 2 + w.random.IntN(5) {
		w.property(indent, depth, fmt.Sprintf("%s%d", w.word(), field))
	}
}

func (w *schema) sentence() string {
	words := []string{"The"}
	for range 8 + w.random.IntN(8) {
		words = append(words, w.word())
	}
	return strings.Join(words, " ") + "."
}

func (w *schema) word() string {
	words := [...]string{
		"replica", "selector", "endpoint", "timeout", "volume", "secret", "label", "namespace", "container", "policy",
		"interval", "target", "certificate", "controller", "resource", "value", "default", "field", "object", "reference",
	}
	return words[w.random.IntN(len(words))]
}
