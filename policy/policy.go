package policy

// Policy is a compiled document. It is immutable and safe for concurrent use.
type Policy struct {
	_ struct{}
}

type (
	tool struct{}
	path struct{}
)

// Fault is one thing that is wrong with a document, or worth a look.
type Fault struct {
	Code    string `json:"code"`    // E_… keeps the document from being used, W_… does not, N_… tells of a rewriting
	Pointer string `json:"pointer"` // RFC 6901, into the document as it was given
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// Document is a checked document.
type Document struct {
	canonical []byte
	portable  bool
}

// Parse checks a document and reports all its faults. The document is nil when one of
// them is an error. Shorthands are rewritten, each with a notice.
func Parse(raw []byte) (*Document, []Fault) { return nil, nil }

// Canonical is the document as it is stored: shorthands written out, members in the
// order of the specification; parsing it again gives the same bytes.
func (d *Document) Canonical() []byte { return d.canonical }

// Portable reports whether the document uses nothing but version 1 as published.
func (d *Document) Portable() bool { return d.portable }

// Compile makes a document fit for deciding. It can't fail: Parse has checked
// everything.
func (d *Document) Compile() *Policy { return &Policy{} }

// Decide judges a call: hidden, default, require, deny_if, approve_if, in this order.
func (p *Policy) Decide(c Call) Decision { return Decision{Code: Invalid} }

// Charges appends what an allowed call takes from the limits: those of the tool, then
// those of all tools, in document order. When an amount or a key can't be taken from the
// arguments it returns the denial instead, and false.
func (p *Policy) Charges(dst []Charge, d *Decision, c Call) ([]Charge, Decision, bool) {
	return dst, Decision{Code: Invalid}, false
}

// Marks appends what later calls may refer to with `after`, should this one succeed.
func (p *Policy) Marks(dst []Mark, c Call) []Mark { return dst }

// Hides reports whether the name is hidden; HidesAny whether any is.
func (p *Policy) Hides(tool string) bool { return true }

// HidesAny reports whether the document hides anything.
func (p *Policy) HidesAny() bool { return true }

// DefaultAllow reports whether tools that the document does not list are allowed.
func (p *Policy) DefaultAllow() bool { return false }

// Callable reports whether some call of the tool could be allowed: it is neither hidden
// nor unlisted under default deny nor denied without condition.
func (p *Policy) Callable(tool string) bool { return false }
