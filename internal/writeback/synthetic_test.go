package writeback

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestADisguiseReplacesPeopleOneForOne(t *testing.T) {
	t.Parallel()
	event := func(id, mail string) []byte {
		return fmt.Appendf(nil, `{"action_source":"website","event_id":%q,"event_name":"Purchase","event_source_url":"https://example.com/?fbclid=abc",`+
			`"event_time":1763700000,"user_data":{"em":[%q],"ph":[%q],"fbc":"fb.1.1.abc","client_ip_address":"203.0.113.7","zp":[%q]},"custom_data":{"value":12.50,"currency":"GBP"}}`,
			id, digest(mail), digest("44770090012"+id), digest("zip"+id))
	}
	parts := [][]byte{event("1", "a@example.com"), event("2", "a@example.com"), event("3", "b@example.com")}
	body, err := newDisguise().body(parts, "TEST1")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{digest("a@example.com"), digest("b@example.com"), digest("447700900121"), digest("zip1"), "fb.1.1", "fbclid", "203.0.113.7"} {
		if strings.Contains(string(body), secret) {
			t.Errorf("%s is still there", secret)
		}
	}
	var got struct {
		Data []struct {
			EventID string `json:"event_id"`
			User    struct {
				Em []string
			} `json:"user_data"`
			Custom struct{ Value json.Number } `json:"custom_data"`
		}
		Code string `json:"test_event_code"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	first, again, other := got.Data[0].User.Em[0], got.Data[1].User.Em[0], got.Data[2].User.Em[0]
	if first != again || first == other || got.Code != "TEST1" || got.Data[0].Custom.Value != "12.50" || got.Data[2].EventID != "3" {
		t.Errorf("%+v", got)
	}
}
