package pipeline_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/enforce"
)

// TestIdenticalCallsAreHeldTogether: each yes lets one of them through, and none is held
// longer than the rule says, whoever used the yes it was held for.
func TestIdenticalCallsAreHeldTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := paged(t, page)
		l.dir.put("ann", subject(t, "ann", strings.Replace(asksPerson, `"wait_seconds":0`, `"wait_seconds":20`, 1)))
		const calls, yes = 8, 6
		var went, wait atomic.Int32
		begun := time.Now()
		done := make(chan time.Duration, calls)
		for range calls {
			go func() {
				out := newTape()
				if err := l.front.Call(t.Context(), modern(t, "1", "tools/call", `"name":"a","arguments":{}`, `{}`), out); err != nil {
					t.Error(err)
				}
				switch got := out.last(t); {
				case strings.Contains(got, "[APPROVAL PENDING]"):
					wait.Add(1)
				case strings.Contains(got, `"content":[]`):
					went.Add(1)
				default:
					t.Errorf("answered %s", got)
				}
				done <- time.Since(begun)
			}()
		}
		for range yes {
			time.Sleep(3 * time.Second)
			synctest.Wait()
			list, err := l.store.Approvals(t.Context(), enforce.ApprovalFilter{State: enforce.Pending})
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			if _, err := l.store.Decide(t.Context(), enforce.Decision{ID: list[0].ID, Approve: true, By: "usr_1"}); err != nil {
				t.Fatal(err)
			}
		}
		for range calls {
			if took := <-done; took > 20*time.Second {
				t.Errorf("held for %v", took)
			}
		}
		if went.Load() != yes || len(l.up.log()) != yes || wait.Load() != calls-yes {
			t.Errorf("%d went, %d reached the server, %d wait", went.Load(), len(l.up.log()), wait.Load())
		}
	})
}
