package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A profile that is mistyped has no rules and no suppression list: whatever is done
// in its name is refused.
func TestMistypedProfileIsRefused(t *testing.T) {
	t.Parallel()
	w := begin(t)
	in, m := w.file("orders.csv", w.orders("north", 1)), w.file("mapping.yaml", mappingText)
	for _, args := range [][]string{
		{"suppress", "add", "--email", "buyer@example.com"},
		{"suppress", "remove", "--email", "buyer@example.com"},
		{"suppress", "list"},
		{"forget", "--email", "buyer@example.com", "--request", "DSR-1"},
		{"preview", in, "-m", m, "--dataset", dataset},
		{"preview", "--outcome", "payment_received", "--window", "last-7-days", "--dataset", dataset},
		{"send", in, "-m", m, "--dataset", dataset, "--yes"},
		{"adopt", in, "-m", m, "--dataset", dataset, "--reason", "sent before"},
		{"retention", "show"},
		{"circuit", "show"},
		{"circuit", "reset", "--reason", "mended"},
		{"approvals", "list"},
		{"outcomes", "list"},
		{"outcomes", "stats"},
		{"holds", "simulate", "--outcome", "order_placed", "--window", "last-7-days"},
		{"schedule", "list"},
		{"coverage"},
	} {
		o := w.run(append(args, "--profile", "nope")...)
		if o.code != 2 || !strings.Contains(o.stderr, "no profile nope") {
			t.Errorf("%v: exit %d\n%s%s", args, o.code, o.stdout, o.stderr)
		}
	}
	if n := w.stored().Received; n != 0 {
		t.Errorf("%d events arrived", n)
	}
	w.ok(nil, "suppress", "add", "--email", "buyer@example.com", "--profile", "default")
}

func TestMistypedOutcomeIsRefused(t *testing.T) {
	t.Parallel()
	w := begin(t)
	preview := []string{"preview", "--window", "last-7-days", "--dataset", dataset, "--outcome"}
	w.fails("unmapped_outcome", 2, append(preview, "payment_recieved")...)
	if o := w.run(append(preview, "payment_recieved")...); !strings.Contains(o.stderr, "did you mean payment_received?") {
		t.Errorf("no suggestion:\n%s", o.stderr)
	}
	w.fails("nothing_to_send", 0, append(preview, "payment_received")...)
	w.fails("unmapped_outcome", 2, append(preview, "contact_reply")...)
	// One that only a mapping names is known once it is stored.
	m := w.file("m.yaml", mappingText+"events: {contact_reply: Contact}\n")
	own := strings.Replace(readAll(t, m), "outcome: payment_received", "outcome: contact_reply", 1)
	w.ok(nil, "outcomes", "import", w.file("orders.csv", w.orders("north", 1)), "-m", w.file("own.yaml", own))
	w.ok(nil, append(preview, "contact_reply")...)
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSuppressionListWithUnreadableLines(t *testing.T) {
	t.Parallel()
	w := begin(t)
	list := w.file("list.csv", "email\nbuyer1@example.com\nnobody\nbuyer2@example.com\n")
	o := w.run("suppress", "import", list, "--json")
	if o.code != 5 || !strings.Contains(o.stdout, `"invalid":1`) || !strings.Contains(o.stdout, `"added":2`) {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if o := w.run("suppress", "import", list); o.code != 5 || !strings.Contains(o.stdout, "1 entries could not be read") {
		t.Errorf("as text: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	w.ok(nil, "suppress", "import", w.file("good.csv", "email\nbuyer3@example.com\n"))
}

// A plan over the rejects of another is small, and half of it may still be wrong: the
// share says nothing about the export.
func TestRejectsOfRejectsNeedNoYes(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	good := w.orders("north", 20)
	rows := strings.SplitAfter(good, "\n")
	bad := append([]string{}, rows...)
	for _, i := range []int{3, 4} {
		bad[i] = strings.Replace(bad[i], "GBP", "XXXX", 1)
	}
	var first, again plan
	in := w.file("orders.csv", strings.Join(bad, ""))
	w.ok(&first, "preview", in, "-m", m, "--dataset", dataset)
	if first.Counts.Rejected != 2 {
		t.Fatalf("counts %+v", first.Counts)
	}
	bad[3] = rows[3]
	w.ok(&again, "preview", w.file("orders.csv", strings.Join(bad, "")), "-m", m, "--dataset", dataset, "--only-rejects-of", first.ID)
	if again.Counts.Rejected != 1 || again.Counts.Planned != 1 {
		t.Fatalf("counts %+v", again.Counts)
	}
	if o := w.run("confirm", again.ID); o.code != 5 && o.code != 0 {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	w.agree(again.ID, 1)
}

// A program among the sources of a file that nobody named is only in the way of who
// reads it. Not parallel: the working directory is the process's.
func TestProgramOfAFoundConfiguration(t *testing.T) {
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	t.Chdir(t.TempDir())
	if err := os.WriteFile(filepath.Join(".", "sluice.yaml"), []byte("sources:\n  tills: {type: command, command: [echo, hello]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.ok(nil, "runs")
	o := w.run("preview", "tills", "-m", m, "--dataset", dataset)
	if o.code != 2 || !strings.Contains(o.stderr, "only found here, not named") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}
