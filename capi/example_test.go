package capi_test

import (
	"fmt"
	"time"

	"sluice/capi"
)

func ExampleEncoder() {
	enc, err := capi.NewEncoder(capi.Options{
		DefaultCountry: "GB",
		Now:            func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		panic(err)
	}
	value, err := capi.ParseDecimal("12.50")
	if err != nil {
		panic(err)
	}
	wire, report := enc.Append(nil, &capi.Event{
		EventName:    "Purchase",
		EventTime:    1795258800,
		EventID:      "order-1001",
		ActionSource: capi.PhysicalStore,
		UserData:     capi.UserData{Phone: []string{"07700 900123"}, Email: []string{"not an address"}},
		CustomData:   capi.CustomData{Currency: "GBP", Value: capi.Some(value), OrderID: "1001"},
	})
	for _, f := range report.Faults {
		fmt.Printf("%s %s at %s: %s\n", f.Effect, f.Code, f.Path, f.Message)
	}
	fmt.Println(string(wire))
	// Output:
	// drop invalid_email at user_data.em[0]: the value is not one e-mail address
	// {"action_source":"physical_store","custom_data":{"currency":"GBP","order_id":"1001","value":12.5},"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"user_data":{"ph":["033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"]}}
}

func ExampleNormalize() {
	n, err := capi.Normalize(capi.FieldLastName, "O\u2019Brien", "", capi.NormalizeOptions{})
	fmt.Println(n.Value, n.SHA256, err)
	_, err = capi.Normalize(capi.FieldPhone, "020 7946 0958", "", capi.NormalizeOptions{})
	fmt.Println(err)
	// Output:
	// obrien b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba <nil>
	// phone_missing_country_code
}
