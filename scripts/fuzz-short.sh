#!/bin/sh
# Usage: sh scripts/fuzz-short.sh TIME
#
# Runs every fuzz target of the module for TIME (a Go duration), one after the
# other: `go test -fuzz` takes one target of one package at a time. A find fails
# the run, and Go writes its input below the package's testdata/fuzz, where it
# becomes a regression test once committed.
set -eu

time=$1
list=$(mktemp)
out=$(mktemp)
trap 'rm -f "$list" "$out"' EXIT

find . -name '*_test.go' -not -path '*/node_modules/*' -not -path './tools/*' -exec \
	grep -Ho '^func Fuzz[A-Za-z0-9_]*(f \*testing\.F)' {} + |
	sed 's|^\(.*\)/[^/]*:func \(Fuzz[A-Za-z0-9_]*\).*|\1 \2|' | sort >"$list"

while read -r package target; do
	rc=0
	# -run with a pattern that fits nothing: the tests themselves run elsewhere.
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" >"$out" 2>&1 || rc=$?
	tail -n 4 "$out"
	[ "$rc" -ne 0 ] || continue
	# Before Go 1.27 a busy machine can end a run with a deadline that is the
	# fuzzer's own (golang/go issue 75804). A find always names its input.
	if grep -q '^ *context deadline exceeded$' "$out" && ! grep -q 'Failing input written' "$out"; then
		echo "fuzz-short: $package $target ended by the fuzzer's own deadline, nothing was found"
		continue
	fi
	cat "$out"
	exit "$rc"
done <"$list"
echo "fuzz-short: $(wc -l <"$list") targets, $time each"
