package policy_test

import (
	"strings"
	"testing"

	"sluice/policy"
)

const benchDocument = `{"version":"1","default":"deny","tools":{"meta_send_offline_event":{
 "require":[{"conditions":[{"path":"args.custom_data.currency","op":"in","value":["EUR","USD"]},
                           {"path":"args.event_name","op":"regex","value":"^[A-Z][A-Za-z]+$"}],"on_deny":"Only EUR and USD."}],
 "deny_if":[{"conditions":[{"path":"args.custom_data.value","op":"gt","value":5000}],"on_deny":"Above 5000."}],
 "limits":[{"counter":"uploads","window":"hour","max":200,"scope":"grant"}]}}}`

var benchCall = policy.Call{Tool: "meta_send_offline_event", Arguments: []byte(`{"dataset_id":"1000000000000001","event_name":"Purchase","event_time":1790000000,"user_data":{"em":["` +
	strings.Repeat("f660ab91", 8) + `"],"external_id":"c-1"},"custom_data":{"currency":"EUR","value":129.90,"order_id":"o-1"},"action_source":"physical_store"}`)}

// The budget is a microsecond and no allocation for three conditions and a limit.
func BenchmarkDecideAndCharge(b *testing.B) {
	p := compile(b, benchDocument)
	b.ReportAllocs()
	b.SetBytes(int64(len(benchCall.Arguments)))
	for b.Loop() {
		var room [4]policy.Charge
		d := p.Decide(benchCall)
		if charges, _, ok := p.Charges(room[:0], &d, benchCall); !ok || len(charges) != 1 {
			b.Fatal("the call is not allowed")
		}
	}
}

// A batch of a thousand events, each looked at by two conditions.
func BenchmarkBatch(b *testing.B) {
	p := compile(b, `{"version":"1","default":"deny","tools":{"t":{"require":[{"conditions":[
		{"path":"args.events[*].custom_data.currency","op":"eq","value":"EUR"},{"path":"args.events[*].custom_data.value","op":"lte","value":5000}]}]}}}`)
	c := policy.Call{Tool: "t", Arguments: []byte(`{"events":[` + strings.Repeat(`{"event_name":"Purchase","custom_data":{"currency":"EUR","value":12.5}},`, 999) +
		`{"custom_data":{"currency":"EUR","value":1}}]}`)}
	b.ReportAllocs()
	b.SetBytes(int64(len(c.Arguments)))
	for b.Loop() {
		if d := p.Decide(c); d.Verdict != policy.Allow {
			b.Fatal("the call is not allowed")
		}
	}
}

func BenchmarkKeyedCharge(b *testing.B) {
	p := compile(b, `{"version":"1","default":"deny","tools":{"t":{"limits":[{"counter":"c","window":"day","max":3,"key":"args.recipient_id"}]}}}`)
	c := policy.Call{Tool: "t", Arguments: []byte(`{"recipient_id":"24012345678901234","text":"hello"}`)}
	b.ReportAllocs()
	for b.Loop() {
		var room [4]policy.Charge
		d := p.Decide(c)
		if _, _, ok := p.Charges(room[:0], &d, c); !ok {
			b.Fatal("the call is not charged")
		}
	}
}

// Not to allocate is part of the cost that a call may have; the time is measured by the
// benchmarks.
func TestDecisionsDoNotAllocate(t *testing.T) {
	for name, document := range map[string]string{
		"three conditions": benchDocument,
		"eleven operators": `{"version":"1","default":"deny","tools":{"meta_send_offline_event":{"require":[{"conditions":[
			{"path":"args.event_name","op":"eq","value":"Purchase"},{"path":"args.event_name","op":"neq","value":"Lead"},
			{"path":"args.custom_data.currency","op":"in","value":["USD","EUR"]},{"path":"args.custom_data.currency","op":"not_in","value":["RUB"]},
			{"path":"args.custom_data.value","op":"lt","value":5000},{"path":"args.custom_data.value","op":"lte","value":5000.5},
			{"path":"args.event_time","op":"gt","value":1},{"path":"args.event_time","op":"gte","value":1e9},
			{"path":"args.action_source","op":"regex","value":"^physical_[a-z]+$"},{"path":"args.action_source","op":"contains","value":"store"},
			{"path":"args.user_data.em[*]","op":"regex","value":"^[0-9a-f]{64}$"},{"path":"args.user_data.em.$length","op":"lte","value":5},
			{"path":"args.user_data.external_id","op":"exists","value":true}]}],
			"limits":[{"counter":"value","window":"day","max":100000,"increment_from":"args.custom_data.value","key":"args.dataset_id"}]}}}`,
	} {
		p := compile(t, document)
		allocations := testing.AllocsPerRun(200, func() {
			var room [4]policy.Charge
			d := p.Decide(benchCall)
			if _, _, ok := p.Charges(room[:0], &d, benchCall); !ok {
				t.Fatal("the call is not allowed")
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations in a decision", name, allocations)
		}
	}
}
