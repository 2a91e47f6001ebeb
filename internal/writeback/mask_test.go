package writeback

import (
	"strings"
	"testing"
)

func TestMaskedEventsShowNobody(t *testing.T) {
	t.Parallel()
	event := `{"event_name":"Purchase","event_time":1794812440,"event_source_url":"https://shop.example.com/done?email=anna@example.com#x",` +
		`"custom_data":{"value":12.5,"order_id":"1001","note":"call Anna","search_string":"anna@example.com"},` +
		`"user_data":{"em":["62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"],"client_ip_address":"192.0.2.7","lead_id":1234567890123456}}`
	got, err := mask([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"anna", "Anna", "192.0.2", "62a14e44f765419d", "1234567890123456"} {
		if strings.Contains(string(got), hidden) {
			t.Errorf("%q is visible in %s", hidden, got)
		}
	}
	for _, shown := range []string{"https://shop.example.com/done", "62a14e44", `"order_id":"1001"`, "12.5", `"note"`} {
		if !strings.Contains(string(got), shown) {
			t.Errorf("%q is missing in %s", shown, got)
		}
	}
}
