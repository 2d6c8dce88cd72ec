package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"lookback/checks"
	"lookback/checks/acquirable"
"lookback/checks/arriving"
"lookback/checks/recorded"
"lookback/checks/retained"
"lookback/checks/shipped"
"lookback/checks/watched"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/text"
	"lookback/scanners"
	"lookback/scanners/kubernetes"
	"lookback/scanners/tree"
)

func main() {
	t, err := tree.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	set := &evidence.Set{Tool: "zz", Started: time.Now(), Counted: map[string]int{}}
	s := &kubernetes.Scanner{}
	start := time.Now()
	kept, stats, err := tree.Collect(context.Background(), t, tree.Options{Names: []string{"Kustomization"}}, func(f tree.File) any { return s.Offer(f) })
	fmt.Println(stats, err, time.Since(start))
	var own []any
	for _, k := range kept {
		if k != nil {
			own = append(own, k)
		}
	}
	if err := s.Scan(context.Background(), scanners.Target{Tree: t}, own, set); err != nil {
		panic(err)
	}
	set.Sort()
	r := report.New(set, report.Options{Checks: []*checks.Check{recorded.Application,recorded.Database,recorded.KubernetesAudit,recorded.KubernetesAuditComplete,arriving.NotHidden,arriving.Lossless,shipped.OffAsset,shipped.OffHost,shipped.AfterExit,retained.ByTime,retained.LongEnough,retained.Searchable,watched.Processes,watched.EventClasses,watched.EveryNode,acquirable.ContainerImage}, Policy: checks.DefaultPolicy()})
	fmt.Println(time.Since(start), len(set.Records), len(r.Results))
	text.Render(os.Stdout, r)
}
