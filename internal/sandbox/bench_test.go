package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// fullBatch is a request of 1000 events of about 1.1 KB each: nine hashed keys
// and two contents. Ids begin with prefix, which has eight bytes, so that a
// benchmark can put another one in its place.
func fullBatch(prefix string) []byte {
	var buf bytes.Buffer
	buf.WriteString(`{"data":[`)
	for i := range 1000 {
		if i > 0 {
			buf.WriteByte(',')
		}
		id := fmt.Sprintf("%s-%05d", prefix, i)
		fmt.Fprintf(&buf, `{"event_name":"Purchase","event_time":%d,"event_id":"%s","action_source":"physical_store","user_data":{`, epoch.Unix()-int64(i), id)
		for n, key := range []string{"em", "ph", "fn", "ln", "ct", "st", "zp", "country", "external_id"} {
			if n > 0 {
				buf.WriteByte(',')
			}
			fmt.Fprintf(&buf, `"%s":["%s"]`, key, hashed(key+id))
		}
		fmt.Fprintf(&buf, `},"custom_data":{"value":42.5,"currency":"GBP","order_id":"%s","content_type":"product","contents":[`+
			`{"id":"SKU-1001","quantity":2,"item_price":10.25},{"id":"SKU-2002","quantity":1,"item_price":22}]}}`, id)
	}
	buf.WriteString(`]}`)
	return buf.Bytes()
}

// BenchmarkEvents measures taking in new events, in process. One op is one event.
func BenchmarkEvents(b *testing.B) {
	for _, keep := range []sandbox.Keep{sandbox.KeepKeys, sandbox.KeepAll} {
		b.Run("keep="+keep.String(), func(b *testing.B) {
			s := sandbox.New(sandbox.Options{Now: func() time.Time { return epoch }, Keep: keep})
			rt := s.RoundTripper()
			body := fullBatch("aaaaaaaa")
			b.SetBytes(int64(len(body) / 1000))
			b.ReportAllocs()
			old := []byte("aaaaaaaa")
			for n := 0; b.Loop(); n++ {
				if n%1000 != 0 {
					continue // one request carries a thousand events
				}
				b.StopTimer()
				fresh := fmt.Appendf(nil, "%08d", n/1000)
				body = bytes.ReplaceAll(body, old, fresh)
				old = fresh
				b.StartTimer()
				req, err := http.NewRequest(http.MethodPost, "http://sandbox.example.com/v26.0/"+sandbox.Dataset+"/events", bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+sandbox.Token)
				resp, err := rt.RoundTrip(req)
				if err != nil || resp.StatusCode != http.StatusOK {
					text, _ := io.ReadAll(resp.Body)
					b.Fatalf("%v %s", err, text)
				}
				_ = resp.Body.Close()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRead measures one GET of an object through the handler.
func BenchmarkRead(b *testing.B) {
	s := sandbox.New(sandbox.Options{Now: func() time.Time { return epoch }})
	rt := s.RoundTripper()
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodGet, "http://sandbox.example.com/v26.0/"+sandbox.AdAccount+"?fields=id,name,currency,business{name}", nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+sandbox.Token)
		resp, err := rt.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(err, resp)
		}
		_ = resp.Body.Close()
	}
}

// BenchmarkNew measures making the documented world, as each test and each reset does.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		sandbox.New(sandbox.Options{Now: func() time.Time { return epoch }})
	}
}
