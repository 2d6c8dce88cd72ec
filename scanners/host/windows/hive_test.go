package windows

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
)

// opened opens bytes as the hive SYSTEM.
func opened(data string) *hive {
	h := &hive{file: "SYSTEM", left: maxHive}
	h.read(strings.NewReader(data), int64(len(data)))
	return h
}

var sample = values{
	`Select|Current`:                   1,
	`ControlSet001\Control\A|Text`:     "time.windows.com,0x9 ntp.corp.example",
	`ControlSet001\Control\A|Short`:    "x",
	`ControlSet001\Control\A|Number`:   uint32(0xFFFFFFFF),
	`ControlSet001\Control\A|`:         []byte{1, 2, 3, 4, 5},
	`ControlSet001\Control\A|Large`:    []byte(strings.Repeat("0123456789", 5000)),
	`ControlSet001\Channels\A/B`:       "",
	`ControlSet001\Channels\A/B|Digit`: "12",
}

func TestAHiveIsRead(t *testing.T) {
	h := opened(sample.hive(t))
	a := h.key("controlset001", "Control", "a")
	if text, _ := a.text("TEXT").Get(); text != "time.windows.com,0x9 ntp.corp.example" {
		t.Errorf("text %q", text)
	}
	if text, _ := a.text("Short").Get(); text != "x" {
		t.Errorf("short text %q", text)
	}
	if n, _ := a.number("Number").Get(); n != 0xFFFFFFFF {
		t.Errorf("number %d", n)
	}
	if data, _ := a.bytes("").Get(); string(data) != "\x01\x02\x03\x04\x05" {
		t.Errorf("the default value is %x", data)
	}
	if data, _ := a.bytes("Large").Get(); string(data) != strings.Repeat("0123456789", 5000) {
		t.Errorf("%d bytes of large data", len(data))
	}
	if n, _ := h.key("ControlSet001", "Channels", "A/B").number("Digit").Get(); n != 12 {
		t.Errorf("number of a text: %d", n)
	}
	if v := a.number("None"); !v.IsMoot() {
		t.Errorf("a value that is not there: %v", v)
	}
	if v := h.key("ControlSet001", "None", "Deeper").number("None"); !v.IsMoot() {
		t.Errorf("a key that is not there: %v", v)
	}
	if v := a.number("Text"); !v.IsUnknown() || v.Why() != evidence.Unfamiliar {
		t.Errorf("a text as a number: %v", v)
	}
	if h.dirty != "" {
		t.Error(h.dirty)
	}
}

func TestAnotherReaderReadsTheHivesOfTheseTests(t *testing.T) {
	tool := hosttest.Tool(t, "hivexregedit", "libwin-hivex-perl")
	file := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(file, []byte(sample.hive(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "--export", file, `\ControlSet001\Control\A`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{`"Number"=dword:ffffffff`, `@=hex(3):01,02,03,04,05`, `"Text"=hex(1):74,00,69,00`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%.2000s", want, out)
		}
	}
}

func TestAHiveOfWindowsIsRead(t *testing.T) {
	tool, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "www.velocidex.com/golang/regparser").Output()
	if err != nil {
		t.Skip("no sources of regparser")
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(tool)), "testdata/NTUSER.DAT"))
	if err != nil {
		t.Skip(err)
	}
	h := opened(string(data))
	if text, known := h.key("Control Panel", "International").text("sLanguage").Get(); !known || text == "" {
		t.Errorf("sLanguage: %q, %v", text, known)
	}
	seen := 0
	var walk func(key, int)
	walk = func(k key, depth int) {
		var failed error
		for _, below := range k.keys(&failed) {
			seen++
			if depth < 8 {
				walk(below, depth+1)
			}
		}
		if failed != nil {
			t.Errorf("%s: %v", k.path, failed)
		}
	}
	walk(h.key(), 0)
	if seen < 500 {
		t.Errorf("%d keys", seen)
	}
}

func TestAHiveThatWasNotClosedSaysSoOfEachFact(t *testing.T) {
	data := []byte(sample.hive(t))
	data[4]++
	h := opened(string(checked(data[:4096])) + string(data[4096:]))
	v := h.key("Select").number("Current")
	if n, _ := v.Get(); n != 1 || !strings.Contains(v.At().Note, ".LOG1") {
		t.Errorf("%d at %+v", n, v.At())
	}
}

func TestADamagedHiveIsNeverTakenForAnEmptyOne(t *testing.T) {
	good := sample.hive(t)
	for _, length := range []int{8, 512, 4096} {
		absent := 0
		for at := 0; at+length <= len(good); at += length { // each piece gone in turn
			h := opened(good[:at] + strings.Repeat("\x00", length) + good[at+length:])
			v := h.key("ControlSet001", "Control", "A").number("Number")
			if n, known := v.Get(); known && n != 0xFFFFFFFF && n != 0 {
				t.Errorf("at %d: %d", at, n)
			}
			if v.IsMoot() {
				absent++
			}
		}
		// The number of keys or values of a key alone may be gone, which nothing tells.
		if most := map[int]int{8: 6, 512: 0, 4096: 0}[length]; absent > most {
			t.Errorf("pieces of %d bytes: %d times taken for absent", length, absent)
		}
	}
	for _, size := range []int{0, 3, 511, 4095, 4096, 4200, len(good) / 2} {
		if v := opened(good[:size]).key("ControlSet001", "Control", "A").number("Number"); !v.IsUnknown() {
			t.Errorf("of %d bytes: %v", size, v)
		}
	}
}

func TestAListThatHoldsItselfEnds(t *testing.T) {
	data := []byte(sample.hive(t))
	// The list of the keys below the root becomes one of lists, whose only part is itself, and which promises much.
	root := 4096 + int(le(data[36:]))
	list := le(data[root+4+28:])
	copy(data[4096+list+4:], append([]byte("ri\xff\xff"), u32(list, list, list, list)...))
	start := time.Now()
	v := opened(string(data)).key("Select").number("Current")
	if !v.IsUnknown() {
		t.Errorf("%v", v)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

func le(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24 }

func FuzzHive(f *testing.F) {
	small := values{`Select|Current`: 1, `ControlSet001\Services\X\Parameters|Rules`: []byte("12345"), `ControlSet001\Control\A|Text`: "text"}
	f.Add([]byte(small.hive(f)))
	f.Add([]byte(sample.hive(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := opened(string(data))
		k := controls(h)
		list, _ := services(k)
		for _, v := range list {
			v.key.key("Parameters").bytes("Rules")
		}
		a := h.key("ControlSet001", "Control", "A")
		a.text("Text")
		a.bytes("Large")
	})
}

func TestTheNameOfAMachine(t *testing.T) {
	r := hosttest.Image(t, map[string]string{"WINDOWS/system32/Config/system": values{
		`Select|Current`: 2, `ControlSet002\Control\ComputerName\ComputerName|ComputerName`: "FS-01",
	}.hive(t)})
	if got := Name(r); got != "FS-01" {
		t.Errorf("%q", got)
	}
	if got := Name(hosttest.Image(t, nil)); got != "" {
		t.Errorf("of no registry: %q", got)
	}
}
