package mapping_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
