#!/bin/sh
# Unpacks a Docker daemon and what it needs from Debian's packages into a folder; nothing is installed.
#
#	usage: install.sh DIR
#
# Then LOOKBACK_DOCKERD_DIR=DIR lets the tests of scanners/workload and scanners/host/docker run against it, as root.
set -eu
dir=${1:?usage: install.sh DIR}
[ ! -x "$dir/usr/sbin/dockerd" ] || exit 0
if [ -e "$dir" ]; then
	echo "$dir is there and holds no dockerd: name another folder" >&2
	exit 1
fi
packages="docker.io containerd runc tini libdevmapper1.02.1"
apt-cache show docker.io >/dev/null 2>&1 || apt-get -q update
# From Debian 13 on the client is a package of its own.
if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi

rm -rf "$dir.part"
mkdir -p "$dir.part"
cd "$dir.part"
# The lists may be older than the archive: one more try with new ones.
get() { apt-get -q -o APT::Sandbox::User=root download $packages; }
get || { apt-get -q update && get; }
for p in *.deb; do dpkg -x "$p" .; done
rm ./*.deb
cd - >/dev/null
mv "$dir.part" "$dir"
