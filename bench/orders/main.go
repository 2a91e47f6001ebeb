// Command orders writes a large, clean order export for throughput runs: every
// order has nine identifiers, a value and an id of its own, and happened in the
// last six days. The same arguments and day give the same bytes.
//
//	go run ./bench/orders -n 1000000 > orders.csv
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	n := flag.Int("n", 10_000, "orders")
	first := flag.Int("first", 1, "number of the first order")
	days := flag.Int("days", 6, "days the orders are spread over, up to an hour ago")
	flag.Parse()
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	if err := write(w, *first, *n, *days, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func write(w *bufio.Writer, first, n, days int, now time.Time) error {
	const header = "order,shop,sold_at,total,currency,email,phone,first_name,last_name,birth,gender,city,postcode,country,customer\n"
	if _, err := w.WriteString(header); err != nil {
		return err
	}
	end := now.Add(-time.Hour).Truncate(time.Hour).Unix()
	span := int64(days) * 24 * 3600
	genders := [...]string{"f", "m"}
	cities := [...]string{"London", "Leeds", "York", "St. Albans", "Stoke-on-Trent"}
	var b []byte
	for i := first; i < first+n; i++ {
		at := end - span + span*int64(i-first)/int64(n)
		b = append(b[:0], 'o')
		b = strconv.AppendInt(b, int64(i), 10)
		b = fmt.Appendf(b, ",shop-%02d,", i%40)
		b = strconv.AppendInt(b, at, 10)
		b = fmt.Appendf(b, ",%d.%02d,GBP,Buyer%d@Example.com,+44 7700 9%05d,Test%d,Buyer-%d,%04d-%02d-%02d,%s,%s,SW%d %dAA,GB,C%d\n",
			5+i%300, i%100, i, i%100000, i%5000, i%7000, 1950+i%55, 1+i%12, 1+i%28, genders[i%2], cities[i%len(cities)], 1+i%20, i%10, i)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return w.Flush()
}
