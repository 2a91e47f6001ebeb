package main

import (
	"fmt"
	"math/rand/v2"

	"sluice/capi"
)

// firstOrder is the time of the first order, Unix seconds; the others follow it.
const firstOrder = 1_760_000_000

// order is one purchase in plain identifiers, the input of both sides.
type order struct {
	EventName    string    `json:"event_name"`
	EventTime    int64     `json:"event_time"`
	EventID      string    `json:"event_id"`
	ActionSource string    `json:"action_source"`
	User         customer  `json:"user"`
	Currency     string    `json:"currency"`
	Value        float64   `json:"value"`
	OrderID      string    `json:"order_id"`
	Contents     []content `json:"contents"`
}

// customer holds the nine identifiers that both sides normalise and hash.
type customer struct {
	Email     string `json:"em"`
	Phone     string `json:"ph"`
	FirstName string `json:"fn"`
	LastName  string `json:"ln"`
	BirthDate string `json:"db"`
	City      string `json:"ct"`
	State     string `json:"st"`
	Zip       string `json:"zp"`
	Country   string `json:"country"`
}

type content struct {
	ID        string  `json:"id"`
	Quantity  int64   `json:"quantity"`
	ItemPrice float64 `json:"item_price"`
}

// batches makes n batches of size orders, each of another customer, so that no
// side gains from having seen a person before. Names come from syllables, phone
// numbers from the range that North America reserves for fiction.
//
// Spelled as shops write them: mixed case, spaces, "+1 (212) 555-0142". With
// clean set, as a careful exporter writes them: lower case and digits.
func batches(n, size int, clean bool) [][]order {
	rng := rand.New(rand.NewPCG(1, 2))
	cities := []string{"New York", "Los Angeles", "Chicago", "Houston", "Phoenix", "Boston", "Seattle", "Denver", "Portland", "Detroit"}
	states := []string{"NY", "CA", "IL", "TX", "AZ", "MA", "WA", "CO", "OR", "MI"}
	areas := []int{212, 213, 312, 713, 602, 617, 206, 303, 503, 313}
	if clean {
		cities = []string{"newyork", "losangeles", "chicago", "houston", "phoenix", "boston", "seattle", "denver", "portland", "detroit"}
		states = []string{"ny", "ca", "il", "tx", "az", "ma", "wa", "co", "or", "mi"}
	}
	out := make([][]order, n)
	for b := range out {
		out[b] = make([]order, size)
		for i := range out[b] {
			serial := b*size + i
			place := rng.IntN(len(cities))
			first, last := word(rng, 2), word(rng, 3)
			area, line := areas[place], 100+rng.IntN(100)
			u := customer{
				Email:     fmt.Sprintf("%s.%s%d@example.com", first, last, serial),
				Phone:     fmt.Sprintf("1%d5550%d", area, line),
				FirstName: first, LastName: last,
				BirthDate: fmt.Sprintf("%04d%02d%02d", 1940+rng.IntN(65), 1+rng.IntN(12), 1+rng.IntN(28)),
				City:      cities[place], State: states[place],
				Zip:     fmt.Sprintf("%05d", 10000+rng.IntN(89999)),
				Country: "us",
			}
			if clean {
				u.Phone = "+" + u.Phone
			} else {
				u.Email = upperFirst(u.Email)
				u.FirstName, u.LastName = upperFirst(first), " "+upperFirst(last)
				u.Phone = fmt.Sprintf("+1 (%d) 555-0%d", area, line)
				u.Country = "US"
			}
			cents := 100 + rng.IntN(50000)
			out[b][i] = order{
				EventName: "Purchase", EventTime: firstOrder + int64(serial), EventID: fmt.Sprintf("order-%08d", serial),
				ActionSource: "physical_store", User: u,
				Currency: "USD", Value: float64(cents) / 100, OrderID: fmt.Sprintf("%08d", serial),
				Contents: []content{
					{ID: fmt.Sprintf("sku-%04d", rng.IntN(4000)), Quantity: 1 + rng.Int64N(9), ItemPrice: float64(100+rng.IntN(9000)) / 100},
					{ID: fmt.Sprintf("sku-%04d", rng.IntN(4000)), Quantity: 1 + rng.Int64N(9), ItemPrice: float64(100+rng.IntN(9000)) / 100},
				},
			}
		}
	}
	return out
}

// event is the order as package capi takes it.
func (o *order) event() capi.Event {
	e := capi.Event{
		EventName: o.EventName, EventTime: o.EventTime, EventID: o.EventID, ActionSource: capi.ActionSource(o.ActionSource),
		UserData: capi.UserData{
			Email: []string{o.User.Email}, Phone: []string{o.User.Phone},
			FirstName: []string{o.User.FirstName}, LastName: []string{o.User.LastName}, BirthDate: []string{o.User.BirthDate},
			City: []string{o.User.City}, State: []string{o.User.State}, Zip: []string{o.User.Zip}, Country: []string{o.User.Country},
		},
		CustomData: capi.CustomData{
			Currency: o.Currency, Value: capi.Some(decimal(o.Value)), OrderID: o.OrderID,
		},
	}
	for _, c := range o.Contents {
		e.CustomData.Contents = append(e.CustomData.Contents,
			capi.Content{ID: c.ID, Quantity: capi.Some(c.Quantity), ItemPrice: capi.Some(decimal(c.ItemPrice))})
	}
	return e
}

// decimal converts an amount with two decimal places.
func decimal(v float64) capi.Decimal { return capi.Decimal(int64(v*100+0.5) * 100) }

func word(rng *rand.Rand, syllables int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	w := make([]byte, 0, 2*syllables)
	for range syllables {
		w = append(w, consonants[rng.IntN(len(consonants))], vowels[rng.IntN(len(vowels))])
	}
	return string(w)
}

func upperFirst(s string) string { return string(s[0]-'a'+'A') + s[1:] }
