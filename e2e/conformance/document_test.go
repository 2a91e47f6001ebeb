package conformance_test

import (
	"fmt"
	"strings"
)

// document is docs/conformance.md.
func document(servers, clients comparison) string {
	var b strings.Builder
	b.WriteString(`# Conformance

What the official MCP conformance suite (@modelcontextprotocol/conformance, pinned in
e2e/conformance/package-lock.json) finds without the relay and through it. A relay that
decides nothing must not be seen: in every scenario each check has the same outcome on
every way, or the difference is explained below the table.

This page is written by ` + "`go test ./e2e/conformance -update`" + `; ` + "`make test`" + ` runs the suite and
fails when the page says something else.

A cell counts the different checks that passed; ✗ those that failed, ⚠ warnings, – those the
suite skipped. Its notes about single messages are not counted. "Direct" is what the
server or client does by itself: a failure there is no matter of the relay, but has to
be the same behind it.

## Server scenarios

The server is internal/testkit/everything: the official Go SDK, with the extensions
Tasks and Skills beside it. "HTTP → HTTP" is ` + "`sluice proxy --listen … --upstream URL`" + `,
"HTTP → stdio" is ` + "`sluice proxy --listen … -- COMMAND`" + `; "allow-all policy" adds
` + "`-p allow-all.json`" + `, so that every call is judged, counted and recorded on its way.

`)
	servers.table(&b, serverExceptions)
	b.WriteString(`
## Client scenarios

The client is e2e/conformance/client: the official Go SDK, whose server is the suite's.
"stdio → HTTP" starts ` + "`sluice proxy --upstream URL`" + ` as its stdio server, "HTTP → HTTP" goes
through ` + "`sluice proxy --listen … --upstream URL`" + `. In the scenarios auth/* the OAuth client
under test is the SDK's own in the first column and Sluice's in the others: two clients,
which ask an authorization server for different things. There Sluice has to pass what
the SDK passes. What neither passes is optional: DPoP, workload identity, and
authorization managed by an enterprise.

`)
	clients.table(&b, clientExceptions)
	b.WriteString(`
## Other programs

Pinned in the same lock file, run by the same ` + "`make test`" + `, and the same through the relay as
without it:

| program | what is compared | ways |
|---|---|---|
| @modelcontextprotocol/inspector, command line, both eras | what it prints for tools/list, tools/call, resources/read, prompts/get | HTTP → HTTP, HTTP → stdio, stdio → HTTP |
| @modelcontextprotocol/server-everything | every byte of every response | all four of HTTP and stdio |
| servers on @modelcontextprotocol/sdk (legacy) and @modelcontextprotocol/server (both eras) | every byte of every response | all four |
| clients on @modelcontextprotocol/sdk (legacy) and @modelcontextprotocol/client (both eras) | results, notifications and questions of every feature | all four |
`)
	return b.String()
}

func (c comparison) table(b *strings.Builder, exceptions []exception) {
	fmt.Fprintf(b, "| revision | scenario | %s |\n|---|---|%s\n", strings.Join(c.ways, " | "), strings.Repeat("---|", len(c.ways)))
	var notes []string
	for _, s := range c.scenarios() {
		fmt.Fprintf(b, "| %s | %s |", s.revision, s.name)
		for i, way := range c.ways {
			mark := ""
			if e := find(exceptions, s, way); e != nil {
				note := fmt.Sprintf("%s: %s", way, e.why)
				at := 0
				for at < len(notes) && notes[at] != note {
					at++
				}
				if at == len(notes) {
					notes = append(notes, note)
				}
				mark = fmt.Sprintf(" [%d]", at+1)
			}
			fmt.Fprintf(b, " %s%s |", cell(c.found[i][s]), mark)
		}
		b.WriteString("\n")
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for i, note := range notes {
		fmt.Fprintf(b, "%d. %s\n", i+1, note)
	}
}

func cell(checks []check) string {
	count, seen := map[string]int{}, map[check]bool{}
	for _, c := range checks {
		if c.Message = ""; !seen[c] {
			seen[c] = true
			count[c.Status]++
		}
	}
	text := fmt.Sprint(count["SUCCESS"])
	for _, other := range []struct{ status, mark string }{{"FAILURE", "✗"}, {"WARNING", "⚠"}, {"SKIPPED", "–"}} {
		if n := count[other.status]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, other.mark)
		}
	}
	return text
}
