package demo

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
)

// AgentPolicy decides the calls of the tour's agent.
//
//go:embed agent-policy.json
var AgentPolicy []byte

// Agent calls tools of the server for Meta's platform through a gateway with a policy:
// `sluice proxy -p` and `sluice mcp --write-back`, in this process.
type Agent struct {
	up     exchange.Upstream
	writes *app.LocalWrites
	decide func() error // ends the gateway
	calls  int
}

// agentServer is what the gateway calls its server.
const agentServer = "meta"

// NewAgent opens the gateway and the server over the state directory of a configuration.
// policy is a file.
func NewAgent(ctx context.Context, c *config.Config, policy string, log *slog.Logger) (*Agent, error) {
	a := &Agent{writes: app.NewLocalWrites(c, true, log)}
	spec := app.UpstreamSpec{Name: agentServer, Log: log, Local: func() (exchange.Upstream, error) {
		return app.Meta(ctx, c, app.MetaOptions{Sets: []string{"all"}, Always: a.writes.Handlers(), Log: log})
	}}
	var err error
	if a.decide, err = spec.Decide(ctx, c, app.ProxyPolicy{File: policy, Settings: registry.Settings{}}, log); err != nil {
		return nil, err
	}
	if a.up, err = app.Upstream(spec); err != nil {
		return nil, errors.Join(err, a.decide())
	}
	return a, nil
}

// Close ends both. What was decided is in the audit log then.
func (a *Agent) Close(ctx context.Context) error {
	return errors.Join(a.up.Close(ctx), a.writes.Close(), a.decide())
}

// Reply is what a call came to.
type Reply struct {
	Code     string // "ok", else of the policy or of the server
	Policy   bool   // it was the policy that said no
	Approval string // what a person has to decide
	Message  string // why not
	Data     map[string]any
}

// Call calls a tool.
func (a *Agent) Call(ctx context.Context, tool string, arguments map[string]any) (*Reply, error) {
	params, err := json.Marshal(map[string]any{
		"name": tool, "arguments": arguments,
		"_meta": map[string]any{
			mcpwire.MetaProtocolVersion: mcpwire.Version20260728, mcpwire.MetaCapabilities: map[string]any{},
			mcpwire.MetaClientInfo: map[string]any{"name": "sluice-demo", "version": app.Version()},
		},
	})
	if err != nil {
		return nil, err
	}
	a.calls++
	m, err := mcpwire.Parse(mcpwire.BuildRequest(strconv.Itoa(a.calls), mcpwire.MethodToolsCall, params), mcpwire.Limits{})
	if err != nil {
		return nil, err
	}
	var answer final
	err = a.up.Call(ctx, &exchange.Call{
		Message: &m, Caller: exchange.Caller{ID: "local", Name: "local"}, Server: agentServer,
		Era: mcpwire.Modern, Version: mcpwire.Version20260728,
	}, &answer)
	if err != nil {
		return nil, err
	}
	return read(tool, answer.data)
}

func read(tool string, message []byte) (*Reply, error) {
	var m struct {
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
		Result struct {
			Content    []struct{ Text string } `json:"content"`
			Structured struct {
				Data json.RawMessage `json:"data"`
			} `json:"structuredContent"`
			IsError bool `json:"isError"`
			Meta    struct {
				Policy *struct{ Code, Approval string } `json:"sluice/policy"`
				Error  *struct{ Code, Message string }  `json:"sluice/error"`
			} `json:"_meta"`
		} `json:"result"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return nil, err
	}
	r, meta := &Reply{Code: "ok"}, m.Result.Meta
	switch {
	case m.Error != nil:
		return nil, fmt.Errorf("%s: %s", tool, m.Error.Message)
	case meta.Policy != nil:
		r.Code, r.Policy, r.Approval = meta.Policy.Code, true, meta.Policy.Approval
		if len(m.Result.Content) > 0 {
			r.Message = m.Result.Content[0].Text
		}
	case meta.Error != nil:
		r.Code, r.Message = meta.Error.Code, meta.Error.Message
	case m.Result.IsError:
		return nil, fmt.Errorf("%s failed without a code", tool)
	default:
		_ = json.Unmarshal(m.Result.Structured.Data, &r.Data) // lists are not asked for here
	}
	return r, nil
}

// final keeps the message that ends a call.
type final struct{ data []byte }

// Send implements exchange.Sink.
func (f *final) Send(e exchange.Event) error {
	if e.Final {
		f.data = bytes.Clone(e.Data)
	}
	return nil
}

// Step is one call of the agent's session: what it is for, and the code that has to come.
type Step struct {
	Tool      string
	Arguments map[string]any
	For       string
	Want      string
}

// Session is what the agent does. The call that waits for a person is repeated when they
// have agreed.
func Session(now time.Time, dataset string) []Step {
	campaign := map[string]any{
		"ad_account_id": "act_3000000000000001", "name": "Cups for winter", "objective": "OUTCOME_SALES", "daily_budget": 3000,
	}
	message := func(to, text string) map[string]any {
		return map[string]any{"page_id": "4000000000000001", "recipient_id": to, "message": text}
	}
	return []Step{
		{"meta_create_campaign", campaign, "GBP 30.00 a day", "ok"},
		{"meta_create_campaign", campaign, "another, at once", "limit_exceeded"},
		{"meta_delete_campaign", map[string]any{"campaign_id": "3100000000000001"}, "the old one", "denied"},
		{"meta_send_page_message", message("4310000000000001", "It left this morning."), "to somebody who asked an hour ago", "ok"},
		{"meta_send_page_message", message("4310000000000003", "We do now!"), "to somebody who asked ten days ago", "window_closed"},
		{"meta_send_offline_event", map[string]any{
			"event_set_id": dataset, "event_name": "Purchase", "event_time": now.Add(-3 * time.Hour).Unix(),
			"user_data":   map[string]any{"email": "customer.one@example.com", "country": "GB"},
			"custom_data": map[string]any{"value": 1250, "currency": "GBP", "order_id": "S-1061"},
		}, "a sale of GBP 1 250.00", "approval_pending"},
	}
}
