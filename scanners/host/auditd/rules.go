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
	never         *rule  // a rule of the list "task" that keeps every program from being looked at
	unseen        []rule // rules of that list that keep some from it
	enabled       number
	backlog       number
	wait          number
	failure       number
	rate          number
	strange       []line // what was not understood
	numbered      []line // rules that give a system call by its number, which is another one on each architecture
	lenient       bool   // -i or -c: what auditctl refuses does not end the load
	seen          map[string]bool
	end           *refusal // the first line that ends the load: what comes after it is not in force
	at            evidence.Origin
}

// A rule of the kernel.
type rule struct {
	line
	list, action string
	syscalls     []string // none for every one
	wide, narrow bool     // it applies to programs of 64 bits, of 32 bits
	path         string   // a file, or a folder with all below; "" where it is about system calls alone
	alone, tree  bool     // of a folder itself, without what is below; of a folder, which has to be there
	perm         string   // of "rwxa"; "" for all
	filters      []filter // all must hold
	key          string
	types        []filter // of the list exclude: what the number of a message must be
}

// A filter is a field of a rule that lets less through.
type filter struct{ field, op, value string }

func (f filter) String() string { return f.field + f.op + f.value }

// A refusal is a line that auditctl does not get into the kernel. Without -i or -c it reads no further: fileopt in auditctl.c.
type refusal struct {
	line
	index int // among the lines
	why   string
	sure  bool // not only possible
}

// note says what the refusal does to the lines after it.
func (r *refusal) note() string {
	if r.sure {
		return r.why + ", and without -i or -c before it nothing after it is loaded"
	}
	return r.why + "; if auditctl refuses it, nothing after it is loaded, for there is no -i or -c before it"
}

// load evaluates lines in their order, as if none were refused.
func load(lines []line, at evidence.Origin, m machine) *ruleset {
	rs := &ruleset{enabled: number{n: 1}, at: at, seen: map[string]bool{}}
	for i, l := range lines {
		if rs.enabled.n == 2 { // the kernel refuses whatever comes after it
			break
		}
		odd := len(rs.strange)
		why, sure := rs.add(l, m)
		if len(rs.strange) > odd {
			why, sure = "it is not understood", false
		}
		if why != "" && rs.end == nil && !rs.lenient {
			rs.end = &refusal{l, i, why, sure}
		}
	}
	return rs
}

// A machine is what auditctl and the kernel hold rules against.
type machine struct {
	kernel
	there func(string) bool // whether a path may lie on it
	seen  func(string) bool // whether it surely does
}

// legacy are calls that newer architectures left out: asm-generic/unistd.h.
var legacy = []string{"open", "creat", "unlink", "rename", "link", "symlink", "mkdir", "rmdir", "mknod", "chmod", "chown", "lchown", "utime", "utimes", "futimesat", "create_module", "query_module"}

// must is what has to be there for the kernel to take a rule about a path: a folder that is asked for as one, else the folder
// that a thing lies in. Audit_add_tree_rule, audit_get_nd.
func (r rule) must() string {
	if r.tree {
		return r.path
	}
	return path.Dir(r.path)
}

// absent begin paths that an image need not hold: other partitions, and what is made at the start.
var absent = []string{"/var/log", "/run", "/var/run", "/proc", "/sys", "/dev", "/tmp", "/boot", "/mnt", "/media"}

// refuses says why a rule that is understood may not be taken: syscall_name_to_number of libaudit, and audit_add_rule and
// audit_add_watch of the kernel.
func (rs *ruleset) refuses(r rule, m machine) (why string, sure bool) {
	text := strings.Join(fields(r.text), " ")
	switch {
	case rs.seen[text]:
		return "the same rule stands before it (auditctl: Rule exists)", true
	case !m.legacy && r.wide && slices.ContainsFunc(r.syscalls, func(c string) bool { return slices.Contains(legacy, c) }):
		return "it names a system call that the machine has not", true
	case r.path != "" && !m.there(r.must()) && !slices.ContainsFunc(absent, func(dir string) bool { return under(r.path, dir) }):
		why = "there is no " + r.must()
	}
	rs.seen[text] = true
	return why, false
}

// add takes a line, and says why it may be refused.
func (rs *ruleset) add(l line, m machine) (refused string, sure bool) {
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
			return "", false
		}
		*to = number{n, l.at()}
		return "", false
	case args[0] == "-D":
		rs.delete(args[1:])
		return "", false
	case args[0] == "-c" || args[0] == "-i":
		rs.lenient = true
		return "", false
	case slices.Contains([]string{"-q", "-t", "--loginuid-immutable", "--reset-lost", "--reset_backlog_wait_time_actual", "-s", "-l", "-m"}, args[0]):
		return "", false
	}
	r, adding, ok := parse(l, args)
	if !ok {
		rs.strange = append(rs.strange, l)
		return "", false
	}
	if !adding {
		clear(rs.seen)
		same := func(o rule) bool { return o.same(r) && o.key == r.key }
		rs.exit, rs.exclude = slices.DeleteFunc(rs.exit, same), slices.DeleteFunc(rs.exclude, same)
		return "", false
	}
	refused, sure = rs.refuses(r, m)
	if slices.ContainsFunc(r.syscalls, numeric) {
		rs.numbered = append(rs.numbered, l)
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
		switch {
		case r.action != "never":
		case len(r.filters) == 0:
			rs.never = &r
		default:
			rs.unseen = append(rs.unseen, r)
		}
	}
	return refused, sure
}

// delete takes out all rules, or those of a key.
func (rs *ruleset) delete(args []string) {
	gone := func(r rule) bool { return len(args) < 2 || args[0] == "-k" && r.key == args[1] }
	rs.exit, rs.exclude = slices.DeleteFunc(rs.exit, gone), slices.DeleteFunc(rs.exclude, gone)
	clear(rs.seen)
	if len(args) < 2 {
		rs.never, rs.unseen = nil, nil
	}
}

func (r rule) same(o rule) bool {
	return r.list == o.list && r.action == o.action && slices.Equal(r.syscalls, o.syscalls) && r.path == o.path && r.perm == o.perm &&
		r.wide == o.wide && slices.Equal(r.filters, o.filters) && slices.Equal(r.types, o.types)
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
				if name != "all" && name != "" {
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
				r.path, r.alone, r.tree = clean(f.value), f.field == "path", f.field == "dir"
			case option == "-F" && f.op == "=" && f.field == "perm":
				r.perm = f.value
			case option == "-F" && f.field == "key":
				r.key = f.value
			case option == "-F" && f.field == "msgtype":
				r.types = append(r.types, f)
			default:
				r.filters = append(r.filters, f)
			}
		default:
			return r, false, false
		}
	}
	switch arch { // auditctl(8), "-S": without arch a rule is looked up for the native one
	case "":
	case "=b32", "=i386", "=i486", "=i586", "=i686", "=arm", "=armeb", "=ppc", "=s390", "!=b64", "!=x86_64", "!=aarch64":
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

// wide reports whether a field keeps nothing out of a call that an investigation asks for: what failed is not asked for. A
// call that does not wait (connect) fails first and does its work later; one that returns a number (openat) never returns 0.
func (f filter) wide(call string) bool {
	switch f.String() {
	case "success=1", "success=yes", "success!=0", "success!=no", "exit>=0", "exit>-1":
		return call != "connect"
	case "exit=0":
		return !slices.Contains([]string{"connect", "openat", "bpf", "adjtimex", ""}, call)
	case "uid!=ntp", "uid!=chrony", "uid!=_chrony", "uid!=ntpsec", "uid!=systemd-timesync", "uid!=openntpd": // the program that keeps the time
		return slices.Contains([]string{"adjtimex", "settimeofday", "clock_settime"}, call)
	case "a0=0x0", "a0=0": // the clock of the machine: CLOCK_REALTIME is 0, clock_gettime(2)
		return call == "clock_settime"
	}
	return false
}

// fails reports whether a field picks what did not succeed, and so did not happen.
func (f filter) fails() bool {
	switch f.String() {
	case "success=0", "success=no", "success!=1", "success!=yes":
		return true
	}
	return f.field == "exit" && (f.op == "=" && strings.HasPrefix(f.value, "-") || f.op == "<" && (f.value == "0" || strings.HasPrefix(f.value, "-")) ||
		f.op == "<=" && strings.HasPrefix(f.value, "-"))
}

// timekeepers are the users that programs which set the clock run as.
var timekeepers = []string{"chrony", "_chrony", "ntp", "ntpsec", "systemd-timesync", "openntpd"}

// exact reports whether a field picks a program or a thing, and not a kind of them.
func (f filter) exact() bool {
	switch {
	case f.op != "=":
		return false
	case f.field == "ppid" && f.value == "1", f.field == "subj_type" && strings.HasPrefix(f.value, "unconfined"):
		return false
	case f.field == "path" || f.field == "dir":
		return !slices.ContainsFunc([]string{"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/etc", "/home", "/var/lib"}, func(dir string) bool { return under(dir, f.value) })
	case f.field == "uid" || f.field == "euid":
		return slices.Contains(timekeepers, f.value)
	}
	return slices.Contains([]string{"exe", "subj_type", "pid", "ppid", "fstype"}, f.field)
}

func numeric(name string) bool { _, err := strconv.Atoi(name); return err == nil }

// An event is what a rule may be about: a system call of programs of one width, or an access to a file.
type event struct {
	syscall string
	narrow  bool // by a program of 32 bits
	path    string
	perm    byte
}

// perms are what a watch must have for a call to be among those that it stands for: auditctl(8), "-p".
var perms = map[string]byte{
	"execve": 'x', "execveat": 'x', "openat": 'w', "unlink": 'w', "unlinkat": 'w', "rename": 'w', "renameat": 'w', "utimensat": 'a',
}

// meets reports whether a rule may be about an event, and which fields narrow it.
func (r rule) meets(e event) (filters []filter, ok bool) {
	if e.narrow && !r.narrow || !e.narrow && !r.wide || slices.ContainsFunc(r.filters, filter.fails) {
		return nil, false
	}
	for _, f := range r.filters {
		if !f.wide(e.syscall) {
			filters = append(filters, f)
		}
	}
	if e.path != "" { // watches are rules for the calls that their permissions stand for
		if r.path == "" && len(r.syscalls) > 0 {
			return nil, false
		}
		if r.path != "" && !r.covers(e.path) || r.perm != "" && strings.IndexByte(r.perm, e.perm) < 0 {
			return nil, false
		}
		if r.path != "" && len(r.syscalls) > 0 && r.perm == "" {
			filters = append(filters, filter{"syscall", "=", strings.Join(r.syscalls, ",")})
		}
		return filters, true
	}
	if len(r.syscalls) > 0 && !slices.Contains(r.syscalls, e.syscall) {
		return nil, false
	}
	if len(r.syscalls) == 0 && r.perm != "" && strings.IndexByte(r.perm, perms[e.syscall]) < 0 {
		return nil, false
	}
	if r.path != "" {
		if len(r.syscalls) == 0 && (r.action != "never" || perms[e.syscall] == 0) {
			return nil, false // what a watch sees is asked for by its path
		}
		filters = append(filters, filter{"path", "=", r.path})
	}
	return filters, true
}

// covers reports whether a rule about a path is about a file.
func (r rule) covers(name string) bool { return name == r.path || !r.alone && under(name, r.path) }

func under(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// types are the numbers of messages: linux/audit.h, libaudit.h.
var types = map[string]int{
	"LOGIN": 1006, "USER_AUTH": 1100, "USER_ACCT": 1101, "CRED_ACQ": 1103, "USER_START": 1105, "USER_END": 1106, "USER_LOGIN": 1112,
	"SERVICE_START": 1130, "SERVICE_STOP": 1131, "DAEMON_START": 1200, "DAEMON_END": 1201, "DAEMON_ABORT": 1202, "DAEMON_CONFIG": 1203,
	"SYSCALL": 1300, "PATH": 1302, "CONFIG_CHANGE": 1305, "SOCKADDR": 1306, "EXECVE": 1309,
}

// drops reports whether a rule of the list exclude, or user, is about messages of a type. Those of programs have the numbers
// 1100 to 1199: linux/audit.h.
func (r rule) drops(number int) bool {
	if r.list == "user" && (number < 1100 || number > 1199) {
		return false
	}
	for _, f := range r.types {
		n, err := strconv.Atoi(f.value)
		if err != nil {
			n = types[strings.ToUpper(f.value)] // 0 for one that is not asked for
		}
		if holds := map[string]bool{"=": number == n, "!=": number != n, "<": number < n, "<=": number <= n, ">": number > n, ">=": number >= n}; !holds[f.op] {
			return false
		}
	}
	return true
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
	broad, left := "", 0
	leaves := func(filters []filter) {
		left++
		if !slices.ContainsFunc(filters, filter.exact) && broad == "" {
			broad = words(filters)
		}
	}
	for _, r := range rs.exclude {
		switch {
		case !r.drops(types["SYSCALL"]):
		case len(r.filters) == 0:
			return answer{evidence.Extent{Grade: evidence.None}, r.at().WithNote("a rule drops what the kernel says of system calls")}
		default:
			leaves(r.filters)
		}
	}
	for _, r := range rs.unseen {
		leaves(r.filters)
	}
	var only []string
	var at evidence.Origin
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
			leaves(filters)
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
