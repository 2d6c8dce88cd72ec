package scanners

import "testing"

func TestIsDevelopment(t *testing.T) {
	d := Declared{Development: []string{"demo/**", "**/e2e/**", "*-ci.yml", "/a/b.yml"}}
	for name, want := range map[string]bool{
		"compose.yaml": false, "docker-compose.test.yml": true, "x/compose.dev.yaml": true, "compose-dev.yaml": false,
		"demo/x/compose.yaml": true, "demos/compose.yaml": false, "x/compose-ci.yml": true, "a/b.yml": true, "b.yml": false,
		"x/y/e2e/compose.yaml": true, "e2e.yaml": false,
	} {
		if got := d.IsDevelopment(name); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
}
