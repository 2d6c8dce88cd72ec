package kubelet

import "testing"

func FuzzManifest(f *testing.F) {
	f.Add("spec:\n  containers:\n  - command: [kube-apiserver, --audit-log-path=/a/b.log]\n    volumeMounts: [{name: x, mountPath: /a}]\n  volumes: [{name: x, hostPath: {path: /b}}]\n", "/a/b.log")
	f.Add("a: &a [*a]\n", "..")
	f.Fuzz(func(t *testing.T, manifest, file string) {
		p := readPod([]byte(manifest))
		if at := p.onHost(file); at != "" && at[0] == '/' {
			t.Errorf("%q is no name below the root", at)
		}
		p.flag("--audit-log-path")
	})
}

func FuzzQuantity(f *testing.F) {
	for _, text := range []string{"10Mi", "1.5G", "9999999999999Ti", ".", "", "5e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := quantity(text); ok && n < 0 {
			t.Errorf("%q is %d bytes", text, n)
		}
	})
}
