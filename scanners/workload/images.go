package workload

// images is the table of images, in order: the first row that matches counts, so that a row with a Tag stands before
// the row of the same Name without one. It is not to be changed. Runtimes (alpine, python, node, golang) are left out:
// nothing is known of the program that somebody put into them. All was read on 2026-11-21.
var images = []Image{
	// Web servers and proxies.
	{
		Name: "nginx", Linked: []string{"/var/log/nginx"},
		Source: "https://github.com/nginx/docker-nginx",
	},
	{
		Name: "registry.k8s.io/ingress-nginx/controller", Linked: []string{"/var/log/nginx"},
		Source: "https://github.com/kubernetes/ingress-nginx/blob/0315b01f775f11566e4cd9699e78f4c57da7ca08/rootfs/Dockerfile",
	},
	{
		Name:   "httpd",
		Source: "https://github.com/docker-library/httpd",
	},
	{
		// The access log is off until it, or any setting below it, is asked for.
		Name: "traefik",
		Log: &Setting{
			What: "the access log",
			On: []Switch{
				{Flag: "--accesslog", Bare: true},
				{Flag: "--accesslog.filepath"},
				{Flag: "--accesslog.format"},
				{Flag: "--accesslog.bufferingsize"},
				{Flag: "--accesslog.addinternals", Bare: true},
				{Flag: "--accesslog.filters.statuscodes"},
				{Flag: "--accesslog.filters.retryattempts", Bare: true},
				{Flag: "--accesslog.filters.minduration"},
				{Flag: "--accesslog.fields.defaultmode"},
				{Flag: "--accesslog.fields.headers.defaultmode"},
				{Env: "TRAEFIK_ACCESSLOG"},
				{Env: "TRAEFIK_ACCESSLOG_FILEPATH"},
				{Env: "TRAEFIK_ACCESSLOG_FORMAT"},
				{Env: "TRAEFIK_ACCESSLOG_BUFFERINGSIZE"},
				{Env: "TRAEFIK_ACCESSLOG_FILTERS_STATUSCODES"},
				{Env: "TRAEFIK_ACCESSLOG_FIELDS_DEFAULTMODE"},
				{Line: "accessLog", Bare: true},
				{Line: "accessLogsFile"}, // version 1
			},
			Files: []string{"/etc/traefik", "/traefik.yml", "/traefik.yaml", "/traefik.toml"},
		},
		Source: "https://doc.traefik.io/reference/static-configuration/env/",
	},
	{
		// The image has no configuration of its own, and HAProxy logs nothing without a "log" line.
		Name: "haproxy",
		Log: &Setting{
			What:  "a log of requests",
			On:    []Switch{{Line: "log"}},
			Files: []string{"/usr/local/etc/haproxy"},
		},
		Source: "https://github.com/docker-library/docs/blob/0a87008c9f7efab8661298cab920acabe8691132/haproxy/content.md",
	},
	{
		// "log" in the global options of a Caddyfile is another thing: it only says where the log of a site goes.
		Name: "caddy",
		Log: &Setting{
			What: "the access log",
			On: []Switch{
				{Line: "log", Bare: true},
				{Line: "apps.http.servers.logs", Bare: true},
				{Flag: "--access-log", Bare: true},
			},
			Files: []string{"/etc/caddy"},
		},
		Source: "https://github.com/caddyserver/website/blob/0474a06c00d21db04dd82a4f700f4eb64ef625be/src/docs/markdown/caddyfile/directives/log.md",
	},
	{
		// Requests are written to shared memory, which varnishncsa can read in another container or by exec.
		Name:   "varnish",
		Log:    &Setting{What: "an access log", Running: true},
		Source: "https://github.com/varnish/docker-varnish",
	},
	{
		// The entrypoint makes its links at every start, so that no mount hides them.
		Name:   "kong",
		Source: "https://github.com/Kong/docker-kong/blob/eb1b4b631413cecc7e3267087199277a42c7fdda/docker-entrypoint.sh",
	},

	// PHP and what is built on it: the Apache variants have links, the FPM variants write to /proc/self/fd/2.
	{
		Name: "php", Tag: "*apache*", Linked: []string{"/var/log/apache2"},
		Source: "https://github.com/docker-library/php",
	},
	{
		Name: "php", Tag: "*fpm*",
		Source: "https://github.com/docker-library/php",
	},
	{
		Name: "wordpress", Tag: "*fpm*", Volumes: []string{"/var/www/html"},
		Source: "https://github.com/docker-library/wordpress",
	},
	{
		// wordpress:cli is a tool, not a server.
		Name: "wordpress", Tag: "[^c]*", Linked: []string{"/var/log/apache2"}, Volumes: []string{"/var/www/html"},
		Source: "https://github.com/docker-library/wordpress",
	},
	{
		Name: "drupal", Tag: "*fpm*",
		Source: "https://github.com/docker-library/drupal",
	},
	{
		Name: "drupal", Linked: []string{"/var/log/apache2"},
		Source: "https://github.com/docker-library/drupal",
	},
	{
		Name: "phpmyadmin", Tag: "*fpm*",
		Source: "https://github.com/phpmyadmin/docker",
	},
	{
		Name: "phpmyadmin", Linked: []string{"/var/log/apache2"},
		Source: "https://github.com/phpmyadmin/docker",
	},
	{
		Name: "phpmyadmin/phpmyadmin", Tag: "*fpm*",
		Source: "https://github.com/phpmyadmin/docker",
	},
	{
		Name: "phpmyadmin/phpmyadmin", Linked: []string{"/var/log/apache2"},
		Source: "https://github.com/phpmyadmin/docker",
	},
	{
		// Its own log is a file in the data directory; logins are in it from level info on, and the default is warn.
		Name: "nextcloud", Tag: "*fpm*",
		Files:   []string{"/var/www/html/data/nextcloud.log"},
		Volumes: []string{"/var/www/html"},
		Source:  "https://github.com/nextcloud/documentation/blob/00efacefdaa750fa60cd6ac0bf7af85361a4bb63/admin_manual/configuration_server/logging_configuration.rst",
	},
	{
		Name: "nextcloud", Linked: []string{"/var/log/apache2"},
		Files:   []string{"/var/www/html/data/nextcloud.log"},
		Volumes: []string{"/var/www/html"},
		Source:  "https://github.com/nextcloud/documentation/blob/00efacefdaa750fa60cd6ac0bf7af85361a4bb63/admin_manual/configuration_server/logging_configuration.rst",
	},
	{
		Name: "matomo", Tag: "*fpm*", Volumes: []string{"/var/www/html"},
		Source: "https://github.com/matomo-org/docker",
	},
	{
		Name: "matomo", Linked: []string{"/var/log/apache2"}, Volumes: []string{"/var/www/html"},
		Source: "https://github.com/matomo-org/docker",
	},
	{
		// PHP's own web server, or FPM for the tags "fastcgi".
		Name:   "adminer",
		Source: "https://github.com/TimWolla/docker-adminer/blob/0b7ac63344767be6d7903444f40d8b9885b5d7bd/4/Dockerfile",
		Doubt:  DoubtLog,
	},

	// Databases.
	{
		// Up to 17 the volume is /var/lib/postgresql/data, from 18 on the folder above.
		Name: "postgres", Volumes: []string{"/var/lib/postgresql/data"}, Database: true,
		Log: &Setting{
			What: "a log of connections",
			// A boolean up to 17; a list from 18 on, empty by default, in which "on" still counts.
			On: []Switch{
				{Flag: "-c log_connections"},
				{Flag: "--log_connections"},
				{Line: "log_connections"},
			},
			Files: []string{
				"/var/lib/postgresql/data/postgresql.conf",
				"/var/lib/postgresql/18/docker/postgresql.conf",
				"/usr/share/postgresql/postgresql.conf.sample", // what initdb copies
			},
		},
		Source: "https://github.com/postgrespro/postgres/commit/9219093cab2607f34ac70612a65430a9c519157f",
	},
	{
		Name: "mysql", Volumes: []string{"/var/lib/mysql"}, Database: true,
		Log:    generalLog(),
		Source: "https://docs.oracle.com/cd/E17952_01/mysql-9.0-en/query-log.html",
	},
	{
		// The audit plug-in records connections by its default; loading it without this switch records nothing.
		Name: "mariadb", Volumes: []string{"/var/lib/mysql"}, Database: true,
		Log: generalLog(
			Switch{Flag: "--server-audit-logging", Bare: true},
			Switch{Flag: "--loose-server-audit-logging", Bare: true},
			Switch{Line: "server_audit_logging", Bare: true},
			Switch{Line: "loose-server_audit_logging", Bare: true},
		),
		Source: "https://mariadb.com/docs/server/reference/plugins/mariadb-audit-plugin/mariadb-audit-plugin-installation",
	},
	{
		// It has audit plug-ins of its own, with settings that we do not know.
		Name: "percona", Volumes: []string{"/var/lib/mysql", "/var/log/mysql"}, Database: true,
		Files:  []string{"/var/log/mysql"},
		Log:    generalLog(),
		Source: "https://github.com/percona/percona-docker/blob/01bae5a19e90520b209453b9e7aadfadddd6bf78/percona-server-8.0/Dockerfile",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		Name: "percona/percona-server", Volumes: []string{"/var/lib/mysql", "/var/log/mysql"}, Database: true,
		Files:  []string{"/var/log/mysql"},
		Log:    generalLog(),
		Source: "https://github.com/percona/percona-docker/blob/01bae5a19e90520b209453b9e7aadfadddd6bf78/percona-server-8.0/Dockerfile",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		// Connections are logged at the default verbosity.
		Name: "mongo", Volumes: []string{"/data/configdb", "/data/db"}, Database: true,
		Source: "https://www.mongodb.com/docs/manual/reference/log-messages.md",
	},
	{
		// Requests are logged at "info", the default.
		Name: "couchdb", Volumes: []string{"/opt/couchdb/data"}, Database: true,
		Source: "https://github.com/apache/couchdb/blob/116a030c8d0ab2399d5871c8566f4b08c1637496/src/docs/src/config/logging.rst",
	},
	{
		Name: "apache/couchdb", Volumes: []string{"/opt/couchdb/data"}, Database: true,
		Source: "https://github.com/apache/couchdb/blob/116a030c8d0ab2399d5871c8566f4b08c1637496/src/docs/src/config/logging.rst",
	},
	{
		// system.log also reaches standard output; debug.log and the audit log do not.
		Name: "cassandra", Volumes: []string{"/var/lib/cassandra"}, Database: true,
		Files: []string{"/var/log/cassandra"},
		Log: &Setting{
			What:  "an audit log",
			On:    []Switch{{Line: "audit_logging_options.enabled", Values: []string{"true"}}},
			Files: []string{"/etc/cassandra"},
		},
		Source: "https://cassandra.apache.org/doc/latest/cassandra/managing/operating/auditlogging.html",
	},
	{
		// Auditing needs a paid subscription.
		Name: "elasticsearch", Database: true,
		Log:    elasticAudit(),
		Source: "https://elastic.co/guide/en/elasticsearch/reference/8.18/enable-audit-logging.html",
	},
	{
		Name: "docker.elastic.co/elasticsearch/elasticsearch", Database: true,
		Log:    elasticAudit(),
		Source: "https://elastic.co/guide/en/elasticsearch/reference/8.18/enable-audit-logging.html",
	},
	{
		// The demonstration certificates, set up by default, bring auditing into an index with them; owners of their own
		// certificates have none.
		Name: "opensearchproject/opensearch", Database: true,
		Files: []string{"/usr/share/opensearch/logs"},
		Log: &Setting{
			What:  "an audit log",
			On:    []Switch{{Line: "plugins.security.audit.type"}, {Env: "plugins.security.audit.type"}},
			Files: []string{"/usr/share/opensearch/config"},
		},
		Source: "https://github.com/opensearch-project/security/blob/005d70a0880c026dff7abd62b8a04a5f232e02a8/tools/install_demo_configuration.sh",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		// The file log is there in some tags only.
		Name: "clickhouse", Volumes: []string{"/var/lib/clickhouse"}, Database: true,
		Files:  []string{"/var/log/clickhouse-server"},
		Source: "https://github.com/ClickHouse/ClickHouse/blob/09470f60027b950a2cb2729e6462dda5916be54b/docker/server/docker_related_config.xml",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		Name: "clickhouse/clickhouse-server", Volumes: []string{"/var/lib/clickhouse"}, Database: true,
		Files:  []string{"/var/log/clickhouse-server"},
		Source: "https://github.com/ClickHouse/ClickHouse/blob/09470f60027b950a2cb2729e6462dda5916be54b/docker/server/docker_related_config.xml",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		Name: "influxdb", Volumes: []string{"/etc/influxdb2", "/var/lib/influxdb2"}, Database: true,
		Source: "https://github.com/influxdata/influxdata-docker/blob/9d72f7b4aec6ddc082eec76c82a28d827779f808/influxdb/2.7/Dockerfile",
		Doubt:  DoubtLog,
	},
	{
		// Which edition writes security.log could not be confirmed.
		Name: "neo4j", Volumes: []string{"/data", "/logs"}, Database: true,
		Files:  []string{"/logs"},
		Source: "https://github.com/neo4j/docker-neo4j",
		Doubt:  DoubtLog,
	},
	{
		// The error log, with failed logins, is on standard output. Who else logs in is a setting of the server.
		Name: "mcr.microsoft.com/mssql/server", Database: true,
		Log:    &Setting{What: "a log of successful logins", Running: true},
		Source: "https://github.com/Microsoft/mssql-docker/issues/15",
		Doubt:  DoubtFiles,
	},

	// Caches: no record of clients to turn on.
	{
		Name: "redis", Volumes: []string{"/data"}, Quiet: true,
		Source: "https://github.com/redis/docker-library-redis",
	},
	{
		Name: "valkey/valkey", Volumes: []string{"/data"}, Quiet: true,
		Source: "https://github.com/valkey-io/valkey-container",
	},
	{
		Name: "memcached", Quiet: true,
		Source: "https://github.com/docker-library/memcached",
	},

	// Messages.
	{
		// Connections are logged at "info", the default; the image sets log.console.
		Name: "rabbitmq", Volumes: []string{"/var/lib/rabbitmq"},
		Source: "https://rabbitmq.com/docs/logging",
	},
	{
		// The authorizer, controller, state change, request and cleaner loggers write to files alone.
		Name: "apache/kafka", Volumes: []string{"/etc/kafka/secrets", "/mnt/shared/config", "/var/lib/kafka/data"},
		Files:  []string{"/opt/kafka/logs"},
		Source: "https://github.com/apache/kafka/blob/0282c0876acb86531853595645902f6a471f6a2e/config/log4j2.yaml",
	},
	{
		// Many turn the audit log on inside ZOO_CFG_EXTRA or JVMFLAGS, which are not read.
		Name: "zookeeper", Volumes: []string{"/data", "/datalog", "/logs"},
		Files: []string{"/logs"},
		Log: &Setting{
			What:  "an audit log",
			On:    []Switch{{Line: "audit.enable", Values: []string{"true"}}},
			Files: []string{"/conf"},
		},
		Source: "https://github.com/apache/zookeeper/blob/163d595a46d10d314a1f4d86cdce397e71400b1d/zookeeper-docs/src/main/resources/markdown/zookeeperAuditLogs.md",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		// Clients that come and go are logged by default (connection_messages).
		Name: "eclipse-mosquitto", Volumes: []string{"/mosquitto/data", "/mosquitto/log"},
		Source: "https://github.com/eclipse/mosquitto/blob/030b2c72a239cdd510fef2e0ded0f0916e10ef19/mosquitto.conf",
	},
	{
		Name:   "nats",
		Source: "https://github.com/nats-io/nats-docker",
		Doubt:  DoubtLog,
	},

	// Applications and their servers.
	{
		// The access log, and what each web application logs, are files alone.
		Name:   "tomcat",
		Files:  []string{"/usr/local/tomcat/logs"},
		Source: "https://cwiki.apache.org/confluence/spaces/TOMCAT/pages/103098448/AccessLogValve",
	},
	{
		Name:   "jetty",
		Log:    &Setting{What: "the request log", On: []Switch{{Flag: "--module", Values: []string{"requestlog"}}}},
		Source: "https://github.com/docker-library/docs/tree/master/jetty",
		Doubt:  DoubtLog,
	},
	{
		// Builds write logs into its home; a trail of who did what is a plug-in.
		Name: "jenkins/jenkins", Volumes: []string{"/var/jenkins_home"},
		Files:  []string{"/var/jenkins_home/jobs"},
		Log:    &Setting{What: "an audit trail", Running: true},
		Source: "https://github.com/jenkinsci/docker",
		Doubt:  DoubtFiles,
	},
	{
		// run.sh sets the log mode "console".
		Name:   "grafana/grafana",
		Source: "https://github.com/grafana/grafana/blob/7a86cb53b2e1199895cac8645ea69ca4479844ad/packaging/docker/run.sh",
		Doubt:  DoubtLog,
	},
	{
		Name:   "grafana/grafana-oss",
		Source: "https://github.com/grafana/grafana/blob/7a86cb53b2e1199895cac8645ea69ca4479844ad/packaging/docker/run.sh",
		Doubt:  DoubtLog,
	},
	{
		// Failed logins are logged at "warn", the others at "debug", below the default; a realm can store both.
		Name:   "keycloak/keycloak",
		Log:    keycloakEvents(),
		Source: "https://github.com/keycloak/keycloak/blob/016032bab58a7fc5abe5ebd50cd0bfe60c0bc3a9/services/src/main/java/org/keycloak/events/log/JBossLoggingEventListenerProviderFactory.java",
	},
	{
		Name:   "quay.io/keycloak/keycloak",
		Log:    keycloakEvents(),
		Source: "https://github.com/keycloak/keycloak/blob/016032bab58a7fc5abe5ebd50cd0bfe60c0bc3a9/services/src/main/java/org/keycloak/events/log/JBossLoggingEventListenerProviderFactory.java",
	},
	{
		// /vault/logs stays empty until an audit device is enabled.
		Name: "hashicorp/vault", Volumes: []string{"/vault/file", "/vault/logs"},
		Log:    &Setting{What: "an audit log", Running: true},
		Source: "https://developer.hashicorp.com/vault/docs/commands/audit/enable",
	},
	{
		Name: "vault", Volumes: []string{"/vault/file", "/vault/logs"},
		Log:    &Setting{What: "an audit log", Running: true},
		Source: "https://developer.hashicorp.com/vault/docs/commands/audit/enable",
	},
	{
		Name: "hashicorp/consul", Volumes: []string{"/consul/data"},
		Source: "https://github.com/hashicorp/consul/blob/896e04ed616b432abfc501526fde55f6eef983a2/Dockerfile",
		Doubt:  DoubtLog | DoubtStdout,
	},
	{
		// The access log is on by default.
		Name: "registry", Volumes: []string{"/var/lib/registry"},
		Source: "https://github.com/distribution/distribution/blob/0045803fb6ceceb62c71bace571981a46e4a02a9/docs/content/about/configuration.md",
	},
	{
		// The audit targets can also be set with "mc admin config set".
		Name: "minio/minio", Volumes: []string{"/data"},
		Log:    minioAudit(),
		Source: "https://github.com/minio/minio/blob/00cff1aac59536f22c1853cd7f17da3e6e10b32e/docs/logging/README.md",
	},
	{
		Name: "quay.io/minio/minio", Volumes: []string{"/data"},
		Log:    minioAudit(),
		Source: "https://github.com/minio/minio/blob/00cff1aac59536f22c1853cd7f17da3e6e10b32e/docs/logging/README.md",
	},
	{
		// Every completed request is logged to the console by the router's logger.
		Name:   "gitea/gitea",
		Source: "https://github.com/go-gitea/gitea/blob/144f0967a5867fff631312d97d997eb14c664035/docs/content/administration/logging-config.en-us.md",
	},
	{
		// The start script tails the files to standard output; whether all of them could not be confirmed.
		Name: "gitlab/gitlab-[ce]e", Volumes: []string{"/etc/gitlab", "/var/log/gitlab", "/var/opt/gitlab"},
		Files:  []string{"/var/log/gitlab"},
		Source: "https://gitlab.com/gitlab-org/omnibus-gitlab/-/issues/4857",
		Doubt:  DoubtFiles,
	},
	{
		Name: "sonarqube", Volumes: []string{"/opt/sonarqube/logs"},
		Files:  []string{"/opt/sonarqube/logs"},
		Source: "https://github.com/SonarSource/docker-sonarqube",
	},
	{
		Name: "solr", Volumes: []string{"/var/solr"},
		Files:  []string{"/var/solr/logs"},
		Source: "https://github.com/apache/solr-docker",
	},
	{
		// Whether logs also leave for a remote store is a setting.
		Name:   "apache/airflow",
		Files:  []string{"/opt/airflow/logs"},
		Source: "https://airflow.apache.org/docs/apache-airflow/2.0.2/logging-monitoring/logging-tasks.html",
		Doubt:  DoubtFiles,
	},
	{
		Name:   "apache/superset",
		Source: "https://github.com/apache/superset/blob/b86efe80afada06aaa7b577fe9b40a56a28bd263/Dockerfile",
		Doubt:  DoubtLog | DoubtStdout,
	},
	{
		Name:   "flink",
		Files:  []string{"/opt/flink/log"},
		Source: "https://github.com/apache/flink-docker",
		Doubt:  DoubtFiles | DoubtLog,
	},
	{
		Name: "redmine", Volumes: []string{"/usr/src/redmine/files"},
		Source: "https://github.com/docker-library/redmine",
	},
	{
		Name: "odoo", Volumes: []string{"/mnt/extra-addons", "/var/lib/odoo"},
		Source: "https://github.com/odoo/docker",
	},
	{
		// Ghost's own default is a file alone; the image is configured by another program.
		Name: "ghost", Volumes: []string{"/var/lib/ghost/content"},
		Files:  []string{"/var/lib/ghost/content/logs"},
		Source: "https://github.com/docker-library/ghost/blob/0020d7037237ef58c08978fe2dfb68f1560a544d/5/debian/Dockerfile",
		Doubt:  DoubtFiles | DoubtStdout,
	},
	{
		Name:   "dpage/pgadmin4",
		Source: "https://github.com/pgadmin-org/pgadmin4/blob/05e2e3cb397b21a669129feb067ac44d2fc916dd/pkg/docker/entrypoint.sh",
	},
	{
		// FTL.log is tailed to standard output, the queries are not; a database below /etc/pihole may have them too.
		Name:   "pihole/pihole",
		Files:  []string{"/var/log/pihole"},
		Source: "https://github.com/pi-hole/docker-pi-hole/blob/0324370be59d3e64148635b6d4ba44082e1a4aff/src/start.sh",
		Doubt:  DoubtFiles,
	},
	{
		Name: "mailhog/mailhog", Quiet: true,
		Source: "https://github.com/mailhog/MailHog/blob/01ce555a236440434fac142892dc2895b0a257fd/Dockerfile",
		Doubt:  DoubtStdout,
	},
	{
		Name:   "kibana",
		Log:    kibanaAudit(),
		Source: "https://github.com/elastic/kibana/blob/005096354566636f0c21847f1d80f950615020be/docs/settings/security-settings.asciidoc",
	},
	{
		Name:   "docker.elastic.co/kibana/kibana",
		Log:    kibanaAudit(),
		Source: "https://github.com/elastic/kibana/blob/005096354566636f0c21847f1d80f950615020be/docs/settings/security-settings.asciidoc",
	},
	{
		Name: "logstash", Quiet: true,
		Source: "https://github.com/elastic/logstash",
		Doubt:  DoubtFiles | DoubtStdout,
	},
	{
		Name: "docker.elastic.co/logstash/logstash", Quiet: true,
		Source: "https://github.com/elastic/logstash",
		Doubt:  DoubtFiles | DoubtStdout,
	},

	// Monitoring: programs that log what they do, not who asks them.
	{
		Name: "prom/prometheus", Volumes: []string{"/prometheus"}, Quiet: true,
		Source: "https://github.com/prometheus/prometheus/blob/0180c950db494b081f90d79b68883308da6e7029/Dockerfile",
	},
	{
		Name: "quay.io/prometheus/prometheus", Volumes: []string{"/prometheus"}, Quiet: true,
		Source: "https://github.com/prometheus/prometheus/blob/0180c950db494b081f90d79b68883308da6e7029/Dockerfile",
	},
	{
		Name: "prom/alertmanager", Volumes: []string{"/alertmanager"}, Quiet: true,
		Source: "https://github.com/prometheus/alertmanager/blob/02a50dd3c158f23b1ca3a19c6c1e9fe94ca612b0/Dockerfile",
	},
	{
		Name: "quay.io/prometheus/alertmanager", Volumes: []string{"/alertmanager"}, Quiet: true,
		Source: "https://github.com/prometheus/alertmanager/blob/02a50dd3c158f23b1ca3a19c6c1e9fe94ca612b0/Dockerfile",
	},
	{
		Name: "prom/node-exporter", Quiet: true,
		Source: "https://github.com/prometheus/node_exporter/blob/0c561fa1c9f10840f093cb193d04b6f988bc66fe/Dockerfile",
	},
	{
		Name: "quay.io/prometheus/node-exporter", Quiet: true,
		Source: "https://github.com/prometheus/node_exporter/blob/0c561fa1c9f10840f093cb193d04b6f988bc66fe/Dockerfile",
	},
	{
		Name: "prom/blackbox-exporter", Quiet: true,
		Source: "https://github.com/prometheus/blackbox_exporter/blob/02c5a07513faa0f4cf952543f527c894ba403abf/Dockerfile",
	},
	{
		Name: "quay.io/prometheus/blackbox-exporter", Quiet: true,
		Source: "https://github.com/prometheus/blackbox_exporter/blob/02c5a07513faa0f4cf952543f527c894ba403abf/Dockerfile",
	},
	{
		Name: "grafana/loki", Quiet: true,
		Source: "https://github.com/grafana/loki/blob/0230065a10abdce767a9c3b84a9e43cdf61a1b87/cmd/loki/Dockerfile",
	},
	{
		Name: "quay.io/argoproj/argocd", Quiet: true,
		Source: "https://github.com/argoproj/argo-cd/blob/15a2f02b23edb7fbe9ebe38adbe97b1a27fd644d/Dockerfile",
		Doubt:  DoubtFiles | DoubtStdout,
	},

	// Kubernetes. Its components write to standard error alone; the API server's audit log has checks of its own.
	{
		Name: "registry.k8s.io/kube-apiserver", Quiet: true,
		Source: "https://www.kubernetes.io/docs/concepts/cluster-administration/system-logs/",
	},
	{
		Name: "registry.k8s.io/kube-controller-manager", Quiet: true,
		Source: "https://www.kubernetes.io/docs/concepts/cluster-administration/system-logs/",
	},
	{
		Name: "registry.k8s.io/kube-scheduler", Quiet: true,
		Source: "https://www.kubernetes.io/docs/concepts/cluster-administration/system-logs/",
	},
	{
		Name: "registry.k8s.io/kube-proxy", Quiet: true,
		Source: "https://www.kubernetes.io/docs/concepts/cluster-administration/system-logs/",
	},
	{
		Name: "registry.k8s.io/etcd", Quiet: true,
		Source: "https://github.com/etcd-io/etcd",
	},
	{
		Name: "registry.k8s.io/pause", Quiet: true,
		Source: "https://github.com/kubernetes/kubernetes/blob/10765f6a6dabb90c62d72e13de8350a7dd601254/build/pause/Dockerfile",
	},
	{
		Name: "registry.k8s.io/metrics-server/metrics-server", Quiet: true,
		Source: "https://github.com/kubernetes-sigs/metrics-server/blob/00ea53dcb25d7cbc9a1902c7e59e62470281a68b/Dockerfile",
	},
	{
		Name: "registry.k8s.io/kube-state-metrics/kube-state-metrics", Quiet: true,
		Source: "https://github.com/kubernetes/kube-state-metrics/blob/0711980b0fdb0f473c0d571b434110e5da55cdaa/Dockerfile",
	},
	{
		Name:   "coredns/coredns",
		Log:    queryLog(),
		Source: "https://github.com/coredns/coredns/blob/63a21f254fcf6bcb8c1a0aa3f788b56badd8aa77/plugin/log/README.md",
	},
	{
		Name:   "registry.k8s.io/coredns/coredns",
		Log:    queryLog(),
		Source: "https://github.com/coredns/coredns/blob/63a21f254fcf6bcb8c1a0aa3f788b56badd8aa77/plugin/log/README.md",
	},
}

// generalLog is the log of connections and statements that MySQL and its relatives have, and what else records
// connections in one of them.
func generalLog(also ...Switch) *Setting {
	return &Setting{
		What: "a log of connections",
		On: append([]Switch{
			{Flag: "--general-log", Bare: true},
			{Line: "general_log", Bare: true},
		}, also...),
		Files: []string{"/etc/mysql", "/etc/my.cnf", "/etc/my.cnf.d"},
	}
}

func elasticAudit() *Setting {
	return &Setting{
		What: "an audit log", Paid: true,
		On: []Switch{
			{Env: "xpack.security.audit.enabled", Values: []string{"true"}},
			{Env: "ES_SETTING_XPACK_SECURITY_AUDIT_ENABLED", Values: []string{"true"}},
			{Flag: "-E xpack.security.audit.enabled", Values: []string{"true"}},
			{Line: "xpack.security.audit.enabled", Values: []string{"true"}},
		},
		Files: []string{"/usr/share/elasticsearch/config"},
	}
}

func kibanaAudit() *Setting {
	return &Setting{
		What: "an audit log", Paid: true,
		On: []Switch{
			{Env: "XPACK_SECURITY_AUDIT_ENABLED", Values: []string{"true"}},
			{Env: "xpack.security.audit.enabled", Values: []string{"true"}},
			{Flag: "--xpack.security.audit.enabled", Values: []string{"true"}},
			{Line: "xpack.security.audit.enabled", Values: []string{"true"}},
		},
		Files: []string{"/usr/share/kibana/config"},
	}
}

// keycloakEvents is what raises the level of successful events, in the older spelling and in that of newer versions.
func keycloakEvents() *Setting {
	levels := []string{"info", "warn", "error"}
	return &Setting{
		What: "a log of logins",
		On: []Switch{
			{Flag: "--spi-events-listener-jboss-logging-success-level", Values: levels},
			{Flag: "--spi-events-listener--jboss-logging--success-level", Values: levels},
			{Env: "KC_SPI_EVENTS_LISTENER_JBOSS_LOGGING_SUCCESS_LEVEL", Values: levels},
			{Env: "KC_SPI_EVENTS_LISTENER__JBOSS_LOGGING__SUCCESS_LEVEL", Values: levels},
			{Line: "spi-events-listener-jboss-logging-success-level", Values: levels},
			{Line: "spi-events-listener--jboss-logging--success-level", Values: levels},
		},
		Files:   []string{"/opt/keycloak/conf"},
		Running: true,
	}
}

func minioAudit() *Setting {
	return &Setting{
		What: "an audit log",
		On: []Switch{
			{Env: "MINIO_AUDIT_WEBHOOK_ENABLE", Values: []string{"on"}}, // the target's name may follow, which is not read
		},
		Running: true,
	}
}

func queryLog() *Setting {
	return &Setting{
		What:  "a log of queries",
		On:    []Switch{{Line: "log", Bare: true}},
		Files: []string{"/etc/coredns"},
	}
}
