package gateway_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/mcpwire/exchange"
)

// streaming is a member with a subscription: it acknowledges, says each line it is
// fed, and drops at "drop".
func streaming(ack string, feed <-chan string) *fake {
	return &fake{answer: func(ctx context.Context, c *exchange.Call, out exchange.Sink) (string, error) {
		tag := `"_meta":{"io.modelcontextprotocol/subscriptionId":` + string(c.Message.Bytes(c.Message.ID)) + `}`
		say := func(method, more string) {
			_ = out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/` + method + `","params":{` + tag + more + `}}`)})
		}
		say("subscriptions/acknowledged", `,"notifications":`+ack)
		for {
			select {
			case line := <-feed:
				if line == "drop" {
					return "", &exchange.Error{Code: exchange.BrokeOff}
				}
				say(line, "")
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}}
}

func TestSubscriptionsAreOneStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feedA, feedB := make(chan string), make(chan string)
		up := aggregate(t,
			streaming(`{"toolsListChanged":true,"resourceSubscriptions":["x:1"]}`, feedA),
			streaming(`{"promptsListChanged":true,"resourceSubscriptions":["x:1","x:2"]}`, feedB),
			&fake{answer: fails("-32601")},
			&fake{answer: hangs},
		)
		ctx, cancel := context.WithCancel(t.Context())
		out, ended := &inbox{came: make(chan struct{})}, make(chan struct{})
		c := modern(t, "subscriptions/listen", `"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["x:1","x:2"]}`)
		go func() { defer close(ended); _ = up.Call(ctx, c, out) }()
		feedB <- "prompts/list_changed" // before the acknowledgement, which waits for a silent member
		feedA <- "drop"
		feedA <- "tools/list_changed" // it was opened again
		for range 3 {
			<-out.came
		}
		cancel()
		<-ended
		var got []string
		for _, e := range out.all() {
			got = append(got, string(e.Data))
		}
		tag := `"_meta":{"io.modelcontextprotocol/subscriptionId":7}`
		want := []string{
			`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{` + tag + `,"notifications":{"promptsListChanged":true,"resourceSubscriptions":["x:1","x:2"],"toolsListChanged":true}}}`,
			`{"jsonrpc":"2.0","method":"notifications/prompts/list_changed","params":{` + tag + `}}`,
			`{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{` + tag + `}}`,
		}
		if strings.Contains(got[0], `{"toolsListChanged"`) { // whichever member was first
			want[0] = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{` + tag + `,"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x:1","x:2"],"promptsListChanged":true}}}`
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestASubscriptionThatNobodyTakesIsRefused(t *testing.T) {
	t.Parallel()
	up := aggregate(t, &fake{answer: fails("-32601")}, &fake{answer: fails("-32601")})
	out := &inbox{}
	if err := up.Call(t.Context(), modern(t, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`), out); err != nil {
		t.Fatal(err)
	}
	if all := out.all(); len(all) != 1 || decode(t, out.final(t)).Error == nil {
		t.Errorf("%v", all)
	}
}

func TestAMemberIsAskedForItsOwnOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fake{answer: hangs}, &fake{answer: hangs}, &fake{answer: hangs}
		up := aggregate(t, a, b, c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		call := modern(t, "subscriptions/listen", `"notifications":{"taskIds":["b_1","a_2","b_3"]}`)
		go func() { defer close(ended); _ = up.Call(ctx, call, &inbox{}) }()
		synctest.Wait()
		cancel()
		<-ended
		if log := strings.Join(b.log(), ""); !strings.Contains(log, `"taskIds":["1","3"]`) || len(a.log()) != 1 || len(c.log()) != 0 {
			t.Errorf("asked %q, %q, %q", a.log(), b.log(), c.log())
		}
	})
}

func TestResourcesOfOneStreamAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := streaming(`{}`, nil)
		ctx, cancel := context.WithCancel(t.Context())
		out, ended := &inbox{came: make(chan struct{}, 1)}, make(chan struct{})
		uris := strings.Repeat(`"x:1",`, 4000) + `"x:2"`
		c := modern(t, "subscriptions/listen", `"notifications":{"resourceSubscriptions":[`+uris+`]}`)
		go func() { defer close(ended); _ = aggregate(t, a).Call(ctx, c, out) }()
		<-out.came
		cancel()
		<-ended
		if n := strings.Count(a.log()[0], `"x:`); n != 1000 {
			t.Errorf("the member was asked for %d resources", n)
		}
	})
}
