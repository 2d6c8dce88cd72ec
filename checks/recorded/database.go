package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// Database checks that a database leaves a record of who connected.
var Database = &checks.Check{
	ID:       "recorded-database",
	Title:    "The database records connections",
	Severity: checks.Medium,
	Doc: `Data leaves through a connection to the database. Most database images record none: after a leak nobody can say
which account read what, from where, or whether it happened at all.

Cure, PostgreSQL: command: ["postgres", "-c", "log_connections=on"]; add pgaudit for statements.
Cure, MySQL: --general-log=ON costs much on a busy server; an audit plugin records connections alone.
Cure, MariaDB: --plugin-load-add=server_audit --server-audit-logging=ON.
Cure, AWS: in the parameter group "log_connections" (PostgreSQL) or "server_audit_logging" (Aurora MySQL), in the option
group the audit plug-in (MySQL, MariaDB) or SQL Server audit, and export the log to CloudWatch Logs; audit logging of
the Redshift cluster, and audit logs of the OpenSearch domain.

A setting made in a mounted configuration file counts when the file is part of what is scanned.`,
	Judge: checks.About(evidence.Database, database),
}

func database(_ *checks.View, asset evidence.Asset, logs []evidence.LogSource) checks.Verdict {
	if len(logs) == 0 {
		return checks.Failed(asset.Looked[evidence.Database], "database %q writes nothing", asset.Name)
	}
	return checks.Best(logs, func(l evidence.LogSource) checks.Verdict {
		on, known := l.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(l.Enabled)
		case !on:
			return checks.Failed(l.Enabled, "database %q does not write %s", asset.Name, l.Records)
		}
		return checks.Passed(l.Enabled, "database %q writes %s", asset.Name, l.Records)
	})
}
