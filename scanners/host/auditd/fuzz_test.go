package auditd

import (
	"testing"

	"lookback/evidence"
)

func FuzzRules(f *testing.F) {
	f.Add("-D\n-a always,exit -F arch=b64 -S execve,connect -C uid!=euid -F key=x\n-w /etc -p wa\n-a never,task\n-e 2\n")
	f.Add("-a\n-F\n-S\n-w\n\"\n-k -d exit,always\n-A never,user -F msgtype=USER_LOGIN")
	m := machine{kernel{narrow: true, legacy: true}, func(name string) bool { return len(name)%7 != 0 }, func(name string) bool { return len(name)%5 != 0 }}
	f.Fuzz(func(t *testing.T, text string) {
		lines := compile([][]line{split("x", []byte(text)), split("y", []byte(text))})
		for p, v := range load(lines, evidence.Origin{File: "x"}, m).parts(m) {
			if e, known := v.Get(); known && e.Grade == evidence.Some && e.But == "" {
				t.Errorf("%s is recorded in part, and it is not said what is missing", p)
			}
		}
		settings("x", []byte(text))
		broken([]byte(text))
	})
}

func TestTheOrderOfFiles(t *testing.T) {
	for _, pair := range [][2]string{{"9-a", "10-a"}, {"10-a", "10-b"}, {"a", "a1"}, {"2", "12"}, {"007", "8"}} {
		if natural(pair[0], pair[1]) >= 0 || natural(pair[1], pair[0]) <= 0 {
			t.Errorf("%s does not come before %s", pair[0], pair[1])
		}
	}
}
