// Package demo has what the guided tour is made of: a small, believable and messy set
// of shop exports, as a company with a few shops in several countries really drops them
// on a server, and an agent with a policy that works at Meta's double.
//
// The same seed and clock give the same bytes. Every person is invented, every
// e-mail address ends in example.com, every phone number is in a range reserved
// for fiction.
package demo

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Mapping is the mapping the demo's files are read with.
//
//go:embed mapping.yaml
var Mapping []byte

// Header is the header of every shop file.
var Header = []string{
	"shop", "region", "till", "receipt", "sold_at", "status", "total", "currency",
	"email", "phone", "first_name", "last_name", "city", "postcode", "country", "loyalty_id",
}

// shop is one shop and how its people and money look.
type shop struct {
	name, region, country, currency string
	zone                            string
	cities                          []string
	postcode                        func(*rand.Rand) string
	phone                           func(*rand.Rand) string
	orders                          int // per day
}

var shops = []shop{
	{
		name: "soho", region: "UK", country: "GB", currency: "GBP", zone: "Europe/London", orders: 64,
		cities:   []string{"London", "Croydon", "ST. ALBANS"},
		postcode: func(r *rand.Rand) string { return fmt.Sprintf("W%dA %dAA", 1+r.IntN(9), 1+r.IntN(9)) },
		phone:    func(r *rand.Rand) string { return fmt.Sprintf("07700 900%03d", r.IntN(1000)) },
	},
	{
		name: "leeds", region: "UK", country: "GB", currency: "GBP", zone: "Europe/London", orders: 48,
		cities:   []string{"Leeds", "Bradford", "york"},
		postcode: func(r *rand.Rand) string { return fmt.Sprintf("LS%d %dJF", 1+r.IntN(28), 1+r.IntN(9)) },
		phone:    func(r *rand.Rand) string { return fmt.Sprintf("+44 (0)7700 900%03d", r.IntN(1000)) },
	},
	{
		name: "berlin", region: "DE", country: "DE", currency: "EUR", zone: "Europe/Berlin", orders: 56,
		cities:   []string{"Berlin", "Potsdam", "Königs Wusterhausen"},
		postcode: func(r *rand.Rand) string { return fmt.Sprintf("10%03d", r.IntN(1000)) },
		phone:    func(r *rand.Rand) string { return fmt.Sprintf("030 23125%03d", r.IntN(1000)) },
	},
	{
		name: "milano", region: "IT", country: "IT", currency: "EUR", zone: "Europe/Rome", orders: 40,
		cities:   []string{"Milano", "Monza", "Sesto San Giovanni"},
		postcode: func(r *rand.Rand) string { return fmt.Sprintf("201%02d", r.IntN(100)) },
		phone:    func(*rand.Rand) string { return "" }, // this till never asks
	},
}

var (
	firstNames = []string{"Ada", "José", "Zoë", "Łukasz", "Mary-Jane", "Ömer", "Chloé", "Søren", "Niamh", "GRETA", "paolo", "O’Neil"}
	lastNames  = []string{"Buyer", "Müller", "Rossi", "van der Berg", "O'Brien", "Núñez", "Smith-Jones", "Çelik", "Walker", "Bianchi"}
)

// Files writes one day of exports into dir and returns the paths. Day 0 ends
// yesterday; day 1 is the next night's export, which repeats the last hours of
// day 0, as exports do.
func Files(dir string, seed uint64, now time.Time, day int) ([]string, error) {
	var paths []string
	for i, s := range shops {
		rows, err := s.day(seed+uint64(i), now, 0)
		if err != nil {
			return nil, err
		}
		if day > 0 {
			// The overlap: the second export starts where two thirds of the first end.
			next, err := s.day(seed+uint64(i)+1000, now, 1)
			if err != nil {
				return nil, err
			}
			rows = append(rows[2*len(rows)/3:], next...)
		}
		path := filepath.Join(dir, s.name+".csv")
		if err := writeCSV(path, rows, i); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// day makes the orders of one shop for one day. Receipts start at 1 every day and
// at every till.
func (s shop) day(seed uint64, now time.Time, day int) ([][]string, error) {
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		return nil, fmt.Errorf("time zone %s: %w", s.zone, err)
	}
	r := rand.New(rand.NewPCG(seed, 2026))
	open := now.In(zone).AddDate(0, 0, day-2).Truncate(time.Hour)
	var rows [][]string
	var receipt [3]int
	for i := range s.orders {
		till := 1 + r.IntN(2)
		receipt[till]++
		at := open.Add(time.Duration(i) * 7 * time.Minute).Add(time.Duration(r.IntN(60)) * time.Second)
		row := s.order(r, till, receipt[till], at)
		rows = append(rows, row)
		if i%29 == 28 { // the export repeats a line
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// order is one row, often a little wrong.
func (s shop) order(r *rand.Rand, till, receipt int, at time.Time) []string {
	first, last := pick(r, firstNames), pick(r, lastNames)
	person := r.IntN(9000) + 1000
	email := fmt.Sprintf("buyer%d@example.com", person)
	row := map[string]string{
		"shop": s.name, "region": s.region, "till": fmt.Sprint(till), "receipt": fmt.Sprint(receipt),
		"sold_at": at.Format(time.RFC3339), "status": "paid", "currency": s.currency,
		"total": fmt.Sprintf("%d.%02d", 5+r.IntN(240), r.IntN(100)),
		"email": email, "phone": s.phone(r), "first_name": first, "last_name": last,
		"city": pick(r, s.cities), "postcode": s.postcode(r), "country": s.country, "loyalty_id": fmt.Sprintf("L-%d", person),
	}
	switch r.IntN(24) {
	case 0:
		row["email"] = "  " + strings.ToUpper(email) + " "
	case 1:
		row["email"] = strings.Replace(email, "@", " at ", 1)
	case 2:
		row["phone"] = "n/a"
	case 3:
		row["phone"] = "4.477E+11" // what a spreadsheet makes of a phone number
	case 4:
		row["email"], row["loyalty_id"] = "", ""
	case 5, 6: // nobody asked who bought it
		for _, k := range []string{"email", "phone", "first_name", "last_name", "city", "postcode", "loyalty_id"} {
			row[k] = ""
		}
	case 7, 8:
		row["status"] = "cancelled"
	case 9:
		row["total"] = ""
	case 10:
		row["sold_at"] = "yesterday"
	case 11:
		row["loyalty_id"] = fmt.Sprintf("%d.0", person)
	case 12:
		row["currency"] = strings.ToLower(s.currency)
	case 13:
		row["total"] = "0.00"
	}
	out := make([]string, len(Header))
	for i, name := range Header {
		out[i] = row[name]
	}
	return out
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// writeCSV writes a file the way shop systems do: some with a byte order mark,
// some with semicolons, all with Windows line ends.
func writeCSV(path string, rows [][]string, dialect int) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if dialect%2 == 1 {
		w.Comma = ';'
	}
	if dialect%3 == 2 {
		b.WriteString("\uFEFF")
	}
	if err := w.Write(Header); err != nil {
		return err
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
