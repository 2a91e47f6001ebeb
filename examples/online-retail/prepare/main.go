// Command prepare turns the public Online Retail table into an order export that
// can be sent: it moves every date by one constant, so that the last sale is a day
// old, and adds contact details that are derived from the customer number and
// belong to nobody.
//
// The table has no contact data. The overlay uses example.com addresses and the
// telephone range reserved for fiction; a tenth of the customers get none, and rows
// without a customer keep none.
//
//	go run ./examples/online-retail/prepare online_retail.csv.gz > orders.csv
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata"
)

func main() {
	now := flag.String("now", "", "the moment the last sale should be a day before (RFC 3339; default: now)")
	flag.Parse()
	at := time.Now()
	if *now != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, *now); err != nil {
			fail(fmt.Errorf("-now: %w", err))
		}
	}
	if flag.NArg() != 1 {
		fail(errors.New("usage: prepare online_retail.csv.gz > orders.csv"))
	}
	if err := prepare(flag.Arg(0), os.Stdout, at); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "prepare:", err)
	os.Exit(1)
}

const layout = "2006-01-02 15:04:05"

// The columns of the table that are read here.
const (
	invoiceDate = 4
	customerID  = 6
	country     = 7
)

var added = []string{"Email", "Phone", "FirstName", "LastName", "ContactCountry", "LoyaltyID"}

// prepare reads the file twice: once for its last date, once to write.
func prepare(path string, out io.Writer, now time.Time) error {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return err
	}
	var last time.Time
	if err := rows(path, func(row []string) error {
		t, err := time.ParseInLocation(layout, row[invoiceDate], zone)
		if err == nil && t.After(last) {
			last = t
		}
		return err
	}, nil); err != nil {
		return err
	}
	shift := now.Add(-24 * time.Hour).Sub(last)
	buffered := bufio.NewWriterSize(out, 1<<20)
	w := csv.NewWriter(buffered)
	err = rows(path, func(row []string) error {
		t, err := time.ParseInLocation(layout, row[invoiceDate], zone)
		if err != nil {
			return err
		}
		row[invoiceDate] = t.Add(shift).UTC().Format(time.RFC3339)
		return w.Write(append(row, contact(row[customerID], row[country])...))
	}, func(header []string) error { return w.Write(append(header, added...)) })
	w.Flush()
	return errors.Join(err, w.Error(), buffered.Flush())
}

// contact derives the overlay of a customer written as "17850.0".
func contact(customer, from string) []string {
	id, err := strconv.Atoi(strings.TrimSuffix(customer, ".0"))
	if err != nil {
		return make([]string, len(added))
	}
	loyalty := strconv.Itoa(id)
	if id%10 == 0 {
		return []string{"", "", "", "", "", loyalty}
	}
	return []string{
		fmt.Sprintf("c%d@example.com", id), fmt.Sprintf("+44 7700 900%03d", id%1000),
		fmt.Sprintf("Test%d", id), "Buyer", from, loyalty,
	}
}

func rows(path string, row, header func([]string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r := csv.NewReader(bufio.NewReaderSize(gz, 1<<20))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if header != nil {
		if err := header(append([]string(nil), head...)); err != nil {
			return err
		}
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := row(append([]string(nil), rec...)); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
	}
}
