package rds

import (
	"slices"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A database is what is set for the logs of an instance, or of a cluster with its instances.
type database struct {
	cluster             bool
	thing, name, engine string
	family              family
	at                  evidence.Origin
	exports             []string // the logs that go to CloudWatch Logs
	groups              string   // what the names of their log groups begin with
	stream              string   // the Kinesis stream of a database activity stream that runs
	set                 settings
	members             map[string]settings                          // of an Aurora cluster, by instance
	options             evidence.Value[map[string]map[string]string] // of its option group, with their settings; moot for a cluster
}

// settings are parameters by name: in lower case, "" where the engine's default holds.
type settings map[string]evidence.Value[string]

// applied reports whether what a group says is in force: see the SDK on DBParameterGroupStatus and OptionGroupMembership.
func applied(status string) bool { return status == "" || status == "in-sync" }

// inForce takes back what is set and may not be in force yet: "The parameter group change will be applied after the DB
// instance reboots", the SDK on DBParameterGroupStatus. What is off, or not set, stays so.
func (set settings) inForce(status string) settings {
	if applied(status) {
		return set
	}
	out := settings{}
	for name, v := range set {
		if is, _ := on(v).Get(); is {
			v = evidence.Unknown[string](evidence.Elsewhere, v.At().WithNote("its parameter group is "+status))
		}
		out[name] = v
	}
	return out
}

// A family of engines logs in one way.
type family string

const (
	postgres    family = "PostgreSQL"
	mysql       family = "MySQL" // and MariaDB
	auroraMySQL family = "Aurora MySQL"
	oracle      family = "Oracle"
	sqlServer   family = "SQL Server"
	docDB       family = "DocumentDB"
	neptune     family = "Neptune"
	custom      family = "RDS Custom"
	unfamiliar  family = ""
)

// familyOf takes the names of engines that the SDK lists at CreateDBInstanceInput.Engine.
func familyOf(engine string) family {
	switch {
	case engine == "postgres", engine == "aurora-postgresql":
		return postgres
	case engine == "mysql", engine == "mariadb":
		return mysql
	case engine == "aurora-mysql", engine == "aurora":
		return auroraMySQL
	case strings.HasPrefix(engine, "oracle-"):
		return oracle
	case strings.HasPrefix(engine, "sqlserver-"):
		return sqlServer
	case engine == "docdb":
		return docDB
	case engine == "neptune":
		return neptune
	case strings.HasPrefix(engine, "custom-"):
		return custom
	}
	return unfamiliar
}

// asks lists the parameters that decide what a database logs.
func (d database) asks() []string {
	switch d.family {
	case postgres:
		return []string{"log_connections", "pgaudit.log", "rds.log_retention_period", "shared_preload_libraries"}
	case mysql:
		return []string{"general_log", "log_output"}
	case auroraMySQL:
		return []string{"general_log", "log_output", "server_audit_events", "server_audit_logging", "server_audit_logs_upload"}
	case oracle:
		if d.exported("audit") {
			return []string{"audit_trail"}
		}
	case docDB:
		return []string{"audit_logs"}
	case neptune:
		return []string{"neptune_enable_audit_log"}
	}
	return nil
}

func (d database) exported(log string) bool { return slices.Contains(d.exports, log) }

// A way is one in which a database writes down who connects.
type way struct {
	on  evidence.Value[bool]
	log string // as exports name it
	// exported says that it goes to CloudWatch Logs, else it stays with the database for so long.
	exported bool
	kept     evidence.Value[int]
	bytes    evidence.Value[int64]
	but      string // what is not in it
}

// observe turns a database into records.
func observe(s *scope.Scope, d database) {
	kind := "RDS instance"
	switch {
	case d.family == docDB:
		kind = "DocumentDB cluster"
	case d.family == neptune:
		kind = "Neptune cluster"
	case strings.HasPrefix(d.engine, "aurora"):
		kind = "Aurora cluster"
	case d.cluster:
		kind = "RDS cluster"
	}
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(d.thing), Kind: kind, Name: d.name, At: d.at},
		In:      s.In(d.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Database: evidence.Known(true, d.at)},
	}
	s.Record(asset)
	l := s.Source(d.thing, evidence.Database, "log of connections", d.name, d.at)
	l.Records, l.Covers = "its log of connections", []evidence.ID{asset.ID}
	ways := d.ways()
	whole := slices.ContainsFunc(ways, func(w way) bool { on, _ := w.on.Get(); return on && w.but == "" })
	for i, w := range ways {
		if l.Enabled = vended.Either(l.Enabled, w.on); i == 0 {
			l.Enabled = w.on
		}
		if on, known := w.on.Get(); known && !on || w.log == "" {
			continue
		}
		if w.but != "" && !whole {
			l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
				evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: w.but}, w.on.At()),
			}
		}
		if w.exported {
			l.To = append(l.To, w.brings(evidence.EverythingTo(s.GroupID(d.groups+w.log), d.at), ways))
			continue
		}
		store := s.Store(s.ID(d.thing+"/"+w.log), "log files", "the local "+w.log+" log of "+d.name, d.at)
		store.On = evidence.Known([]evidence.ID{asset.ID}, d.at)
		store.Kept, store.Bytes = w.kept, w.bytes
		if w.on.IsUnknown() { // then it may not write anything that could be kept
			store.Kept, store.Bytes = evidence.Unknown[int](w.on.Why(), w.on.At()), evidence.Unknown[int64](w.on.Why(), w.on.At())
		}
		s.Record(store)
		l.To = append(l.To, w.brings(evidence.EverythingTo(store.ID, d.at), ways))
	}
	if arn := d.setting("SQLSERVER_AUDIT", "S3_BUCKET_ARN"); arn != "" {
		if to, ok := vended.Store(s, arn, d.name); ok { // bucket/key-prefix/instance-name/: the user guide, "Using the audit files"
			l.To = append(l.To, evidence.EverythingTo(to, d.options.At()))
		}
	}
	if d.stream != "" {
		l.Enabled = evidence.Known(true, d.at.WithNote("as a database activity stream"))
		l.To = append(l.To, evidence.EverythingTo(s.ID("kinesis/"+d.stream), d.at))
	}
	s.Record(l)
}

// brings says of a delivery that it may bring nothing, where another way is known to write and this one is not.
func (w way) brings(to evidence.Delivery, ways []way) evidence.Delivery {
	if w.on.IsUnknown() && slices.ContainsFunc(ways, func(other way) bool { on, _ := other.on.Get(); return on }) {
		to.Extent = evidence.Unknown[evidence.Extent](w.on.Why(), w.on.At())
	}
	return to
}

// ways lists how a database may write down who connects; the first one stands for all where none is known to.
func (d database) ways() []way {
	switch d.family {
	case postgres:
		return []way{d.postgres()}
	case mysql:
		if d.cluster { // "RDS for MySQL - error | general | slowquery": no audit log, the SDK on CreateDBClusterInput
			return []way{d.general()}
		}
		return []way{d.plugin(), d.general()}
	case auroraMySQL:
		return []way{d.advancedAudit(), d.general()}
	case oracle:
		return []way{d.oracle()}
	case sqlServer:
		return []way{{
			on:  evidence.Unknown[bool](evidence.Elsewhere, d.at.WithNote("which logins SQL Server writes down is set inside the database")),
			log: "error", exported: d.exported("error"), kept: d.notRead(), bytes: evidence.Moot[int64](d.at),
		}}
	case docDB:
		return []way{d.docDB()}
	case neptune:
		// "Log files are rotated when they reach 100 MB in aggregate": the Neptune user guide, "Using audit logs".
		return []way{{
			on: on(d.set["neptune_enable_audit_log"]), log: "audit", exported: d.exported("audit"),
			kept: evidence.Known(0, d.at), bytes: evidence.Known(int64(100e6), d.at),
		}}
	case custom:
		return []way{{on: evidence.Unknown[bool](evidence.Elsewhere, d.at.WithNote("the owner administers the machine of an RDS Custom database"))}}
	}
	return []way{{on: evidence.Unknown[bool](evidence.Unfamiliar, d.at.WithNote("we do not know how "+d.engine+" logs who connects"))}}
}

// notRead is how long a log is kept with the database where nothing that we read tells.
func (d database) notRead() evidence.Value[int] {
	return evidence.Unknown[int](evidence.Elsewhere, d.at.WithNote("how long the database keeps its own log files was not read"))
}

// is turns a parameter into whether it turns something on.
func is(v evidence.Value[string], test func(string) bool) evidence.Value[bool] {
	text, known := v.Get()
	if !known {
		return evidence.Unknown[bool](v.Why(), v.At())
	}
	return evidence.Known(test(text), v.At())
}

// on reads a switch.
func on(v evidence.Value[string]) evidence.Value[bool] {
	return is(v, func(text string) bool {
		switch text {
		case "", "0", "off", "false", "no", "none", "disabled":
			return false
		}
		return true
	})
}

// both holds where two facts do.
func both(a, b evidence.Value[bool]) evidence.Value[bool] {
	if holds, known := a.Get(); known && !holds {
		return a
	}
	if holds, known := b.Get(); known && !holds || !known && !a.IsUnknown() {
		return b
	}
	return a
}

// contains reports whether one of the words of a list is there: "connect,query".
func contains(word string) func(string) bool {
	return func(list string) bool {
		return slices.Contains(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }), word)
	}
}

// postgres is off unless log_connections is on ("The default is off", its manual) or pgaudit writes statements, which the
// prefix of each line gives a user and a host.
func (d database) postgres() way {
	written := func(set settings) evidence.Value[bool] {
		audit := both(on(set["pgaudit.log"]), is(set["shared_preload_libraries"], contains("pgaudit")))
		return vended.Either(on(set["log_connections"]), audit)
	}
	w := way{
		on: written(d.set), log: "postgresql", exported: d.exported("postgresql"),
		kept: d.notRead(), bytes: evidence.Moot[int64](d.at),
	}
	if period, known := d.set["rds.log_retention_period"].Get(); known {
		at := d.set["rds.log_retention_period"].At()
		if minutes, err := strconv.Atoi(period); err == nil {
			w.kept = evidence.Known(minutes/(24*60), at)
		} else if period == "" { // "The default value is 4320 (three days)": the RDS user guide, "Setting the log retention period"
			w.kept = evidence.Known(3, at)
		}
	} else {
		w.kept = evidence.Unknown[int](d.set["rds.log_retention_period"].Why(), d.set["rds.log_retention_period"].At())
	}
	if len(d.members) > 0 {
		w.on, w.but = d.each(written)
	}
	return w
}

// each says whether the instances of a cluster write a log, by the settings of each, and which of them do not where others
// do.
func (d database) each(written func(settings) evidence.Value[bool]) (on evidence.Value[bool], but string) {
	var yes, no []string
	for _, m := range sorted(d.members) {
		one := written(d.members[m])
		holds, known := one.Get()
		switch {
		case !known:
			return one, ""
		case holds:
			yes = append(yes, m)
			on = one
		default:
			no = append(no, m)
			if len(yes) == 0 {
				on = one
			}
		}
	}
	if len(yes) > 0 && len(no) > 0 {
		but = "not on " + strings.Join(no, ", ")
	}
	return on, but
}

func sorted(m map[string]settings) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// plugin is the audit plugin of MySQL and MariaDB. It logs connections and statements unless told otherwise, and connections
// of every user: the RDS user guide, "MariaDB Audit Plugin support".
func (d database) plugin() way {
	w := way{log: "audit", exported: d.exported("audit"), kept: evidence.Known(0, d.options.At())}
	options, known := d.options.Get()
	set, there := options["MARIADB_AUDIT_PLUGIN"]
	if !known {
		w.on = evidence.Unknown[bool](d.options.Why(), d.options.At())
		w.kept = evidence.Unknown[int](d.options.Why(), d.options.At())
		w.bytes = evidence.Unknown[int64](d.options.Why(), d.options.At())
		return w
	}
	events := set["SERVER_AUDIT_EVENTS"]
	logs := there && (events == "" || contains("connect")(strings.ToLower(events))) && !strings.EqualFold(set["SERVER_AUDIT_LOGGING"], "off")
	w.on = evidence.Known(logs, d.options.At())
	// Nine files of a million bytes beside the current one, unless set.
	size, rotations := number(set["SERVER_AUDIT_FILE_ROTATE_SIZE"], 1_000_000), number(set["SERVER_AUDIT_FILE_ROTATIONS"], 9)
	w.bytes = evidence.Known(size*(rotations+1), d.options.At())
	if rotations == 0 { // it never rotates
		w.kept, w.bytes = d.notRead(), evidence.Moot[int64](d.options.At())
	}
	return w
}

func number(text string, standard int64) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n
	}
	return standard
}

// setting is what is set for an option of the database's option group.
func (d database) setting(option, name string) string {
	options, _ := d.options.Get()
	return options[option][name]
}

// general is the log of everything that a MySQL server is sent, connections among it. It goes to a table unless log_output
// says FILE, and only a file is exported. Each instance of an Aurora cluster has settings of its own: "You can generate the
// slow query and general logs by setting parameters in your DB parameter group", the Aurora user guide on its logs.
func (d database) general() way {
	written := func(set settings) evidence.Value[bool] {
		if output, _ := set["log_output"].Get(); output == "none" {
			return evidence.Known(false, set["log_output"].At())
		}
		return on(set["general_log"])
	}
	w := way{on: written(d.set), log: "general", kept: d.notRead(), bytes: evidence.Moot[int64](d.at)}
	toFile := func(set settings) bool {
		output, known := set["log_output"].Get()
		return !known || contains("file")(output)
	}
	w.exported = d.exported("general") && toFile(d.set)
	if len(d.members) > 0 {
		w.on, w.but = d.each(written)
		w.exported = d.exported("general")
		for _, set := range d.members {
			if logs, _ := written(set).Get(); logs && !toFile(set) {
				w.exported = false
			}
		}
		return w
	}
	if output, known := d.set["log_output"].Get(); known && contains("file")(output) && d.family == mysql && !d.cluster {
		// "log files older than 24 hours are removed" of MariaDB, "more than two weeks old" of MySQL: the RDS user guide on
		// log file sizes, which also bounds them to 2 percent of the disk.
		days := 14
		if d.engine == "mariadb" {
			days = 1
		}
		w.kept = evidence.Known(days, d.set["log_output"].At().WithNote("or less, where it fills 2 percent of the disk"))
	}
	return w
}

// advancedAudit is Aurora's own: the Aurora user guide, "Using Advanced Auditing".
func (d database) advancedAudit() way {
	upload, _ := on(d.set["server_audit_logs_upload"]).Get()
	return way{
		on:  both(on(d.set["server_audit_logging"]), is(d.set["server_audit_events"], contains("connect"))),
		log: "audit", exported: d.exported("audit") || upload, kept: d.notRead(), bytes: evidence.Moot[int64](d.at),
	}
}

// oracle writes connections to its listener's log, and to audit files where audit_trail says so. Where neither is exported
// we cannot tell: what it keeps itself is set inside.
func (d database) oracle() way {
	w := way{
		on:  evidence.Unknown[bool](evidence.Elsewhere, d.at.WithNote("what Oracle writes to its own disk is set inside the database")),
		log: "listener", exported: d.exported("listener"), kept: d.notRead(), bytes: evidence.Moot[int64](d.at),
	}
	switch {
	case d.exported("listener"):
		w.on = evidence.Known(true, d.at)
	case d.exported("audit"):
		w.log, w.exported = "audit", true
		w.on = is(d.set["audit_trail"], func(text string) bool { return strings.HasPrefix(text, "os") || strings.HasPrefix(text, "xml") })
		// "db" has it write to a table, of which the export takes nothing.
		if text, known := d.set["audit_trail"].Get(); known && (text == "" || strings.HasPrefix(text, "db")) {
			w.on = evidence.Unknown[bool](evidence.Elsewhere, d.set["audit_trail"].At().WithNote("what Oracle writes to the audit files that are exported is set inside the database"))
		}
	}
	return w
}

// docDB writes nothing unless audit_logs asks for it, and keeps nothing that is not exported: the DocumentDB developer
// guide, "Auditing events". Authentication is among the DDL events.
func (d database) docDB() way {
	set := d.set["audit_logs"]
	w := way{log: "audit", exported: true, on: is(set, func(list string) bool {
		return contains("enabled")(list) || contains("ddl")(list) || contains("all")(list)
	})}
	if !d.exported("audit") {
		w.on = evidence.Known(false, d.at.WithNote("its audit log is not exported"))
	}
	return w
}
