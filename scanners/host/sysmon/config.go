package sysmon

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"lookback/evidence"
)

// A Platform is a system that Sysmon runs on.
type Platform uint8

// The platforms.
const (
	Either  Platform = iota // a file does not tell: only what both know is asked
	Windows                 // all classes
	Linux                   // those that its eBPF programs produce
)

// A Class is a kind of event, by the name of its element in a configuration.
type Class string

// The classes that an investigation asks for. Their numbers are those of the events, see the page "Sysmon" of
// learn.microsoft.com/sysinternals.
const (
	ProcessCreate      Class = "ProcessCreate"      // 1
	FileCreateTime     Class = "FileCreateTime"     // 2
	NetworkConnect     Class = "NetworkConnect"     // 3
	ProcessTerminate   Class = "ProcessTerminate"   // 5
	DriverLoad         Class = "DriverLoad"         // 6
	RawAccessRead      Class = "RawAccessRead"      // 9
	ProcessAccess      Class = "ProcessAccess"      // 10
	FileCreate         Class = "FileCreate"         // 11
	FileDelete         Class = "FileDelete"         // 23
	FileDeleteDetected Class = "FileDeleteDetected" // 26
)

// asked lists them in order of number, with what each sees. A part that stands twice is the better of both. The classes of
// Linux are those whose system calls sysmonforlinux.c hooks: nothing there sees a time set back or a module loaded. The
// element of its class of eBPF programs (event 100) could not be confirmed, so that it is not asked for.
var asked = []struct {
	class Class
	part  evidence.Part
	linux bool
	// on says that it is recorded where no element names it: "ruledefault" in manifest.xml of SysmonCommon. One without
	// a word there is not; UnitTests/rules.cpp, "No rules means the default is applicable".
	on bool
}{
	{ProcessCreate, evidence.PartProcessStart, true, true},
	{FileCreateTime, evidence.PartFileTimes, false, false},
	{NetworkConnect, evidence.PartConnections, true, false},
	{ProcessTerminate, evidence.PartProcessEnd, true, true},
	{DriverLoad, evidence.PartDriverLoads, false, false},
	{RawAccessRead, evidence.PartRawReads, true, false},
	{ProcessAccess, evidence.PartProcessAccess, true, false},
	{FileCreate, evidence.PartFileWrites, true, false},
	{FileDelete, evidence.PartFileDeletes, true, false},
	{FileDeleteDetected, evidence.PartFileDeletes, false, false},
}

// A Filter is what one element of a configuration says of a class.
type Filter struct {
	Class   Class
	Exclude bool // onmatch="exclude"
	Rules   int  // its conditions; those within one Rule count once
	Broad   bool // a condition of it is met by nearly everything
	Line    int  // from 1; 0 where there are no lines
	Col     int
}

// A Setting is how much of a class is recorded.
type Setting struct {
	// Extent is {None} when off; {All} for everything, and for all but what a list leaves out, which But then tells;
	// {Some} for what a list names.
	Extent evidence.Extent
	// Line and Col are where that is written; 0 where no element names the class and its default holds.
	Line, Col int
	Default   bool
	// Note is a word on what does not meet the eye.
	Note string
}

// Classes say how much a configuration records of each class that its platform knows.
type Classes struct {
	Schema   string // "4.90"; "" where it is not known
	Platform Platform
	Line     int // of the element Sysmon
	Of       map[Class]Setting
}

var (
	// ErrNotSysmon is why a file is none of Sysmon's.
	ErrNotSysmon = errors.New("not a Sysmon configuration")
	errTooDeep   = errors.New("nested too deeply")
)

// enough is how many characters of a command line tell what was typed: what people type is shorter.
const enough = 1024

// maxDepth bounds how deep elements lie in each other: Sysmon, EventFiltering, RuleGroup, a class, Rule and a field.
const maxDepth = 64

// Grade reads a configuration. It is text of UTF-8 or, with or without a byte order mark, UTF-16. Of Either the platform
// is guessed from the paths in its rules.
func Grade(text []byte, on Platform) (Classes, error) {
	doc, err := parse(text)
	if err != nil {
		return Classes{}, err
	}
	if on == Either {
		on = doc.platform()
	}
	c := Evaluate(doc.filters, on)
	c.Schema, c.Line = doc.schema, doc.line
	if set := c.Of[ProcessCreate]; doc.command > 0 && doc.command < enough && set.Extent.Grade == evidence.All {
		but := fmt.Sprintf("command lines cut after %d characters (FieldSizes)", doc.command)
		set.Extent = evidence.Extent{Grade: evidence.Some, But: strings.TrimPrefix(set.Extent.But+"; "+but, "; ")}
		c.Of[ProcessCreate] = set
	}
	if doc.network != nil && c.Of[NetworkConnect].Default {
		c.Of[NetworkConnect] = *doc.network
	}
	return c, nil
}

// Evaluate says what filters add up to. The rules are those of FilterEventRules in rules.c of SysmonCommon: exclusions go
// first; an event that no condition meets is recorded where the only element of its class is an exclusion, and dropped
// where there are several, whatever they are.
func Evaluate(filters []Filter, on Platform) Classes {
	c := Classes{Platform: on, Of: map[Class]Setting{}}
	for _, a := range asked {
		if on != Windows && !a.linux {
			continue
		}
		var of []Filter
		included, excluded, broad := 0, 0, false
		for _, f := range filters {
			switch {
			case f.Class != a.class:
				continue
			case f.Exclude:
				excluded, broad = excluded+f.Rules, broad || f.Broad
			default:
				included += f.Rules
			}
			of = append(of, f)
		}
		c.Of[a.class] = evaluate(of, included, excluded, a.on, broad)
	}
	return c
}

func evaluate(of []Filter, included, excluded int, on, broad bool) Setting {
	if len(of) == 0 {
		s := Setting{Extent: evidence.Extent{Grade: evidence.None}, Default: true, Note: "Sysmon's default, for no element names the class"}
		if on {
			s.Extent.Grade = evidence.All
		}
		return s
	}
	s := Setting{Line: of[0].Line, Col: of[0].Col}
	switch {
	case len(of) == 1 && of[0].Exclude && excluded == 0:
		s.Extent = evidence.Extent{Grade: evidence.All}
	case len(of) == 1 && of[0].Exclude && broad:
		s.Extent = evidence.Extent{Grade: evidence.Some, But: "not what " + rules(excluded, "leaves out", "leave out") + ", one of which nearly everything meets"}
	case len(of) == 1 && of[0].Exclude:
		s.Extent = evidence.Extent{Grade: evidence.All, But: "not what " + rules(excluded, "leaves out", "leave out")}
	case included == 0:
		s.Extent = evidence.Extent{Grade: evidence.None}
		if len(of) > 1 {
			s.Note = "of several elements of one class none includes anything"
		}
	default:
		s.Extent = evidence.Extent{Grade: evidence.Some, But: "only what " + rules(included, "names", "name")}
		if excluded > 0 {
			s.Extent.But += ", without what " + rules(excluded, "leaves out", "leave out")
		}
		if i := slices.IndexFunc(of, func(f Filter) bool { return !f.Exclude && f.Rules > 0 }); i >= 0 {
			s.Line, s.Col = of[i].Line, of[i].Col
		}
	}
	return s
}

func rules(n int, one, many string) string {
	if n == 1 {
		return "1 rule " + one
	}
	return fmt.Sprintf("%d rules %s", n, many)
}

// A document is what was read of a configuration.
type document struct {
	schema  string
	line    int
	filters []Filter
	command int      // characters of a command line, where the option FieldSizes cuts it
	network *Setting // of the option NetworkConnect beside the filters, as the switch -n
	windows bool     // a class that only Windows has, or a path of it
	slashes bool     // a backslash, which paths of Windows have and commands of both
	linux   bool     // a path, or an option, of Linux
}

func (d *document) platform() Platform {
	switch {
	case d.windows:
		return Windows
	case d.linux:
		return Linux
	case d.slashes:
		return Windows
	}
	return Either
}

// parse reads what lies in Sysmon/EventFiltering, in RuleGroups and beside them, as the XPath queries of xml.cpp in
// SysmonCommon do.
func parse(text []byte) (*document, error) {
	dec := xml.NewDecoder(bytes.NewReader(decoded(text)))
	dec.CharsetReader = charset
	doc := &document{}
	var path []string
	var current *Filter     // the class that is being read
	inClass, inRule := 0, 0 // the depth of its element, and of the Rule in it
	group := ""             // how the RuleGroup joins conditions
	var all, one breadth    // of the class, of the Rule in it
	var condition string    // of the element that is being read
	var value []byte
	for {
		line, col := dec.InputPos()
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && len(path) == 0 && doc.line > 0 {
			return doc, nil
		}
		if err != nil {
			if doc.line == 0 && errors.Is(err, io.EOF) {
				return nil, ErrNotSysmon
			}
			return nil, fmt.Errorf("reading a Sysmon configuration: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			switch depth := len(path); {
			case depth > maxDepth:
				return nil, errTooDeep
			case depth == 1:
				if t.Name.Local != "Sysmon" || attr(t, "schemaversion") == "" {
					return nil, ErrNotSysmon
				}
				doc.schema, doc.line = attr(t, "schemaversion"), line
			case path[1] != "EventFiltering":
				if depth == 2 {
					doc.option(t.Name.Local, line, col)
				}
			case current == nil && depth > 2 && t.Name.Local == "RuleGroup":
				group = attr(t, "groupRelation")
			case current == nil && depth > 2:
				relation := group
				if path[depth-2] != "RuleGroup" {
					relation = ""
				}
				all = breadth{or: strings.EqualFold(relation, "or")}
				f, err := class(t, line, col)
				if err != nil {
					return nil, err
				}
				doc.filters = append(doc.filters, f)
				current, inClass = &doc.filters[len(doc.filters)-1], depth
				doc.windows = doc.windows || only(f.Class)
			case current != nil:
				if inRule == 0 {
					current.Rules++
				}
				if strings.EqualFold(t.Name.Local, "Rule") && inRule == 0 {
					inRule, one = depth, breadth{or: strings.EqualFold(attr(t, "groupRelation"), "or")}
				}
				condition, value = attr(t, "condition"), value[:0]
			}
		case xml.EndElement:
			switch depth := len(path); {
			case current == nil:
			case inClass == depth:
				current.Broad = all.broad()
				current, inClass = nil, 0
			case inRule == depth:
				all.add(one.broad())
				inRule = 0
			case inRule > 0:
				one.add(meetsAll(condition, string(value)))
			default:
				all.add(meetsAll(condition, string(value)))
			}
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 2 && path[1] == "FieldSizes" {
				doc.sizes(string(t))
			}
			if current != nil {
				value = append(value, t...)
				doc.look(string(t))
			} else if len(path) == 2 && path[1] == string(NetworkConnect) && len(bytes.TrimSpace(t)) > 0 {
				doc.network.Extent = evidence.Extent{Grade: evidence.Some, But: "only of the programs that the option names"}
			}
		}
	}
}

// A breadth says whether conditions that are joined are met by nearly everything: one of them, or all.
type breadth struct {
	or        bool
	any, none int // that nearly everything meets; that it does not
}

func (b *breadth) add(broad bool) {
	if broad {
		b.any++
	} else {
		b.none++
	}
}

func (b *breadth) broad() bool { return b.any > 0 && (b.or || b.none == 0) }

// meetsAll reports whether nearly everything meets a condition: what says what a field is not, or that a path begins with what
// all of them do. The words are those of "sysmon -? config".
func meetsAll(condition, value string) bool {
	switch condition = strings.ToLower(condition); condition {
	case "is not", "excludes", "excludes any", "excludes all", "not begin with", "not end with":
		return true
	case "begin with", "contains", "contains any", "end with":
		value = strings.TrimRight(strings.ToLower(strings.TrimSpace(value)), `\/`)
		return slices.Contains([]string{"", "c:", `c:\windows`, `c:\windows\system32`, `c:\program files`, `c:\users`, ".exe", "exe", "/usr", "/usr/bin", "/bin", "/home", "/etc"}, value)
	}
	return false
}

// sizes reads "CommandLine:100,Image:20": the option of Linux that cuts fields, see README.md of SysmonForLinux.
func (d *document) sizes(text string) {
	for one := range strings.SplitSeq(text, ",") {
		name, size, _ := strings.Cut(one, ":")
		if n, err := strconv.Atoi(strings.TrimSpace(size)); err == nil && n > 0 && strings.TrimSpace(name) == "CommandLine" {
			d.command = n
		}
	}
}

// class reads the element of a class: it records what its conditions meet, or what they do not.
func class(t xml.StartElement, line, col int) (Filter, error) {
	f := Filter{Class: Class(t.Name.Local), Line: line, Col: col}
	if like, known := known(t.Name.Local); !known {
		// Sysmon holds the file against a list of what may stand in it, and takes nothing of one that it refuses.
		return f, fmt.Errorf("reading a Sysmon configuration: line %d: %q is no class of events%s", line, t.Name.Local, like)
	}
	switch match, def := attr(t, "onmatch"), attr(t, "default"); {
	case match == "exclude" && def == "", match == "" && def == "include":
		f.Exclude = true
	case match == "include" && def == "", match == "" && def == "exclude":
	default:
		return f, fmt.Errorf("reading a Sysmon configuration: line %d: %s is neither onmatch=\"include\" nor \"exclude\"", line, f.Class)
	}
	return f, nil
}

// option reads what stands beside EventFiltering.
func (d *document) option(name string, line, col int) {
	switch name {
	case "FieldSizes":
		d.linux = true
	case "ArchiveDirectory", "CheckRevocation", "DriverName":
		d.windows = true
	case string(NetworkConnect):
		d.network = &Setting{Extent: evidence.Extent{Grade: evidence.All}, Line: line, Col: col}
	}
}

// onlyWindows are the classes that are not asked for, and that Linux has not.
var onlyWindows = []Class{
	"ImageLoad", "CreateRemoteThread", "RegistryEvent", "FileCreateStreamHash", "PipeEvent", "WmiEvent", "DnsQuery",
	"ClipboardChange", "ProcessTampering", "FileBlockExecutable", "FileBlockShredding", "FileExecutableDetected",
}

// only reports whether a class is one that Linux has not.
func only(c Class) bool {
	for _, a := range asked {
		if a.class == c {
			return !a.linux
		}
	}
	return slices.Contains(onlyWindows, c)
}

// known reports whether a name may be that of a class. One that differs from a class in its letters' case, or by one "s" or
// so, is none; of others, which a later version may have brought, nothing is said.
func known(name string) (like string, ok bool) {
	classes := slices.Clone(onlyWindows)
	for _, a := range asked {
		classes = append(classes, a.class)
	}
	for _, c := range classes {
		if string(c) == name {
			return "", true
		}
	}
	plain := func(s string) string { return strings.TrimRight(strings.ToLower(s), "sd") }
	for _, c := range classes {
		if plain(string(c)) == plain(name) {
			return fmt.Sprintf("; %q is", c), false
		}
	}
	return "", true
}

// look takes from the text of a condition which system it is meant for.
func (d *document) look(text string) {
	text = strings.ToLower(strings.TrimSpace(text))
	drive := len(text) > 2 && text[1] == ':' && text[2] == '\\'
	switch {
	case drive, strings.HasSuffix(text, ".exe"), strings.HasSuffix(text, ".dll"), strings.HasPrefix(text, `\`), strings.HasPrefix(text, "hk"):
		d.windows = true
	case strings.HasPrefix(text, "/") && !strings.Contains(text, `\`):
		d.linux = true
	case strings.Contains(text, `\`):
		d.slashes = true
	}
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// decoded returns text as UTF-8, without a byte order mark. Sysmon takes UTF-16 as well, with or without a mark: xml.cpp,
// FetchConfigurationVersion.
func decoded(text []byte) []byte {
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		return utf8of(text[2:], binary.LittleEndian)
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return utf8of(text[2:], binary.BigEndian)
	case len(text) > 1 && text[1] == 0:
		return utf8of(text, binary.LittleEndian)
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
}

func utf8of(text []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// charset reads what a declaration calls something other than UTF-8: UTF-16 was decoded before; of ISO 8859-1 and its like
// only the names of elements matter, which are ASCII in all of them.
func charset(label string, in io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(label), "utf-16") {
		return in, nil
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	out := make([]rune, len(raw))
	for i, b := range raw {
		out[i] = rune(b)
	}
	return strings.NewReader(string(out)), nil
}
