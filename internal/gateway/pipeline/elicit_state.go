package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

const (
	// approvalInput is the key of our one request among a result's inputRequests.
	approvalInput = "sluice-approval"
	// statePrefix tells our requestState from those of the upstream.
	statePrefix = "sluice-approval."
	// statePurpose binds it to its use.
	statePurpose = "approval request state"
)

// state is the requestState of a call that waits: sealed, and good for this call of this
// grant only, for as long as its approval may be used. It allows nothing: that it comes
// back says that the page was shown, and the call is judged like any other.
func (p *Pipeline) state(s *Subject, c *exchange.Call, a *enforce.Approval) string {
	until := a.ExpiresAt.Add(enforce.UnusedApproval).Unix()
	plain := strings.Join([]string{s.Server, a.ID, s.Grant, callDigest(c.Message), strconv.FormatInt(until, 10)}, "\n")
	return statePrefix + base64.RawURLEncoding.EncodeToString(p.o.Keys.Seal([]byte(plain), statePurpose))
}

// approvalOf reads a state. It returns the approval; none where the state is that of
// another server's pipeline, a member of this aggregate; or errState where it is none
// that was given for this call of this grant, or is too old.
func (p *Pipeline) approvalOf(s *Subject, m *mcpwire.Message, state string) (approval string, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(state, statePrefix))
	if err != nil {
		return "", errState
	}
	plain, err := p.o.Keys.Open(sealed, statePurpose)
	if err != nil {
		return "", errState
	}
	parts := strings.Split(string(plain), "\n")
	switch {
	case len(parts) != 5:
		return "", errState
	case parts[0] != s.Server:
		return "", nil
	case parts[2] != s.Grant || parts[3] != callDigest(m):
		return "", errState
	}
	if until, err := strconv.ParseInt(parts[4], 10, 64); err != nil || p.o.Now().Unix() > until {
		return "", errState
	}
	return parts[1], nil
}

// callDigest is the same for two calls that ask for the same.
func callDigest(m *mcpwire.Message) string {
	name, _ := m.Text(m.Name)
	var arguments []byte
	if m.Arguments.Present() {
		arguments = m.Bytes(m.Arguments)
	}
	same, err := canonical(arguments)
	if err != nil {
		same = arguments
	}
	sum := sha256.Sum256(append(mcpwire.Quote(name), same...))
	return hex.EncodeToString(sum[:])
}

// retried takes out of a tools/call what only answers a question of the gateway's own:
// the call as it is to be judged and forwarded, and the context for it. A state that was
// not given for this call is refused.
func (p *Pipeline) retried(ctx context.Context, s *Subject, c *exchange.Call) (context.Context, *exchange.Call, error) {
	m := c.Message
	if !m.RequestState.Present() {
		return ctx, c, nil
	}
	text, _ := m.Text(m.RequestState)
	if !strings.HasPrefix(text, statePrefix) { // the upstream's
		return ctx, c, nil
	}
	approval, err := p.approvalOf(s, m, text)
	if err != nil || approval == "" {
		return ctx, c, err
	}
	stripped, err := withoutAnswer(c)
	return asked(ctx, approval), stripped, err
}

// errState refuses a requestState.
var errState = errors.New("params.requestState was not given for this call, or is too old: make the call without it")

// withoutAnswer is a call without our state and the answer to our question.
func withoutAnswer(c *exchange.Call) (*exchange.Call, error) {
	m := c.Message
	others := false
	for key := range mcpwire.Members(m.Raw, m.InputResponses) {
		name, _ := m.Text(key)
		others = others || name != approvalInput
	}
	edits := mcpwire.RemoveMembers(m.Raw, m.Params, func(name string) bool {
		return name == "requestState" || name == "inputResponses" && !others
	})
	if others {
		edits = append(edits, mcpwire.RemoveMembers(m.Raw, m.InputResponses, func(name string) bool { return name == approvalInput })...)
	}
	raw, err := mcpwire.Splice(m.Raw, edits...)
	if err != nil {
		return nil, err
	}
	bare, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw) + 1, Depth: anyDepth})
	if err != nil {
		return nil, err
	}
	return c.With(&bare), nil
}

type askedKey struct{}

// asked marks a call whose client was shown the page of an approval.
func asked(ctx context.Context, approval string) context.Context {
	return context.WithValue(ctx, askedKey{}, approval)
}

// wasAsked is that approval.
func wasAsked(ctx context.Context) string {
	approval, _ := ctx.Value(askedKey{}).(string)
	return approval
}
