package compose

import (
	"context"
	"fmt"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
)

func TestX(t *testing.T) {
	tr, err := tree.Open("/work/shared/corpus/compose")
	if err != nil {
		t.Fatal(err)
	}
	kept, _, err := tree.Collect(context.Background(), tr, tree.Options{}, func(f tree.File) any { return Scanner{}.Offer(f) })
	if err != nil {
		t.Fatal(err)
	}
	var set evidence.Set
	s := newScan(scanners.Target{Tree: tr}, &set)
	for _, k := range kept {
		if f, ok := k.(*file); ok {
			s.files[f.name] = f
			s.names = append(s.names, f.name)
		}
	}
	for _, p := range s.projects() {
		fmt.Println("==", p.target, p.files, p.load())
		for _, c := range p.containers() {
			fmt.Println(c.Asset.ID, c.Asset.At, c.Asset.Development)
			fmt.Println(describe(c))
		}
	}
	for _, g := range set.Gaps {
		fmt.Printf("GAP %+v\n", g)
	}
}
