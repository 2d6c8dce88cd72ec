// Command floor reads every YAML and JSON file below a folder and parses it to nodes, in parallel, and does nothing else:
// what any scanner that parses every file must spend.
//
//	go run ./benchmarks/floor FOLDER
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v4"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: floor FOLDER")
		os.Exit(2)
	}
	c, err := parse(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	fmt.Printf("%d files, %d documents, %d nodes\n", c.files, c.documents, c.nodes)
}

type count struct{ files, documents, nodes int64 }

// parse counts what is in the files below a folder. A file that does not parse ends it: a floor that skips files would be
// too low.
func parse(folder string) (count, error) {
	paths := make(chan string)
	var files, documents, nodes atomic.Int64
	var failed error
	var once sync.Once
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for path := range paths {
				d, n, err := parseFile(path)
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("parsing %s: %w", path, err) })
				}
				files.Add(1)
				documents.Add(d)
				nodes.Add(n)
			}
		})
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml", ".yml", ".json":
			if entry.Type().IsRegular() {
				paths <- path
			}
		}
		return nil
	})
	close(paths)
	workers.Wait()
	return count{files.Load(), documents.Load(), nodes.Load()}, errors.Join(err, failed)
}

func parseFile(path string) (documents, nodes int64, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for dec := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return documents, nodes, nil
		}
		if err != nil {
			return documents, nodes, err
		}
		documents++
		nodes += size(&doc)
	}
}

// size counts a node and all below it.
func size(n *yaml.Node) int64 {
	sum := int64(1)
	for _, c := range n.Content {
		sum += size(c)
	}
	return sum
}
