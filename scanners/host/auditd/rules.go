package auditd

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A line is a line of a rules file.
type line struct {
	file string
	no   int
	text string
}

func (l line) at() evidence.Origin { return scope.At(l.file, l.no) }

// maxRules is the most rules that are looked at; more do not fit a machine that is to do anything else.
const maxRules = 20000

// split returns the lines of a file that are not empty and no comment.
func split(file string, text []byte) []line {
	var out []line
	no := 0
	for l := range strings.Lines(string(text)) {
		no++
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' && len(out) < maxRules {
			out = append(out, line{file, no, l})
		}
	}
	return out
}

// compile puts the files of rules.d together as augenrules does: the last -D goes first, then the last -b and the last -f,
// and the last -e goes to the end.
func compile(files [][]line) []line {
	var first [3]*line
	var rest []line
	var last *line
	for _, f := range files {
		for _, l := range f {
			switch {
			case strings.HasPrefix(l.text, "-e"):
				last = &l
			case l.text == "-D":
				first[0] = &l
			case strings.HasPrefix(l.text, "-b"):
				first[1] = &l
			case strings.HasPrefix(l.text, "-f"):
				first[2] = &l
			default:
				rest = append(rest, l)
			}
		}
	}
	var out []line
	for _, l := range first {
		if l != nil {
			out = append(out, *l)
		}
	}
	out = append(out, rest...)
	if last != nil {
		out = append(out, *last)
	}
	return out
}

// natural is the order of "ls -v": digits count as numbers.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x != "" && y != "" {
			m, n := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(m) != len(n) {
				return len(m) - len(n)
			}
			if c := strings.Compare(m, n); c != 0 {
				return c
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }

// A number is a setting of the kernel's audit system, and where it stands; the zero Origin where it does not.
type number struct {
	n  int
	at evidence.Origin
}

// A ruleset is what auditctl makes of a list of lines: auditctl(8), audit.rules(7).
type ruleset struct {
	exit, exclude []rule
	never         *rule // a rule of the list "task" that keeps every program from being looked at
	enabled       number
	backlog       number
	wait          number
	failure       number
	rate          number
	strange       []line // what was not understood
	at            evidence.Origin
}

// A rule of the kernel.
type rule struct {
	line
	list, action string
	syscalls     []string // none for every one
	wide, narrow bool     // it applies to programs of 64 bits, of 32 bits
	path         string   // a file, or a folder with all below; "" where it is about system calls alone
	perm         string   // of "rwxa"; "" for all
	filters      []filter // all must hold
	key          string
	msgtypes     []string
}

// A filter is a field of a rule that lets less through.
type filter struct{ field, op, value string }

func (f filter) String() string { return f.field + f.op + f.value }

// load evaluates lines in their order.
func load(lines []line, at evidence.Origin) *ruleset {
	rs := &ruleset{enabled: number{n: 1}, at: at}
	for _, l := range lines {
		if rs.enabled.n == 2 { // the kernel refuses whatever comes after it
			break
		}
		rs.add(l)
	}
	return rs
}

func (rs *ruleset) add(l line) {
	args := fields(l.text)
	arg := ""
	if len(args) > 1 {
		arg = args[1]
	}
	control := map[string]*number{
		"-e": &rs.enabled, "-b": &rs.backlog, "-f": &rs.failure, "-r": &rs.rate, "--backlog_wait_time": &rs.wait,
	}
	switch to := control[args[0]]; {
	case to != nil:
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 {
			rs.strange = append(rs.strange, l)
			return
		}
		*to = number{n, l.at()}
		return
	case args[0] == "-D":
		rs.delete(args[1:])
		return
	case slices.Contains([]string{"-c", "-i", "-q", "-t", "--loginuid-immutable", "--reset-lost", "--reset_backlog_wait_time_actual", "-s", "-l", "-m"}, args[0]):
		return
	}
	r, adding, ok := parse(l, args)
	if !ok {
		rs.strange = append(rs.strange, l)
		return
	}
	if !adding {
		same := func(o rule) bool { return o.same(r) }
		rs.exit, rs.exclude = slices.DeleteFunc(rs.exit, same), slices.DeleteFunc(rs.exclude, same)
		return
	}
	switch r.list {
	case "exit":
		if args[0] == "-A" {
			rs.exit = slices.Insert(rs.exit, 0, r)
		} else {
			rs.exit = append(rs.exit, r)
		}
	case "exclude":
		rs.exclude = append(rs.exclude, r)
	case "user":
		if r.action == "never" {
			rs.exclude = append(rs.exclude, r)
		}
	case "task":
		if r.action == "never" && len(r.filters) == 0 {
			rs.never = &r
		}
	}
}

// delete takes out all rules, or those of a key.
func (rs *ruleset) delete(args []string) {
	gone := func(r rule) bool { return len(args) < 2 || args[0] == "-k" && r.key == args[1] }
	rs.exit, rs.exclude = slices.DeleteFunc(rs.exit, gone), slices.DeleteFunc(rs.exclude, gone)
	if len(args) < 2 {
		rs.never = nil
	}
}

func (r rule) same(o rule) bool {
	return r.list == o.list && r.action == o.action && slices.Equal(r.syscalls, o.syscalls) && r.path == o.path && r.perm == o.perm &&
		r.wide == o.wide && slices.Equal(r.filters, o.filters) && slices.Equal(r.msgtypes, o.msgtypes)
}

// fields splits a line at blanks; auditctl knows no quotes in a file but takes them off.
func fields(text string) []string {
	args := strings.Fields(text)
	for i, a := range args {
		if len(a) > 1 && (a[0] == '"' || a[0] == '\'') && a[len(a)-1] == a[0] {
			args[i] = a[1 : len(a)-1]
		}
	}
	return args
}

// parse reads -a, -A, -d, -w and -W.
func parse(l line, args []string) (r rule, adding, ok bool) {
	r = rule{line: l, list: "exit", action: "always", wide: true, narrow: true}
	arch := ""
	for i := 0; i < len(args); i++ {
		option, value := args[i], ""
		if i+1 < len(args) {
			value = args[i+1]
		}
		if value == "" {
			return r, false, false
		}
		i++
		switch option {
		case "-a", "-A", "-d":
			adding = option != "-d"
			ok = true
			one, two, both := strings.Cut(value, ",")
			if one == "always" || one == "never" || one == "possible" {
				one, two = two, one
			}
			if !both || two != "always" && two != "never" {
				return r, false, false
			}
			r.list, r.action = one, two
		case "-w", "-W":
			adding = option == "-w"
			ok = true
			r.path = clean(value)
		case "-p":
			r.perm = value
		case "-k":
			r.key = value
		case "-S":
			for name := range strings.SplitSeq(value, ",") {
				switch _, err := strconv.Atoi(name); {
				case err == nil: // a number means another call on each architecture
					return r, false, false
				case name != "all" && name != "":
					r.syscalls = append(r.syscalls, name)
				}
			}
		case "-F", "-C":
			f, good := field(value)
			if !good {
				return r, false, false
			}
			switch {
			case option == "-F" && f.field == "arch":
				arch = f.op + f.value
			case option == "-F" && f.op == "=" && (f.field == "path" || f.field == "dir"):
				r.path = clean(f.value)
			case option == "-F" && f.op == "=" && f.field == "perm":
				r.perm = f.value
			case option == "-F" && f.field == "key":
				r.key = f.value
			case option == "-F" && f.field == "msgtype" && f.op == "=":
				r.msgtypes = append(r.msgtypes, f.value)
			case f.wide():
			default:
				r.filters = append(r.filters, f)
			}
		default:
			return r, false, false
		}
	}
	switch arch { // auditctl(8), "-S": without arch a rule is looked up for the native one
	case "":
	case "=b32", "=i386", "=i486", "=i586", "=i686", "=arm", "=armeb", "=ppc", "=s390":
		r.wide = false
	default:
		r.narrow = false
	}
	if arch == "" && len(r.syscalls) > 0 {
		r.narrow = false
	}
	return r, adding, ok
}

func clean(name string) string { return path.Clean("/" + name) }

// field reads "auid>=1000".
func field(s string) (filter, bool) {
	i := strings.IndexAny(s, "=!<>&")
	if i <= 0 {
		return filter{}, false
	}
	n := i + 1
	for n < len(s) && strings.IndexByte("=&", s[n]) >= 0 {
		n++
	}
	return filter{s[:i], s[i:n], s[n:]}, true
}

// wide reports whether a field keeps nothing out that an investigation asks for: what failed is not asked for, and a0 is
// the clock of the machine in rules about clock_settime.
func (f filter) wide() bool {
	switch f.String() {
	case "success=1", "success=yes", "exit>=0", "a0=0x0", "a0=0", "exit=0":
		return true
	}
	return false
}

// fails reports whether a field picks what did not succeed, and so did not happen.
func (f filter) fails() bool {
	return f.field == "exit" && f.op == "=" && strings.HasPrefix(f.value, "-") || f.String() == "success=0" || f.String() == "success=no"
}

// exact reports whether a field picks a program, a user or a thing, and not a kind of them.
func (f filter) exact() bool {
	return f.op == "=" && slices.Contains([]string{"exe", "subj_type", "subj_user", "pid", "ppid", "dir", "path", "fstype"}, f.field)
}

// An event is what a rule may be about: a system call of programs of one width, or an access to a file.
type event struct {
	syscall string
	narrow  bool // by a program of 32 bits
	path    string
	perm    byte
}

// meets reports whether a rule may be about an event, and which fields narrow it.
func (r rule) meets(e event) (filters []filter, ok bool) {
	filters = r.filters
	if e.narrow && !r.narrow || !e.narrow && !r.wide || slices.ContainsFunc(r.filters, filter.fails) {
		return nil, false
	}
	if e.path != "" { // watches are rules for the calls that their permissions stand for
		if r.path == "" && len(r.syscalls) > 0 {
			return nil, false
		}
		if r.path != "" && !under(e.path, r.path) || r.perm != "" && strings.IndexByte(r.perm, e.perm) < 0 {
			return nil, false
		}
		if r.path != "" && len(r.syscalls) > 0 && r.perm == "" {
			filters = append(slices.Clip(filters), filter{"syscall", "=", strings.Join(r.syscalls, ",")})
		}
		return filters, true
	}
	if len(r.syscalls) > 0 && !slices.Contains(r.syscalls, e.syscall) || len(r.syscalls) == 0 && r.perm != "" {
		return nil, false
	}
	if r.path != "" {
		if len(r.syscalls) == 0 {
			return nil, false
		}
		filters = append(slices.Clip(filters), filter{"path", "=", r.path})
	}
	return filters, true
}

func under(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// An answer says how much of an event is recorded.
type answer struct {
	evidence.Extent
	at evidence.Origin
}

// maxOnly is the most conditions that are named.
const maxOnly = 3

// ask goes through the rules for calls: the first one that meets an event decides about it.
func (rs *ruleset) ask(e event) answer {
	if rs.never != nil {
		return answer{evidence.Extent{Grade: evidence.None}, rs.never.at().WithNote("no program is looked at")}
	}
	for _, r := range rs.exclude {
		if r.list == "exclude" && len(r.filters) == 0 && slices.Contains(r.msgtypes, "SYSCALL") {
			return answer{evidence.Extent{Grade: evidence.None}, r.at().WithNote("a rule drops what the kernel says of system calls")}
		}
	}
	var only []string
	var at evidence.Origin
	broad, left := "", 0
	for _, r := range rs.exit {
		filters, ok := r.meets(e)
		switch {
		case !ok:
			continue
		case r.action == "never" && len(filters) == 0:
			if len(only) == 0 {
				return answer{evidence.Extent{Grade: evidence.None}, r.at().WithNote("a rule keeps it out")}
			}
		case r.action == "never":
			left++
			if !slices.ContainsFunc(filters, filter.exact) && broad == "" {
				broad = words(filters)
			}
			continue
		case len(filters) == 0:
			return whole(r.at(), broad, left)
		default:
			if len(only) == 0 {
				at = r.at()
			}
			if w := words(filters); len(only) < maxOnly && !slices.Contains(only, w) {
				only = append(only, w)
			}
			continue
		}
		break
	}
	if len(only) == 0 {
		return answer{evidence.Extent{Grade: evidence.None}, rs.at.WithNote("no rule for it")}
	}
	return answer{evidence.Extent{Grade: evidence.Some, But: "only where " + strings.Join(only, ", or ")}, at}
}

// whole is everything without what rules keep out that come first.
func whole(at evidence.Origin, broad string, left int) answer {
	switch {
	case broad != "":
		return answer{evidence.Extent{Grade: evidence.Some, But: "not where " + broad}, at}
	case left == 1:
		return answer{evidence.Extent{Grade: evidence.All, But: "not what 1 rule leaves out"}, at}
	case left > 1:
		return answer{evidence.Extent{Grade: evidence.All, But: fmt.Sprintf("not what %d rules leave out", left)}, at}
	}
	return answer{evidence.Extent{Grade: evidence.All}, at}
}

func words(filters []filter) string {
	out := make([]string, len(filters))
	for i, f := range filters {
		out[i] = f.String()
	}
	return strings.Join(out, " and ")
}
