package tree

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// generate writes n manifests of about 2 KB in folders of 20, three deep, with the .gitignore files of an ordinary
// repository.
func generate(tb testing.TB, n int) string {
	dir := tb.TempDir()
	ignore := "*.log\n*.tmp\n.DS_Store\n/dist/\n/build/\nbin/\nobj/\n*.swp\n.idea/\n.vscode/\n!.vscode/settings.json\n" +
		"coverage/\n.env\n.env.*\n!.env.example\n__pycache__/\n*.py[cod]\n.terraform/\n*.tfstate*\nout/**/cache\n" +
		"**/charts/*.tgz\n/hack/tmp-*\n[Tt]humbs.db\nsecret-?.yaml\nlocal.settings.json\n"
	write(tb, dir, ".git/HEAD", "ref: refs/heads/main\n", ".gitignore", ignore)
	content := bytes.Repeat([]byte("metadata: {name: web, namespace: shop}\n"), 50)
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("team-%d/app-%d/base-%d", i/2000, i/200, i/20))
		if i%20 == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				tb.Fatal(err)
			}
		}
		if i%200 == 0 {
			write(tb, folder, "../.gitignore", "generated-*.yaml\n/tmp/\n")
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("manifest-%d.yaml", i)), content, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{5_000, 20_000} {
		dir := generate(b, n)
		b.Run(fmt.Sprintf("%d files", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t, err := Open(dir)
				if err != nil {
					b.Fatal(err)
				}
				stats, err := t.Walk(context.Background(), Options{}, func(f File) error { return f.Err })
				if err != nil || stats.Files != n {
					b.Fatal(stats, err)
				}
				t.Close()
			}
		})
		// What anyone would write first: one goroutine, no ignore files.
		b.Run(fmt.Sprintf("%d files by WalkDir and ReadFile", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				files := 0
				err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
					if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yaml") {
						return err
					}
					files++
					_, err = os.ReadFile(path)
					return err
				})
				if err != nil || files != n {
					b.Fatal(files, err)
				}
			}
		})
	}
}
