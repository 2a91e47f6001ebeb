package nodesdk_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/sandbox"
)

// startSandbox serves a sandbox of the test's own on loopback.
func startSandbox(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(sandbox.New(sandbox.Options{Seed: 1}).Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// inspection is what GET /_emulator/events answers.
type inspection struct {
	Received, Kept, Duplicates int
	Events                     []struct {
		Name  string `json:"event_name"`
		ID    string `json:"event_id"`
		Event struct {
			UserData   map[string]any `json:"user_data"`
			CustomData map[string]any `json:"custom_data"`
		} `json:"event"`
	}
}

func inspect(t *testing.T, base string) inspection {
	t.Helper()
	resp, err := http.Get(base + "/_emulator/events?dataset=" + sandbox.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got inspection
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("inspect: status %d, %v", resp.StatusCode, err)
	}
	return got
}

func purchase(id string, at time.Time) event {
	return event{
		Name: "Purchase", Time: at.Unix(), ID: id, Source: "website", SourceURL: "https://shop.example.com/thanks",
		User: map[string]string{
			"em": "John_Smith@gmail.com", "ph": "+1 (212) 555-0142", "fn": "John", "country": "US",
			"client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
		},
		Custom: &custom{
			Currency: "USD", Value: 142.52, OrderID: "order-1",
			Contents: []content{{ID: "sku-1", Quantity: 2, ItemPrice: 50.25}, {ID: "sku-2", Quantity: 1, ItemPrice: 42.02}},
		},
	}
}

func TestSDKAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(-time.Hour)
	lead := event{
		Name: "Lead", Time: at.Unix(), ID: "lead-1", Source: "system_generated",
		User: map[string]string{"em": "lead@example.com", "ln": "Müller"},
	}
	broken := purchase("order-2", at)
	broken.Custom = &custom{Value: 10}
	base := startSandbox(t)
	answers := runSDK(t, input{Graph: base, Token: sandbox.Token, Dataset: sandbox.Dataset, Requests: [][]event{
		{purchase("order-1", at), lead}, // two events
		{purchase("order-1", at)},       // a repeat
		{broken, lead},                  // no currency
	}})

	for i, want := range []int{2, 1} {
		a := answers[i]
		if a.Error != nil || a.EventsReceived != want || a.TraceID == "" || len(a.Messages) != 0 {
			t.Errorf("request %d: %+v, want %d events received, a trace id, no message, no error", i, a, want)
		}
	}
	e := answers[2].Error
	if e == nil {
		t.Fatal("a purchase without currency was taken")
	}
	if e.Name != "FacebookRequestError" || e.Status != http.StatusBadRequest || e.Response.Code != 100 ||
		e.Response.Subcode != 2804010 || e.Response.UserTitle == "" || e.Response.TraceID == "" {
		t.Errorf("error of a purchase without currency: %+v, want 400 with 100/2804010, its title and a trace id", *e)
	}

	got := inspect(t, base)
	if got.Received != 3 || got.Kept != 2 || got.Duplicates != 1 {
		t.Errorf("received %d, kept %d, duplicates %d; want 3, 2, 1: the refused request stores nothing",
			got.Received, got.Kept, got.Duplicates)
	}
	if len(got.Events) == 0 || got.Events[0].Name != "Purchase" || got.Events[0].ID != "order-1" {
		t.Fatalf("first stored event: %+v, want the purchase", got.Events)
	}
	stored := got.Events[0].Event
	// The hash that Meta's documentation prints for this address.
	if em := flatten(stored.UserData)["em"]; em != "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f" {
		t.Errorf("stored user_data.em = %s", em)
	}
	want := map[string]any{
		"currency": "USD", "value": 142.52, "order_id": "order-1",
		"contents": []any{
			map[string]any{"id": "sku-1", "quantity": 2.0, "item_price": 50.25},
			map[string]any{"id": "sku-2", "quantity": 1.0, "item_price": 42.02},
		},
	}
	if diff := cmp.Diff(want, stored.CustomData); diff != "" {
		t.Errorf("stored custom_data (-want +got):\n%s", diff)
	}
}

func TestSDKMeetsATokenThatIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, token string
		subcode     int
	}{
		{"unknown", "not-a-token", 0},
		{"expired", sandbox.TokenExpired, 463},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := startSandbox(t)
			a := runSDK(t, input{
				Graph: base, Token: tt.token, Dataset: sandbox.Dataset,
				Requests: [][]event{{purchase("order-1", time.Now().Add(-time.Hour))}},
			})[0]
			if a.Error == nil || a.Error.Response.Code != 190 || a.Error.Response.Subcode != tt.subcode {
				t.Fatalf("%+v, want error 190 with subcode %d", a.Error, tt.subcode)
			}
			if got := inspect(t, base); got.Received != 0 {
				t.Errorf("%d events stored", got.Received)
			}
		})
	}
}
