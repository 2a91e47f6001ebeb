package audit_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/internal/audit"
)

// full is a call with something in every member.
func full(t testing.TB, text string, n int64) audit.Call {
	t.Helper()
	var c audit.Call
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString(text + v.Type().Field(i).Name)
		case reflect.Int, reflect.Int64:
			f.SetInt(n + int64(i))
		case reflect.Slice:
			if f.Type() == reflect.TypeFor[[]byte]() {
				f.SetBytes([]byte("SEALED CANARY")) // kept beside the log, never in it
				continue
			}
			f.Set(reflect.ValueOf([]string{text + "a", text + "b"}))
		default:
			t.Fatalf("member %s has a type this test does not know", v.Type().Field(i).Name)
		}
	}
	return c
}

func same(t *testing.T, chain string, seq int64, at time.Time, c *audit.Call) {
	t.Helper()
	want, err := audit.Encode(chain, seq, at, c.Record())
	if err != nil {
		t.Fatal(err)
	}
	got := audit.AppendCall(nil, chain, seq, at, c)
	if string(got) != string(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(string(got), "CANARY") {
		t.Error("the record holds what is kept beside the log")
	}
}

func TestAppendCallGivesTheBytesOfEncode(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"plain": "x", "quotes and backslashes": `"\`, "controls": "\x00\b\f\n\r\t\x1f\x7f", "markup": "<a&b>", "separators": "\u2028\u2029",
		"beyond the basic plane": "\U0001F600é", "not UTF-8": "a\xff\xc3(\xed\xa0\x80b", "a pointer": "/tools/a~1b/limits/c-per-minute",
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int64{0, 1, 1 << 52} {
				c := full(t, text, n)
				for _, phase := range []string{c.Phase, audit.PhaseDecision, audit.PhaseOutcome, audit.PhaseReview} {
					c.Phase = phase
					same(t, "st_1/gateway", 7, at, &c)
				}
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		same(t, "st_1/gateway", 1, at.Add(123456789), &audit.Call{})
		same(t, "st_1/gateway", 1, at.In(time.FixedZone("east", 3600)), &audit.Call{ArgKeys: []string{}})
	})
	t.Run("one member at a time", func(t *testing.T) {
		t.Parallel()
		whole := full(t, "v", 1)
		for i := range reflect.TypeFor[audit.Call]().NumField() {
			var c audit.Call
			reflect.ValueOf(&c).Elem().Field(i).Set(reflect.ValueOf(whole).Field(i))
			same(t, "c", 2, at, &c)
		}
	})
}

func FuzzAppendCall(f *testing.F) {
	f.Add("tool", "rule", "key", int64(3), int64(1_700_000_000_000))
	f.Add("\xff\"", "\u2028<", "\\\x01", int64(-3), int64(0))
	f.Fuzz(func(t *testing.T, tool, rule, key string, n, ms int64) {
		if n <= -1<<53 || n >= 1<<53 || ms < 0 || ms > 1<<45 {
			t.Skip("not a time or a duration that there can be")
		}
		same(t, "c/"+tool, 1, time.UnixMilli(ms), &audit.Call{Tool: tool, Rule: rule, ArgKeys: []string{key, tool}, LatencyUS: n, Phase: audit.PhaseOutcome})
	})
}

func BenchmarkAppendCall(b *testing.B) {
	c := full(b, "", 200)
	c.ArgsHMAC, c.ToolHash = fmt.Sprintf("%064d", 1), fmt.Sprintf("%064d", 2)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = audit.AppendCall(buf[:0], "st_01jc0000000000000000000000/gateway", 12345, at, &c)
	}
}
