// Command corpus writes a tree of manifests to measure scanners on: many small files as people write them, and a few very
// large bundles of custom resource definitions, which hold most of the bytes, as in real repositories. The same flags
// give the same bytes on every machine.
//
//	go run ./benchmarks/corpus [-apps N] [-bundles N] [-compose N] [-scale N] FOLDER
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	var s size
	flag.IntVar(&s.apps, "apps", 500, "Kubernetes applications, each a folder of small manifests")
	flag.IntVar(&s.bundles, "bundles", 8, "bundles of resource definitions, about 2.5 MB each")
	flag.IntVar(&s.compose, "compose", 0, "Compose projects")
	scale := flag.Int("scale", 1, "how many times as much of everything")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: corpus [flags] FOLDER, a folder that does not exist yet")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	s.apps, s.bundles, s.compose = s.apps**scale, s.bundles**scale, s.compose**scale
	files, bytes, err := write(flag.Arg(0), s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
	fmt.Printf("%d files, %d bytes\n", files, bytes)
}

// A size says how much to write.
type size struct{ apps, bundles, compose int }

// write makes the folder and fills it. It refuses a folder that is there, so that nothing else is measured along.
func write(folder string, s size) (files, bytes int, err error) {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return 0, 0, fmt.Errorf("making the corpus: %w", err)
	}
	put := func(name, content string) {
		if err != nil {
			return
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return
		}
		if err = os.WriteFile(path, []byte(content), 0o644); err == nil {
			files++
			bytes += len(content)
		}
	}
	for i := range s.apps {
		app(i, put)
	}
	for i := range s.bundles {
		put(fmt.Sprintf("platform/operator-%03d/crds.yaml", i), bundle(i))
	}
	for i := range s.compose {
		put(fmt.Sprintf("compose/project-%05d/compose.yaml", i), project(i))
	}
	if err != nil {
		return files, bytes, fmt.Errorf("writing the corpus: %w", err)
	}
	return files, bytes, nil
}
