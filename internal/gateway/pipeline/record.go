package pipeline

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/internal/audit"
	"sluice/internal/ids"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Lengths of what a client chooses and a record repeats.
const (
	longestTool   = 256
	longestClient = 64
	longestKey    = 80
	mostKeys      = 64
)

// macArguments is the purpose of the key that digests arguments.
const macArguments = "call arguments"

// decision is the record of a request before it is decided.
func (p *Pipeline) decision(of *session, s *Subject, c *exchange.Call) audit.Call {
	m := c.Message
	rec := audit.Call{
		Request: ids.New("req", p.o.Now()), Phase: audit.PhaseDecision,
		Workspace: s.Workspace, Grant: s.Grant, Server: s.Server, Method: shortened(m.Method, longestTool),
	}
	if of != nil {
		rec.Client, rec.Session = of.client, of.digest(c.Session)
	} else if m.ClientInfo.Present() {
		rec.Client = clientName(m, m.ClientInfo)
	}
	return rec
}

// decidedBy names the policy in a record.
func decidedBy(rec *audit.Call, b *Bound) {
	if b != nil {
		rec.Policy, rec.PolicyVersion, rec.PolicyHash = cmp.Or(b.ID, b.Name), b.Version, b.Hash
	}
}

// digest is what a record says of a session: the id itself lets its holder in.
func (s *session) digest(id string) string {
	if id == "" {
		return ""
	}
	if known := s.known.Load(); known != nil && known.id == id {
		return known.digest
	}
	sum := sha256.Sum256([]byte(id))
	d := hex.EncodeToString(sum[:8])
	s.known.Store(&sessionDigest{id, d})
	return d
}

type sessionDigest struct{ id, digest string }

// argumentKeys are the names of the arguments, sorted; of very many the first ones.
func argumentKeys(m *mcpwire.Message) []string {
	var keys []string
	for name := range mcpwire.Members(m.Raw, m.Arguments) {
		key, _ := m.Text(name)
		keys = append(keys, shortened(key, longestKey))
	}
	slices.Sort(keys)
	return keys[:min(len(keys), mostKeys)]
}

// mac is the keyed digest of the arguments.
func (t *toolCall) mac() string {
	d := t.p.digests.Get().(*digest)
	defer t.p.digests.Put(d)
	var text [2 * sha256.Size]byte
	if d.hash == nil {
		hex.Encode(text[:], t.p.o.Keys.MAC(macArguments, t.canonical))
	} else {
		d.hash.Reset()
		d.hash.Write(t.canonical)
		hex.Encode(text[:], d.hash.Sum(d.sum[:0]))
	}
	return string(text[:])
}

// digest is a MAC that is used again, which saves making its key each time.
type digest struct {
	hash hash.Hash // nil: Keys does not hand out the key
	sum  [sha256.Size]byte
}

// newDigest makes what Keys.MAC makes for arguments.
func newDigest(k Keys) *digest {
	if d, ok := k.(interface{ Derive(purpose string) []byte }); ok {
		return &digest{hash: hmac.New(sha256.New, d.Derive(macArguments))}
	}
	return &digest{}
}

// clientName is the name in an Implementation object.
func clientName(m *mcpwire.Message, info mcpwire.Span) string {
	name, _ := m.Text(mcpwire.Member(m.Raw, info, "name"))
	return shortened(name, longestClient)
}

// shortened is text of a client for a record: without control characters, and at most n
// bytes and a sign that there was more.
func shortened(s string, n int) string {
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			plain = false
			break
		}
	}
	if !plain {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return utf8.RuneError
			}
			return r
		}, s)
	}
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
