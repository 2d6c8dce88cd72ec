package rds

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
)

// estate answers for databases. Parameters and options are by the name of their group.
type estate struct {
	instances  []types.DBInstance
	clusters   []types.DBCluster
	parameters map[string]map[string]string
	options    map[string][]types.Option
}

func (e estate) set(group string, filters []types.Filter, page *string) (out []types.Parameter, next *string) {
	for name, value := range e.parameters[group] {
		if len(filters) == 0 || slices.Contains(filters[0].Values, name) {
			out = append(out, types.Parameter{ParameterName: aws.String(name), ParameterValue: aws.String(value)})
		}
	}
	if page == nil { // the first page is empty
		return nil, aws.String("more")
	}
	return out, nil
}

func (e estate) answer(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *rds.DescribeDBInstancesInput: // in two pages
		half := len(e.instances) / 2
		if in.Marker == nil {
			return &rds.DescribeDBInstancesOutput{DBInstances: e.instances[:half], Marker: aws.String("more")}, nil
		}
		return &rds.DescribeDBInstancesOutput{DBInstances: e.instances[half:]}, nil
	case *rds.DescribeDBClustersInput:
		half := len(e.clusters) / 2
		if in.Marker == nil {
			return &rds.DescribeDBClustersOutput{DBClusters: e.clusters[:half], Marker: aws.String("more")}, nil
		}
		return &rds.DescribeDBClustersOutput{DBClusters: e.clusters[half:]}, nil
	case *rds.DescribeDBParametersInput:
		out, next := e.set(*in.DBParameterGroupName, in.Filters, in.Marker)
		return &rds.DescribeDBParametersOutput{Parameters: out, Marker: next}, nil
	case *rds.DescribeDBClusterParametersInput:
		out, next := e.set(*in.DBClusterParameterGroupName, in.Filters, in.Marker)
		return &rds.DescribeDBClusterParametersOutput{Parameters: out, Marker: next}, nil
	case *rds.DescribeOptionGroupsInput:
		out := &rds.DescribeOptionGroupsOutput{}
		for name, options := range e.options {
			out.OptionGroupsList = append(out.OptionGroupsList, types.OptionGroup{OptionGroupName: aws.String(name), Options: options})
		}
		return out, nil
	}
	return nil, nil
}

func instance(name, engine, parameters, options string, exports ...string) types.DBInstance {
	i := types.DBInstance{
		DBInstanceIdentifier: aws.String(name), Engine: aws.String(engine), EnabledCloudwatchLogsExports: exports,
		DBParameterGroups: []types.DBParameterGroupStatus{{DBParameterGroupName: aws.String(parameters)}},
	}
	if options != "" {
		i.OptionGroupMemberships = []types.OptionGroupMembership{{OptionGroupName: aws.String(options)}}
	}
	return i
}

func cluster(name, engine, parameters string, exports ...string) types.DBCluster {
	return types.DBCluster{
		DBClusterIdentifier: aws.String(name), Engine: aws.String(engine),
		DBClusterParameterGroup: aws.String(parameters), EnabledCloudwatchLogsExports: exports,
	}
}

func option(name string, settings ...string) types.Option {
	o := types.Option{OptionName: aws.String(name)}
	for i := 0; i < len(settings); i += 2 {
		o.OptionSettings = append(o.OptionSettings, types.OptionSetting{Name: &settings[i], Value: &settings[i+1]})
	}
	return o
}

func scan(t *testing.T, e estate) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, e.answer, nil, Service())
}

func TestPostgreSQLLogsConnectionsWhereAParameterSaysSo(t *testing.T) {
	set := scan(t, estate{
		instances: []types.DBInstance{
			instance("audited", "postgres", "pgaudit", "default:postgres-17", "postgresql"),
			instance("default", "postgres", "default.postgres17", "", "postgresql"),
			instance("half", "postgres", "half", "", "postgresql"),
			instance("kept", "postgres", "on", "", "upgrade"),
			instance("sent", "postgres", "on", "", "postgresql", "upgrade"),
		},
		parameters: map[string]map[string]string{
			"default.postgres17": {"log_connections": "", "shared_preload_libraries": "pg_stat_statements"},
			"on":                 {"log_connections": "1", "rds.log_retention_period": "10080"},
			"pgaudit":            {"pgaudit.log": "WRITE, ROLE", "shared_preload_libraries": "pg_stat_statements,pgaudit"},
			"half":               {"pgaudit.log": "all"},
		},
	})
	const at = " (rds:DescribeDBParameters eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/instance/audited#database: on"+at+"pgaudit/pgaudit.log) -> logs//aws/rds/instance/audited/postgresql",
		"rds/instance/default#database: off"+at+"default.postgres17/log_connections, engine default)",
		"rds/instance/half#database: off"+at+"half/log_connections, engine default)",
		"rds/instance/kept#database: on"+at+"on/log_connections) -> rds/instance/kept/postgresql",
		"rds/instance/sent#database: on"+at+"on/log_connections) -> logs//aws/rds/instance/sent/postgresql",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set))
	kept := sourcetest.Record[*evidence.LogStore](t, set, "rds/instance/kept/postgresql")
	if days, known := kept.Kept.Get(); !known || days != 7 {
		t.Errorf("the instance keeps its log %d days", days)
	}
	if on, _ := kept.On.Get(); !slices.Equal(on, []evidence.ID{"aws:111122223333/eu-west-1//rds/instance/kept"}) {
		t.Errorf("the log lies on %v", on)
	}
	if a := sourcetest.Record[*evidence.Asset](t, set, "rds/instance/kept"); a.Kind != "RDS instance" || !a.Lasting {
		t.Errorf("the asset is %+v", a)
	}
	judged := awstest.Judge(set)
	for _, want := range []string{
		`fail recorded-database aws:111122223333/eu-west-1//rds/instance/default: database "default" does not write its log of connections`,
		`pass recorded-database aws:111122223333/eu-west-1//rds/instance/sent: database "sent" writes its log of connections`,
	} {
		if !slices.Contains(judged, want) {
			t.Errorf("not judged %q:\n%s", want, strings.Join(judged, "\n"))
		}
	}
}

func TestAParameterThatWaitsForARebootProvesNothing(t *testing.T) {
	waiting := func(i types.DBInstance, status string) types.DBInstance {
		i.DBParameterGroups[0].ParameterApplyStatus = aws.String(status)
		return i
	}
	graph := cluster("graph", "neptune", "graph", "audit")
	graph.DBClusterMembers = []types.DBClusterMember{
		{DBClusterParameterGroupStatus: aws.String("in-sync")}, {DBClusterParameterGroupStatus: aws.String("pending-reboot")},
	}
	set := scan(t, estate{
		instances: []types.DBInstance{
			waiting(instance("applied", "postgres", "on", "", "postgresql"), "in-sync"),
			waiting(instance("waits", "postgres", "on", "", "postgresql"), "pending-reboot"),
			waiting(instance("waits-for-nothing", "postgres", "off", "", "postgresql"), "pending-reboot"),
		},
		clusters: []types.DBCluster{graph},
		parameters: map[string]map[string]string{
			"on": {"log_connections": "1"}, "off": {"log_connections": "0"}, "graph": {"neptune_enable_audit_log": "1"},
		},
	})
	const at = " (rds:DescribeDBParameters eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/cluster/graph#database: elsewhere (rds:DescribeDBClusterParameters eu-west-1/graph/neptune_enable_audit_log, its parameter group is pending-reboot) -> logs//aws/neptune/graph/audit",
		"rds/instance/applied#database: on"+at+"on/log_connections) -> logs//aws/rds/instance/applied/postgresql",
		"rds/instance/waits#database: elsewhere"+at+"on/log_connections, its parameter group is pending-reboot) -> logs//aws/rds/instance/waits/postgresql",
		"rds/instance/waits-for-nothing#database: off"+at+"off/log_connections)",
	)
}

func TestAnOptionGroupThatIsNotInForceProvesNothing(t *testing.T) {
	in := func(name string, groups ...types.OptionGroupMembership) types.DBInstance {
		i := instance(name, "mysql", "none", "", "audit")
		i.OptionGroupMemberships = groups
		return i
	}
	member := func(name, status string) types.OptionGroupMembership {
		return types.OptionGroupMembership{OptionGroupName: aws.String(name), Status: aws.String(status)}
	}
	set := scan(t, estate{
		instances: []types.DBInstance{
			in("applied", member("audit", "in-sync")),
			in("leaves", member("audit", "pending-removal"), member("default:mysql-8-0", "in-sync")),
			in("waits", member("audit", "pending-maintenance-apply")),
		},
		options: map[string][]types.Option{"audit": {option("MARIADB_AUDIT_PLUGIN")}},
	})
	const at = " (rds:DescribeOptionGroups eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/instance/applied#database: on"+at+"audit) -> logs//aws/rds/instance/applied/audit",
		"rds/instance/leaves#database: off"+at+"default:mysql-8-0, engine default)",
		"rds/instance/waits#database: elsewhere (rds:DescribeDBInstances eu-west-1/audit, its option group is pending-maintenance-apply) -> logs//aws/rds/instance/waits/audit",
	)
}

func TestALogThatIsNotExportedIsKeptThreeDaysUnlessSet(t *testing.T) {
	set := scan(t, estate{
		instances:  []types.DBInstance{instance("shop", "postgres", "on", "")},
		parameters: map[string]map[string]string{"on": {"log_connections": "on"}},
	})
	store := sourcetest.Record[*evidence.LogStore](t, set, "rds/instance/shop/postgresql")
	if days, known := store.Kept.Get(); !known || days != 3 || store.Kept.At().Note != "engine default" {
		t.Errorf("it is kept %d days, %+v", days, store.Kept.At())
	}
}

func TestMySQLAndMariaDBNeedAPluginOrTheGeneralLog(t *testing.T) {
	set := scan(t, estate{
		instances: []types.DBInstance{
			instance("audited", "mysql", "none", "audit", "audit"),
			instance("default", "mysql", "none", "default:mysql-8-0", "audit", "error"),
			instance("general", "mariadb", "file", "default:mariadb-11", "general"),
			instance("local", "mariadb", "file", "audit"),
			instance("queries", "mysql", "none", "queries", "audit"),
			instance("table", "mysql", "table", "default:mysql-8-0", "general"),
			instance("unlisted", "mysql", "none", "elsewhere", "audit"),
		},
		parameters: map[string]map[string]string{
			"file":  {"general_log": "1", "log_output": "FILE"},
			"table": {"general_log": "1", "log_output": "TABLE"},
		},
		options: map[string][]types.Option{
			"audit":   {option("MARIADB_AUDIT_PLUGIN", "SERVER_AUDIT_FILE_ROTATIONS", "19")},
			"queries": {option("MARIADB_AUDIT_PLUGIN", "SERVER_AUDIT_EVENTS", "QUERY_DDL,QUERY_DCL")},
		},
	})
	const options, parameters = " (rds:DescribeOptionGroups eu-west-1/", " (rds:DescribeDBParameters eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/instance/audited#database: on"+options+"audit) -> logs//aws/rds/instance/audited/audit",
		"rds/instance/default#database: off"+options+"default:mysql-8-0, engine default)",
		"rds/instance/general#database: on"+parameters+"file/general_log) -> logs//aws/rds/instance/general/general",
		"rds/instance/local#database: on"+options+"audit) -> rds/instance/local/audit -> rds/instance/local/general",
		"rds/instance/queries#database: off"+options+"queries)",
		"rds/instance/table#database: on"+parameters+"table/general_log) -> rds/instance/table/general",
		"rds/instance/unlisted#database: failed"+options+"elsewhere, the answer is empty) -> logs//aws/rds/instance/unlisted/audit",
	)
	audit := sourcetest.Record[*evidence.LogStore](t, set, "rds/instance/local/audit")
	if bytes, _ := audit.Bytes.Get(); bytes != 20_000_000 {
		t.Errorf("the audit log holds %d bytes", bytes)
	}
	if days, known := audit.Kept.Get(); !known || days != 0 {
		t.Errorf("the audit log is kept %d days", days)
	}
	general := sourcetest.Record[*evidence.LogStore](t, set, "rds/instance/local/general")
	if days, known := general.Kept.Get(); !known || days != 1 {
		t.Errorf("MariaDB keeps its general log %d days", days)
	}
	if table := sourcetest.Record[*evidence.LogStore](t, set, "rds/instance/table/general"); !table.Kept.IsUnknown() {
		t.Error("how long a table is kept was not read")
	}
}

func TestOtherEnginesOnInstances(t *testing.T) {
	stream := instance("stream", "oracle-ee", "p", "")
	stream.ActivityStreamStatus, stream.ActivityStreamKinesisStreamName = types.ActivityStreamStatusStarted, aws.String("das")
	set := scan(t, estate{
		instances: []types.DBInstance{
			instance("audit", "oracle-se2", "xml", "", "audit"),
			instance("audit-table", "oracle-se2", "table", "", "audit"),
			instance("custom", "custom-oracle-ee", "", ""),
			instance("db2", "db2-se", "p", "", "diag.log"),
			instance("errors", "sqlserver-se", "p", "default:sqlserver-se-16-00", "error"),
			instance("listener", "oracle-ee", "p", "", "listener"),
			instance("nothing", "oracle-ee", "p", ""),
			instance("sqlaudit", "sqlserver-ee", "p", "audit"),
			stream,
		},
		parameters: map[string]map[string]string{"xml": {"audit_trail": "XML, EXTENDED"}, "table": {"audit_trail": "DB, EXTENDED"}},
		options:    map[string][]types.Option{"audit": {option("SQLSERVER_AUDIT", "S3_BUCKET_ARN", "arn:aws:s3:::audits/sql")}},
	})
	const at = " (rds:DescribeDBInstances eu-west-1/"
	const inside = ", which logins SQL Server writes down is set inside the database)"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/instance/audit#database: on (rds:DescribeDBParameters eu-west-1/xml/audit_trail) -> logs//aws/rds/instance/audit/audit",
		"rds/instance/audit-table#database: elsewhere (rds:DescribeDBParameters eu-west-1/table/audit_trail, what Oracle writes to the audit files that are exported is set inside the database) -> logs//aws/rds/instance/audit-table/audit",
		"rds/instance/custom#database: elsewhere"+at+"custom, the owner administers the machine of an RDS Custom database)",
		"rds/instance/db2#database: unfamiliar"+at+"db2, we do not know how db2-se logs who connects)",
		"rds/instance/errors#database: elsewhere"+at+"errors"+inside+" -> logs//aws/rds/instance/errors/error",
		"rds/instance/listener#database: on"+at+"listener) -> logs//aws/rds/instance/listener/listener",
		"rds/instance/nothing#database: elsewhere"+at+"nothing, what Oracle writes to its own disk is set inside the database) -> rds/instance/nothing/listener",
		"rds/instance/sqlaudit#database: elsewhere"+at+"sqlaudit"+inside+" -> rds/instance/sqlaudit/error -> s3/audits/sql/sqlaudit",
		"rds/instance/stream#database: on"+at+"stream, as a database activity stream) -> rds/instance/stream/listener -> kinesis/das",
	)
}

func TestAClusterStandsForItsInstances(t *testing.T) {
	member := instance("aurora-1", "aurora-mysql", "p", "")
	member.DBClusterIdentifier = aws.String("aurora")
	set := scan(t, estate{
		instances: []types.DBInstance{member},
		clusters: []types.DBCluster{
			cluster("aurora", "aurora-mysql", "audited", "audit"),
			cluster("deaf", "aurora-mysql", "deaf", "audit"),
			cluster("docs", "docdb", "docs", "audit"),
			cluster("docs-kept", "docdb", "docs"),
			cluster("docs-writes", "docdb", "writes", "audit"),
			cluster("graph", "neptune", "graph", "audit"),
			cluster("graph-kept", "neptune", "graph"),
			cluster("multi", "mysql", "general", "general"),
			cluster("uploaded", "aurora-mysql", "uploaded"),
		},
		parameters: map[string]map[string]string{
			"audited":  {"server_audit_logging": "1", "server_audit_events": "CONNECT,QUERY_DCL"},
			"uploaded": {"server_audit_logging": "ON", "server_audit_events": "CONNECT", "server_audit_logs_upload": "1"},
			"deaf":     {"server_audit_logging": "1", "server_audit_events": "QUERY"},
			"docs":     {"audit_logs": "enabled"}, "writes": {"audit_logs": "dml_write"},
			"graph": {"neptune_enable_audit_log": "1"}, "general": {"general_log": "1", "log_output": "file"},
		},
	})
	const at = " (rds:DescribeDBClusterParameters eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"rds/cluster/aurora#database: on"+at+"audited/server_audit_logging) -> logs//aws/rds/cluster/aurora/audit",
		"rds/cluster/deaf#database: off"+at+"deaf/server_audit_events)",
		"rds/cluster/docs#database: on"+at+"docs/audit_logs) -> logs//aws/docdb/docs/audit",
		"rds/cluster/docs-kept#database: off (rds:DescribeDBClusters eu-west-1/docs-kept, its audit log is not exported)",
		"rds/cluster/docs-writes#database: off"+at+"writes/audit_logs)",
		"rds/cluster/graph#database: on"+at+"graph/neptune_enable_audit_log) -> logs//aws/neptune/graph/audit",
		"rds/cluster/graph-kept#database: on"+at+"graph/neptune_enable_audit_log) -> rds/cluster/graph-kept/audit",
		"rds/cluster/multi#database: on"+at+"general/general_log) -> logs//aws/rds/cluster/multi/general",
		"rds/cluster/uploaded#database: on"+at+"uploaded/server_audit_logging) -> logs//aws/rds/cluster/uploaded/audit",
	)
	graph := sourcetest.Record[*evidence.LogStore](t, set, "rds/cluster/graph-kept/audit")
	if bytes, _ := graph.Bytes.Get(); bytes != 100_000_000 {
		t.Errorf("Neptune holds %d bytes", bytes)
	}
	for thing, kind := range map[string]string{"aurora": "Aurora cluster", "docs": "DocumentDB cluster", "graph": "Neptune cluster", "multi": "RDS cluster"} {
		if a := sourcetest.Record[*evidence.Asset](t, set, "rds/cluster/"+thing); a.Kind != kind {
			t.Errorf("%s is a %s", thing, a.Kind)
		}
	}
}

// aurora is an Aurora PostgreSQL cluster whose second instance has parameters of its own.
func aurora() estate {
	c := cluster("shop", "aurora-postgresql", "on", "postgresql")
	c.DBClusterMembers = []types.DBClusterMember{{DBInstanceIdentifier: aws.String("shop-1")}, {DBInstanceIdentifier: aws.String("shop-2")}}
	e := estate{
		instances: []types.DBInstance{instance("shop-1", "aurora-postgresql", "default", ""), instance("shop-2", "aurora-postgresql", "off", "")},
		clusters:  []types.DBCluster{c},
		parameters: map[string]map[string]string{
			"on": {"log_connections": "1"}, "default": {"log_connections": ""}, "off": {"log_connections": "0"},
		},
	}
	for i := range e.instances {
		e.instances[i].DBClusterIdentifier = aws.String("shop")
	}
	return e
}

func TestAnInstanceOfAuroraPostgreSQLMayDifferFromItsCluster(t *testing.T) {
	e := aurora()
	sourcetest.Want(t, "sources", sourcetest.Sources(scan(t, e)),
		"rds/cluster/shop#database: on (rds:DescribeDBClusterParameters eu-west-1/on/log_connections) -> logs//aws/rds/cluster/shop/postgresql; every-event some: not on shop-2",
	)
	e.parameters["default"]["log_connections"] = "0"
	sourcetest.Want(t, "all differ", sourcetest.Sources(scan(t, e)),
		"rds/cluster/shop#database: off (rds:DescribeDBParameters eu-west-1/off/log_connections)",
	)
	denied := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*rds.DescribeDBInstancesInput); ok {
			return nil, awstest.Denied()
		}
		return e.answer(region, input)
	}, nil, Service())
	sourcetest.Want(t, "instances refused", sourcetest.Sources(denied),
		"rds/cluster/shop#database: denied (rds:DescribeDBInstances eu-west-1/shop-1) -> logs//aws/rds/cluster/shop/postgresql",
		"unseen/database-instances#database: denied (rds:DescribeDBInstances eu-west-1) -> unseen/database-instances/records; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(denied), "aws:111122223333/eu-west-1//region: database instances: denied")
}

func TestAnInstanceOfAuroraMySQLHasAGeneralLogOfItsOwn(t *testing.T) {
	c := cluster("shop", "aurora-mysql", "cluster", "general", "audit")
	c.DBClusterMembers = []types.DBClusterMember{{DBInstanceIdentifier: aws.String("shop-1")}, {DBInstanceIdentifier: aws.String("shop-2")}}
	e := estate{
		instances: []types.DBInstance{instance("shop-1", "aurora-mysql", "one", ""), instance("shop-2", "aurora-mysql", "two", "")},
		clusters:  []types.DBCluster{c},
		parameters: map[string]map[string]string{
			"cluster": {"general_log": "", "log_output": "FILE"}, "one": {"general_log": "1"}, "two": {"general_log": "1", "log_output": "FILE"},
		},
	}
	for i := range e.instances {
		e.instances[i].DBClusterIdentifier = aws.String("shop")
	}
	want := func(what, want string) {
		t.Helper()
		sourcetest.Want(t, what, sourcetest.Sources(scan(t, e)), "rds/cluster/shop#database: "+want)
	}
	const at = " (rds:DescribeDBParameters eu-west-1/"
	want("on both", "on"+at+"two/general_log) -> logs//aws/rds/cluster/shop/general")
	e.parameters["two"]["log_output"] = "TABLE"
	want("one to a table", "on"+at+"two/general_log) -> rds/cluster/shop/general")
	e.parameters["two"] = map[string]string{"general_log": "0"}
	want("on one", "on"+at+"one/general_log) -> logs//aws/rds/cluster/shop/general; every-event some: not on shop-2")
	sourcetest.DenyEach(t, e.answer, Service())
	e.parameters["cluster"] = map[string]string{"server_audit_logging": "1", "server_audit_events": "CONNECT", "log_output": "FILE"}
	want("all audited", "on (rds:DescribeDBClusterParameters eu-west-1/cluster/server_audit_logging) -> logs//aws/rds/cluster/shop/audit -> logs//aws/rds/cluster/shop/general")
	e.parameters["cluster"] = map[string]string{"general_log": "1"}
	e.parameters["one"] = map[string]string{"general_log": "0"}
	want("off on all", "off (rds:DescribeDBClusterParameters eu-west-1/cluster/server_audit_logging, engine default)")
}

func TestAParameterGroupIsReadOnce(t *testing.T) {
	e := estate{
		instances: []types.DBInstance{
			instance("a", "postgres", "on", ""), instance("b", "postgres", "on", ""),
			instance("c", "mysql", "on", "x"), instance("d", "mysql", "on", "x"),
		},
		parameters: map[string]map[string]string{"on": {"log_connections": "1"}},
	}
	calls := make(chan string, 100)
	awstest.Scan(t, func(region string, input any) (any, error) {
		switch in := input.(type) {
		case *rds.DescribeDBParametersInput:
			if in.Marker == nil {
				calls <- "parameters"
			}
		case *rds.DescribeOptionGroupsInput:
			calls <- "options"
		}
		return e.answer(region, input)
	}, nil, Service())
	if len(calls) != 3 { // of PostgreSQL, of MySQL, and all options
		t.Errorf("%d calls were made", len(calls))
	}
}

func TestARefusedCallPassesNothing(t *testing.T) {
	sourcetest.DenyEach(t, aurora().answer, Service())
	sourcetest.DenyEach(t, estate{
		instances: []types.DBInstance{instance("sent", "postgres", "on", "", "postgresql"), instance("audited", "mysql", "none", "audit", "audit")},
		clusters:  []types.DBCluster{cluster("docs", "docdb", "docs", "audit"), cluster("aurora", "aurora-mysql", "audited", "audit")},
		parameters: map[string]map[string]string{
			"on": {"log_connections": "1"}, "docs": {"audit_logs": "all"}, "audited": {"server_audit_logging": "1", "server_audit_events": "CONNECT"},
		},
		options: map[string][]types.Option{"audit": {option("MARIADB_AUDIT_PLUGIN")}},
	}.answer, Service())
}

func TestAnEmptyAccountHasNoDatabases(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
