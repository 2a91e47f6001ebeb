package mapping_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/mapping"
)

// TestPropose makes mappings for exports of several kinds and languages. Each must
// be a document that Parse takes, unless it says that something is missing.
func TestPropose(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/propose/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal("no exports", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			rows, err := csv.NewReader(f).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			p, err := mapping.Propose(rows[0], rows[1:], mapping.ProposeOptions{Namespace: "shop/orders"})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "%s\n", p.YAML)
			for _, w := range p.Warnings {
				fmt.Fprintf(&b, "# %s: %s\n", w.Code, w.Message)
			}
			_, err = mapping.Parse("proposal", p.YAML, nil)
			for _, f := range mapping.FaultsOf(err) {
				fmt.Fprintf(&b, "# fault %s\n", f)
			}
			golden(t, strings.TrimSuffix(path, ".csv")+".yaml", b.String())
			for _, row := range rows[1:] {
				for i, v := range row {
					if strings.Contains(rows[0][i], "mail") && v != "" && strings.Contains(b.String(), v) {
						t.Errorf("the proposal holds the e-mail address of a row")
					}
				}
			}
		})
	}
}

func TestProposeScansTheWholeInput(t *testing.T) {
	t.Parallel()
	header := []string{"store", "till", "receipt", "sold_at", "total", "email"}
	sample := [][]string{{"1", "1", "100", "2026-01-05 10:00:00", "5", "a@example.com"}, {"1", "1", "101", "2026-01-05 10:05:00", "5", "b@example.com"}}
	// The sample shows no repeat; the input does, beyond it.
	scan := func(columns []string, each func([]string)) error {
		if got := strings.Join(columns, ","); got != "receipt,store,till,sold_at" {
			return fmt.Errorf("asked for %s", got)
		}
		each([]string{"100", "1", "1", "2026-01-05 10:00:00"})
		each([]string{"100", "2", "1", "2026-01-05 10:00:00"})
		each([]string{"100", "2", "1", "2026-01-06 10:00:00"})
		return nil
	}
	p, err := mapping.Propose(header, sample, mapping.ProposeOptions{Scan: scan})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.ID, ","); got != "receipt,store,till,sold_at" {
		t.Errorf("id %s", got)
	}
	if p.Uniqueness.Rows != 3 || p.Uniqueness.Keys != 3 || p.Uniqueness.Repeated != 0 {
		t.Errorf("uniqueness %+v", p.Uniqueness)
	}
	if len(p.Warnings) == 0 || !strings.Contains(fmt.Sprint(p.Warnings), mapping.ProposeReceiptRepeats) {
		t.Errorf("warnings %v do not tell that receipts repeat", p.Warnings)
	}
	// The proposed id must tell the three apart when it is used.
	m := parse(t, strings.Replace(string(p.YAML), "currency: CHECK", "currency: EUR", 1))
	mapper := mapping.NewMapper(m)
	keys := map[string]bool{}
	for _, r := range [][4]string{{"100", "1", "1", "2026-01-05 10:00:00"}, {"100", "2", "1", "2026-01-05 10:00:00"}, {"100", "2", "1", "2026-01-06 11:00:00"}, {"100", "2", "1", "2026-01-06 10:00:00"}} {
		keys[mapper.Key(rowOf(t, m, 2, map[string]string{"receipt": r[0], "store": r[1], "till": r[2], "sold_at": r[3]}).Values)] = true
	}
	if len(keys) != 3 {
		t.Errorf("keys %v, want three: the time of day is no part of the id", keys)
	}
	broken := errors.New("broken")
	if _, err := mapping.Propose(header, sample, mapping.ProposeOptions{Scan: func([]string, func([]string)) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the scan", err)
	}
}

func TestUniquenessStaysSmall(t *testing.T) {
	t.Parallel()
	u := mapping.NewUniqueness()
	const rows = 1_500_000
	for i := range rows {
		key := fmt.Sprint(i)
		if i%10 == 0 {
			key = fmt.Sprint(i / 20 * 20) // every twentieth key twice
		}
		u.Add(key, "")
	}
	u.Add("", "")
	r := u.Report()
	if r.Rows != rows+1 || r.Empty != 1 || !r.Sampled || r.Keys > 1<<19 {
		t.Fatalf("report %+v", r)
	}
	// Of 20 rows 18 have a key of their own and 2 share one: 1 key in 19 repeats.
	if share := float64(r.Repeated) / float64(r.Keys); share < 0.048 || share > 0.058 {
		t.Errorf("%.4f of the keys repeat in the sample, want about %.4f", share, 1.0/19)
	}
}

func TestProposeRefuses(t *testing.T) {
	t.Parallel()
	header := []string{"order", "email"}
	for _, n := range []string{"shop uk", "/orders", strings.Repeat("x", 101), "jane@example.com", "a\nb: c"} {
		if _, err := mapping.Propose(header, nil, mapping.ProposeOptions{Namespace: n}); fault.CodeOf(err) != fault.Usage {
			t.Errorf("namespace %q: %v, want usage", n, err)
		}
	}
	_, err := mapping.Propose([]string{"Jane", "jane@example.com"}, nil, mapping.ProposeOptions{})
	if fault.CodeOf(err) != fault.SourceInvalid || strings.Contains(strings.ToLower(fmt.Sprint(err)), "jane") {
		t.Errorf("a customer as header: %v, want source_invalid without values", err)
	}
}

func TestProposedNamespace(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "shop/orders",
		"exports/Leeds Tills_2026-01.csv": "leeds-tills/orders",
		"web-q3-2026.jsonl.gz":            "web/orders",
		"2026-01-05.csv":                  "shop/orders",
		"日本.csv":                          "shop/orders",
	} {
		var inputs []string
		if in != "" {
			inputs = []string{in}
		}
		p, err := mapping.Propose([]string{"order"}, nil, mapping.ProposeOptions{Inputs: inputs})
		if err != nil {
			t.Fatal(err)
		}
		if yaml := string(p.YAML); !strings.Contains(yaml, "# CHECK: every source of orders needs one of its own") || !strings.Contains(yaml, "\nnamespace: "+want+"\n") {
			t.Errorf("%q: want namespace %s with a CHECK in\n%s", in, want, yaml)
		}
	}
	p, err := mapping.Propose([]string{"order"}, nil, mapping.ProposeOptions{Namespace: "shop-uk/orders"})
	if err != nil || strings.Contains(string(p.YAML), "every source") {
		t.Errorf("a namespace that was given is questioned: %v", err)
	}
}

// TestProposedConsent: a column that speaks of consent is used or asked about, and
// never passed over by the claim that all agreed.
func TestProposedConsent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		column, value, want string
	}{
		{"Opt in", "yes", "consent:\n  column: Opt in\n  granted: [\"yes\"]"},
		{"opt_in", "1", "granted: [\"1\"]"},
		{"optin", "subscribed", "granted: [subscribed]"},
		{"Newsletter", "Ja", "granted: [Ja]"},
		{"GDPR", "2026-01-05", "consent: {column: GDPR, granted: [CHECK]}"},
		{"DSGVO", "erteilt", "granted: [erteilt]"},
		{"Werbung", "nein", "granted: [CHECK]"},
		{"accepts_marketing", "true", "granted: [\"true\"]"},
		{"email permission", "full", "consent: {column: email permission, granted: [CHECK]}"},
		{"Consent", "level 3", "consent: {column: Consent, granted: [CHECK]}"},
		{"opt_out", "yes", "consent: {column: opt_out, granted: [CHECK]}"},
		{"colour", "yes", "\nconsent: granted\n"},
	} {
		p, err := mapping.Propose([]string{"order", tt.column}, [][]string{{"A", tt.value}, {"B", ""}}, mapping.ProposeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		yaml := string(p.YAML)
		if !strings.Contains(yaml, tt.want) {
			t.Errorf("%s: want %q in\n%s", tt.column, tt.want, yaml)
		}
		if tt.column != "colour" && strings.Contains(yaml, "\nconsent: granted") {
			t.Errorf("%s: the proposal claims that all agreed", tt.column)
		}
	}
}

// TestProposalHoldsNoLineEndOfAName keeps a header from writing YAML of its own.
func TestProposalHoldsNoLineEndOfAName(t *testing.T) {
	t.Parallel()
	p, err := mapping.Propose([]string{"order", "x\nopt_out: order", "consent\nevent_id: x"}, [][]string{{"A", "b", "c"}}, mapping.ProposeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(p.YAML)) {
		if strings.HasPrefix(l, "opt_out") || strings.HasPrefix(l, "event_id") {
			t.Errorf("a name became a line of its own: %s", l)
		}
	}
}

// TestProposedCountry: national phone numbers get a country only where the data
// leaves no doubt.
func TestProposedCountry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		header []string
		row    []string
		want   string
	}{
		{"a currency of one country", []string{"order", "phone", "currency"}, []string{"A", "020 7946 0100", "GBP"}, "\ndefault_country: GB"},
		{"a currency sign", []string{"order", "phone", "total"}, []string{"A", "020 7946 0100", "-£5.00"}, "\ndefault_country: GB"},
		{"a currency of many", []string{"order", "phone", "currency"}, []string{"A", "020 7946 0100", "EUR"}, "\n# default_country: GB"},
		{"postcodes", []string{"order", "phone", "postcode"}, []string{"A", "020 7946 0100", "LS1 4AP"}, "\ndefault_country: GB"},
		{"postcodes of many", []string{"order", "phone", "postcode"}, []string{"A", "020 7946 0100", "10115"}, "\n# default_country: GB"},
	} {
		p, err := mapping.Propose(tt.header, [][]string{tt.row}, mapping.ProposeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(p.YAML), tt.want) {
			t.Errorf("%s: want %q in\n%s", tt.name, tt.want, p.YAML)
		}
	}
}
