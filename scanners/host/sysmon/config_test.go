package sysmon_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"lookback/evidence"
	"lookback/scanners/host/sysmon"
)

// said are the classes of a configuration, a line each.
func said(c sysmon.Classes) map[string]string {
	out := map[string]string{}
	for class, s := range c.Of {
		out[string(class)] = string(s.Extent.Grade)
		if s.Extent.But != "" {
			out[string(class)] += ": " + s.Extent.But
		}
	}
	return out
}

func wrap(filters string) string {
	return "<Sysmon schemaversion=\"4.90\">\n<EventFiltering>\n" + filters + "\n</EventFiltering>\n</Sysmon>\n"
}

func TestWhatAFilterRecords(t *testing.T) {
	for name, c := range map[string]struct {
		filters string
		class   sysmon.Class
		want    string
		line    int
	}{
		"an empty inclusion records nothing":               {`<RawAccessRead onmatch="include"/>`, sysmon.RawAccessRead, "none", 3},
		"an empty exclusion records everything":            {`<RawAccessRead onmatch="exclude"></RawAccessRead>`, sysmon.RawAccessRead, "all", 3},
		"a class that is not named has its default, on":    {``, sysmon.ProcessCreate, "all", 0},
		"a class that is not named has its default, off":   {``, sysmon.NetworkConnect, "none", 0},
		"a file class that is not named is off":            {``, sysmon.FileCreate, "none", 0},
		"a commented element is not there":                 {`<!-- <FileDelete onmatch="exclude"/> -->`, sysmon.FileDelete, "none", 0},
		"a list of what to leave out records all the rest": {`<ProcessCreate onmatch="exclude"><Image condition="is">a</Image><Image>b</Image></ProcessCreate>`, sysmon.ProcessCreate, "all: not what 2 rules leave out", 3},
		"a list of what to take records only that":         {`<ProcessCreate onmatch="include"><Image>a</Image></ProcessCreate>`, sysmon.ProcessCreate, "some: only what 1 rule names", 3},
		"the conditions of a Rule count once":              {`<ProcessCreate onmatch="include"><Rule groupRelation="and"><Image>a</Image><User>b</User></Rule></ProcessCreate>`, sysmon.ProcessCreate, "some: only what 1 rule names", 3},
		"what all but one program does is left out":        {`<ProcessCreate onmatch="exclude"><Image condition="is not">a</Image></ProcessCreate>`, sysmon.ProcessCreate, "some: not what 1 rule leaves out, one of which nearly everything meets", 3},
		"a whole disk is left out": {
			`<RuleGroup groupRelation="or"><FileCreate onmatch="exclude"><Image>a</Image><TargetFilename condition="begin with">C:\</TargetFilename></FileCreate></RuleGroup>`,
			sysmon.FileCreate, "some: not what 2 rules leave out, one of which nearly everything meets", 3,
		},
		"a broad condition beside a narrow one in a Rule": {
			`<RuleGroup groupRelation="or"><ProcessCreate onmatch="exclude"><Rule groupRelation="and"><Image condition="is">a</Image><User condition="is not">b</User></Rule></ProcessCreate></RuleGroup>`,
			sysmon.ProcessCreate, "all: not what 1 rule leaves out", 3,
		},
		"a broad condition beside a narrow one in a group": {
			`<RuleGroup groupRelation="and"><ProcessCreate onmatch="exclude"><Image condition="is">a</Image><User condition="is not">b</User></ProcessCreate></RuleGroup>`,
			sysmon.ProcessCreate, "all: not what 2 rules leave out", 3,
		},
		"CDATA and entities":          {`<ProcessCreate onmatch="exclude"><Image condition="is"><![CDATA[C:\a&b.exe]]></Image><Image>&lt;x&gt;</Image></ProcessCreate>`, sysmon.ProcessCreate, "all: not what 2 rules leave out", 3},
		"a RuleGroup changes nothing": {`<RuleGroup groupRelation="or"><FileCreate onmatch="exclude"/></RuleGroup>`, sysmon.FileCreate, "all", 3},
		"exclusion beats inclusion": {
			"<RuleGroup>\n<FileCreate onmatch=\"exclude\"><Image>a</Image></FileCreate></RuleGroup>\n<RuleGroup><FileCreate onmatch=\"include\"><Image>b</Image><Image>c</Image></FileCreate></RuleGroup>",
			sysmon.FileCreate, "some: only what 2 rules name, without what 1 rule leaves out", 5,
		},
		"two inclusions add up": {
			`<FileCreate onmatch="include"><Image>a</Image></FileCreate><FileCreate onmatch="include"><Image>b</Image></FileCreate>`,
			sysmon.FileCreate, "some: only what 2 rules name", 3,
		},
		"an empty inclusion beside an exclusion records nothing": {
			`<FileCreate onmatch="exclude"><Image>a</Image></FileCreate><FileCreate onmatch="include"/>`, sysmon.FileCreate, "none", 3,
		},
		"two exclusions leave nothing": { // rules.c: "If no match and multiple rules, default to exclude"
			`<FileCreate onmatch="exclude"><Image>a</Image></FileCreate><FileCreate onmatch="exclude"><Image>b</Image></FileCreate>`,
			sysmon.FileCreate, "none", 3,
		},
		"the older word for an exclusion": {`<FileCreate default="include"/>`, sysmon.FileCreate, "all", 3},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sysmon.Grade([]byte(wrap(c.filters)), sysmon.Windows)
			if err != nil {
				t.Fatal(err)
			}
			if said(got)[string(c.class)] != c.want || got.Of[c.class].Line != c.line {
				t.Errorf("got %q in line %d, want %q in line %d", said(got)[string(c.class)], got.Of[c.class].Line, c.want, c.line)
			}
		})
	}
}

func TestTheSwitchForConnectionsTurnsThemOn(t *testing.T) {
	for option, want := range map[string]string{
		"<NetworkConnect/>":                      "all",
		"<NetworkConnect>a.exe</NetworkConnect>": "some: only of the programs that the option names",
	} {
		c, err := sysmon.Grade([]byte(`<Sysmon schemaversion="4.1">`+option+`</Sysmon>`), sysmon.Windows)
		if err != nil || said(c)["NetworkConnect"] != want {
			t.Errorf("%s: got %q, %v", option, said(c)["NetworkConnect"], err)
		}
	}
}

func TestLinuxKnowsFewerClasses(t *testing.T) {
	c, err := sysmon.Grade([]byte(wrap(`<DriverLoad onmatch="exclude"/><FileDeleteDetected onmatch="exclude"/>`)), sysmon.Linux)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"FileCreate", "FileDelete", "NetworkConnect", "ProcessAccess", "ProcessCreate", "ProcessTerminate", "RawAccessRead"}
	if got := slices.Sorted(maps.Keys(said(c))); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheSystemIsGuessedFromTheRules(t *testing.T) {
	for filters, want := range map[string]sysmon.Platform{
		`<ProcessCreate onmatch="exclude"><Image>C:\x.exe</Image></ProcessCreate>`:                                      sysmon.Windows,
		`<ProcessCreate onmatch="exclude"><Image condition="begin with">/usr</Image></ProcessCreate>`:                   sysmon.Linux,
		`<ProcessCreate onmatch="exclude"><Image>/bin/x</Image><CommandLine>sed s/a\.b/</CommandLine></ProcessCreate>`:  sysmon.Linux,
		`<ProcessCreate onmatch="exclude"><CommandLine condition="contains">Start Menu\x</CommandLine></ProcessCreate>`: sysmon.Windows,
		`<DnsQuery onmatch="exclude"/>`:      sysmon.Windows,
		`<ProcessCreate onmatch="exclude"/>`: sysmon.Either,
	} {
		if c, err := sysmon.Grade([]byte(wrap(filters)), sysmon.Either); err != nil || c.Platform != want {
			t.Errorf("%s: got %d, %v, want %d", filters, c.Platform, err, want)
		}
	}
}

func TestEncodings(t *testing.T) {
	text := wrap(`<FileCreate onmatch="exclude"/>`)
	var wide []byte
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, data := range map[string][]byte{
		"with a mark": []byte("\xef\xbb\xbf" + text), "UTF-16": append([]byte{0xff, 0xfe}, wide...), "UTF-16 without a mark": wide,
		"ISO 8859-1": []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + strings.Replace(text, "<Event", "<!-- \xe9 --><Event", 1)),
	} {
		if c, err := sysmon.Grade(data, sysmon.Windows); err != nil || said(c)["FileCreate"] != "all" {
			t.Errorf("%s: got %q, %v", name, said(c)["FileCreate"], err)
		}
	}
}

func TestWhatIsNoConfiguration(t *testing.T) {
	for text, want := range map[string]error{
		"":                           sysmon.ErrNotSysmon,
		"{}":                         sysmon.ErrNotSysmon,
		"<project/>":                 sysmon.ErrNotSysmon,
		"<Sysmon/>":                  sysmon.ErrNotSysmon, // the manifest of the schema begins with another element
		`<Sysmon schemaversion="4">`: nil,
		`<!-- a -- b --><Sysmon schemaversion="4"/>`: nil, // a comment that XML does not allow
		wrap("<FileCreate>"):                         nil,
		wrap(`<FileCreate/>`):                        nil,
		wrap(`<FileCreate onmatch="both"/>`):         nil,
	} {
		_, err := sysmon.Grade([]byte(text), sysmon.Windows)
		if err == nil || errors.Is(err, sysmon.ErrNotSysmon) != (want != nil) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzGrade(f *testing.F) {
	f.Add([]byte(wrap(`<RuleGroup><FileCreate onmatch="exclude"><Rule><Image>a</Image></Rule></FileCreate></RuleGroup>`)))
	f.Add([]byte("\xff\xfe<\x00"))
	f.Add([]byte(`<Sysmon schemaversion="4"><NetworkConnect>x</NetworkConnect></Sysmon>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := sysmon.Grade(text, sysmon.Either)
		if err != nil {
			return
		}
		for class, s := range c.Of {
			if s.Extent.Grade == evidence.Some && s.Extent.But == "" || s.Default != (s.Line == 0) && class != "" {
				t.Errorf("%s: %+v", class, s)
			}
		}
	})
}

func TestAClassThatIsNoneIsRefused(t *testing.T) {
	for name, line := range map[string]string{"processcreate": "line 3", "FileDeletes": "line 3", "FileDeleted": "line 3"} {
		_, err := sysmon.Grade([]byte(wrap("<"+name+" onmatch=\"exclude\"/>")), sysmon.Windows)
		if err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, match := range []string{"Include", "EXCLUDE", ""} {
		if _, err := sysmon.Grade([]byte(wrap("<FileCreate onmatch=\""+match+"\"/>")), sysmon.Windows); err == nil {
			t.Errorf("onmatch=%q is taken", match)
		}
	}
	if _, err := sysmon.Grade([]byte(wrap(`<SomethingOfLater onmatch="exclude"/>`)), sysmon.Windows); err != nil {
		t.Error(err)
	}
}

func TestACommandLineThatIsCutIsNotWhole(t *testing.T) {
	text := strings.Replace(wrap(`<ProcessCreate onmatch="exclude"/>`), "<EventFiltering>", "<FieldSizes>CommandLine:100,Image:20</FieldSizes>\n<EventFiltering>", 1)
	c, err := sysmon.Grade([]byte(text), sysmon.Linux)
	if want := "some: command lines cut after 100 characters (FieldSizes)"; err != nil || said(c)["ProcessCreate"] != want {
		t.Errorf("got %q, %v", said(c)["ProcessCreate"], err)
	}
}
