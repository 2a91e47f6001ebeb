#!/bin/sh
# Usage: sh scripts/need.sh [--optional] PROGRAM...
#
# Makes sure that each program is on PATH. What is missing is installed with the
# system's package manager when this user may (root, or sudo without a password
# in CI); otherwise the one command that installs it is printed and the exit
# code is 1. With --optional a missing program is only reported, unless CI is
# set: there it is always an error.
set -eu

optional=no
if [ "${1:-}" = --optional ]; then
	optional=yes
	shift
fi
case ${CI:-} in '' | 0 | false) ci=no ;; *) ci=yes optional=no ;; esac

# have looks on PATH, and for the PostgreSQL server also where distributions keep it
# apart (internal/testkit looks in the same places).
have() {
	command -v "$1" >/dev/null 2>&1 && return 0
	[ "$1" = postgres ] || return 1
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
		[ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] && return 0
	done
	return 1
}

missing=
for program in "$@"; do
	have "$program" || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

fail() {
	echo "need:$missing: $1" >&2
	[ "$optional" = yes ] || exit 1
	echo "need: going on without; the tests that use it will say that they skip" >&2
	exit 0
}

# Distributions carry older Go releases than go.mod asks for, so Go is never
# installed from here. Any Go since 1.21 fetches the right one by itself.
case " $missing " in
*" go "*) fail "install Go 1.26 or newer: https://go.dev/dl/ (any Go since 1.21 fetches it by itself)" ;;
esac

if command -v apt-get >/dev/null 2>&1; then
	manager=apt install='apt-get install -y --no-install-recommends'
elif command -v dnf >/dev/null 2>&1; then
	manager=dnf install='dnf install -y'
elif command -v apk >/dev/null 2>&1; then
	manager=apk install='apk add'
elif command -v brew >/dev/null 2>&1; then
	manager=brew install='brew install'
else
	fail "no known package manager here; install it by hand"
fi

# package prints what the manager calls the package of a program.
package() {
	case $manager:$1 in
	apt:cc) echo gcc libc6-dev ;;
	apk:cc) echo gcc musl-dev ;;
	brew:cc) echo gcc ;;
	*:cc) echo gcc ;;
	apt:node | apk:node | dnf:node) echo nodejs ;;
	dnf:npm) echo nodejs-npm ;;
	brew:npm) echo node ;;
	dnf:shellcheck) echo ShellCheck ;;
	apt:postgres) echo postgresql ;;
	dnf:postgres) echo postgresql-server ;;
	apk:postgres) echo postgresql ;;
	brew:postgres) echo postgresql@17 ;;
	*) echo "$1" ;;
	esac
}

packages=
for program in $missing; do
	packages="$packages $(package "$program")"
done

sudo=
if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
	if [ "$ci" = yes ] && sudo -n true 2>/dev/null; then
		sudo=sudo
	else
		fail "run: sudo $install$packages"
	fi
elif [ "$manager" = brew ] && [ "$ci" = no ]; then
	fail "run: $install$packages"
fi

echo "need: installing$packages" >&2
if [ "$manager" = apt ]; then
	export DEBIAN_FRONTEND=noninteractive
	$sudo apt-get update -q >&2 || fail "apt-get update failed; run: $sudo $install$packages"
fi
# Both lists are words on purpose.
# shellcheck disable=SC2086
$sudo $install $packages >&2 || fail "run: $sudo $install$packages"

for program in $missing; do
	have "$program" || fail "$program is still not on PATH after: $install$packages"
done
