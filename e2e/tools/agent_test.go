package tools

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// TestTheLocalServerIsAnAgent: what a profile's policy wants of agents holds for whoever
// calls `sluice mcp`, and the person at the machine approves what it proposed.
func TestTheLocalServerIsAnAgent(t *testing.T) {
	t.Parallel()
	box := meta(t)
	state, env := mcptest.Environment(t)
	sluice := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), mcptest.Program(t), append(args, "--graph-url", box)...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("sluice %v: %v", args, err)
		}
		return out
	}
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(`{"approve_agents": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	sluice("profile", "set", "default", "--policy", policy)
	s := server{box: box, args: []string{"--write-back"}, env: []string{"SLUICE_STATE_DIR=" + state}}.client(t, mcptest.Modern, nil)
	sale := map[string]any{
		"event_set_id": "1000000000000001", "event_name": "Purchase", "event_time": time.Now().Unix() - 3600,
		"user_data": map[string]any{"email": "customer.one@example.com"}, "custom_data": map[string]any{"value": 12.5, "currency": "GBP", "order_id": "A-1"},
	}
	if a := call(t, s, "meta_send_offline_event", sale); a.code != "approval_required" {
		t.Fatalf("an agent's event goes out: %q %s", a.code, a.text)
	}
	var open []struct {
		ID string `json:"approval_id"`
		By string `json:"proposer"`
	}
	out := sluice("approvals", "list", "--json")
	if err := json.Unmarshal(out, &open); err != nil || len(open) != 1 || open[0].By != "local:mcp" {
		t.Fatalf("%v: %s", err, out)
	}
	sluice("approvals", "approve", open[0].ID, "--reason", "a sale of today")
	if a := call(t, s, "meta_send_offline_event", sale); a.code != "" || a.data["duplicate"] != false {
		t.Errorf("approved: %q %s", a.code, a.text)
	}
}
