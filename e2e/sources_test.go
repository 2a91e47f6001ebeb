package e2e

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/testkit"
)

// configured writes a sluice.yaml and returns the flags that name it.
func (w *world) configured(text string) []string {
	return []string{"--config", w.file("sluice.yaml", text)}
}

func TestNamedCommandSource(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	at := w.now.Add(-3600e9).Format("2006-01-02T15:04:05Z07:00")
	out := w.file("out.jsonl", `{"shop":"north","order":"1","sold_at":"`+at+`","total":"9.50","currency":"GBP","email":"buyer1@example.com","phone":"","customer":"C1"}`+"\n"+`{"rows":1}`+"\n")
	yaml := "sources:\n  till:\n    type: command\n    command: [cat, " + out + "]\n    counted: true\n  broken:\n    type: command\n    command: [cat, " + out + ", /nonexistent]\n    counted: true\n"
	flags := w.configured(yaml)
	var p plan
	w.ok(&p, append(flags, "preview", "till", "-m", m, "--dataset", dataset)...)
	if p.Counts.Planned != 1 {
		t.Errorf("counts %+v", p.Counts)
	}
	w.fails("source_unavailable", 3, append(flags, "preview", "broken", "-m", m, "--dataset", dataset)...)
	w.fails("usage", 2, append(flags, "preview", "till", out, "-m", m, "--dataset", dataset)...)
	// Found by itself in the directory, a file may not run a program.
	for _, bad := range []string{
		"sources: {till: {type: command}}\n", "sources: {till: {type: query}}\n", "sources: {a.csv: {type: command, command: [cat]}}\n",
		"sources: {till: {type: postgres, dsn_env: X, query: SELECT 1, cursor: a}}\n", "sources: {till: {type: command, command: [cat], timeout: soon}}\n",
	} {
		w.fails("usage", 2, append(w.configured(bad), "preview", "till", "-m", m, "--dataset", dataset)...)
	}
}

func TestNamedQuerySource(t *testing.T) {
	t.Parallel()
	shop := testkit.Postgres(t)
	eachStore(t, func(t *testing.T, w *world) {
		table := "orders_" + strings.ToLower(strings.NewReplacer("/", "_").Replace(t.Name()))
		own, err := pgx.Connect(t.Context(), shop)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = own.Close(context.WithoutCancel(t.Context())) }()
		exec := func(sql string) {
			t.Helper()
			if _, err := own.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		exec(`CREATE TABLE ` + table + ` (shop text, "order" bigint PRIMARY KEY, sold_at timestamptz, total numeric, currency text, email text, phone text, customer text, changed timestamptz)`)
		row := `INSERT INTO ` + table + ` SELECT 'north', i, '` + w.now.Format("2006-01-02 15:04:05Z07:00") + `'::timestamptz - interval '3 hours', 9.50, 'GBP', 'buyer' || i || '@example.com', '', 'C' || i,
			'2026-11-01 00:00+00'::timestamptz + i * interval '1 hour' FROM generate_series(`
		exec(row + `1, 30) i`)
		m := w.file("mapping.yaml", mappingText)
		w.env = append(w.env, "SHOP_DSN="+shop)
		flags := w.configured("sources:\n  shop:\n    type: postgres\n    dsn_env: SHOP_DSN\n    query: SELECT * FROM " + table + "\n    cursor: changed\n    key: order\n    page: 7\n")
		var p plan
		w.ok(&p, append(flags, "preview", "shop", "-m", m, "--dataset", dataset)...)
		if p.Counts.Planned != 30 {
			t.Errorf("counts %+v", p.Counts)
		}
		var n struct{ New, Repeated int }
		w.ok(&n, append(flags, "outcomes", "import", "shop", "-m", m)...)
		if n.New != 30 {
			t.Errorf("the first import has %+v: a preview moved the cursor?", n)
		}
		exec(row + `31, 33) i`)
		w.ok(&n, append(flags, "outcomes", "import", "shop", "-m", m)...)
		if n.New != 3 || n.Repeated != 1 {
			t.Errorf("the second import has %+v, want 3 new and the last hour's one again", n)
		}
		w.env = w.env[:len(w.env)-1]
		w.fails("usage", 2, append(flags, "preview", "shop", "-m", m, "--dataset", dataset)...)
	})
}

func TestParquetFile(t *testing.T) {
	t.Parallel()
	w := begin(t)
	type order struct {
		Shop     string   `parquet:"shop"`
		Order    *float64 `parquet:"order,optional"`
		SoldAt   int64    `parquet:"sold_at,timestamp(millisecond)"`
		Total    int64    `parquet:"total,decimal(2:18)"`
		Currency string   `parquet:"currency"`
		Email    string   `parquet:"email"`
		Phone    *string  `parquet:"phone,optional"`
		Customer string   `parquet:"customer"`
	}
	var rows []order
	for i := range 100 {
		id := float64(1000 + i)
		rows = append(rows, order{"north", &id, w.now.Add(-3600e9).UnixMilli(), 950, "GBP", "buyer" + string(rune('a'+i%26)) + "@example.com", nil, "C1"})
	}
	path := w.file("orders.parquet", "")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	pw := parquet.NewGenericWriter[order](f)
	if _, err := pw.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pw.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	var p plan
	o := w.ok(&p, "preview", path, "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
	if p.Counts.Planned != 100 || p.Value["GBP"] != "950" || strings.Contains(o.stdout, "float_ids") {
		t.Errorf("counts %+v, value %v", p.Counts, p.Value)
	}
	if !strings.Contains(w.run("events", p.ID, "--json").stdout, `"line":100`) {
		t.Error("an event does not name its row")
	}
}
