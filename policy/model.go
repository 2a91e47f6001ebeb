package policy

import "time"

// model is a document after reading: what it says, with shorthands written out.
type model struct {
	allow    bool // default: allow
	hide     []string
	allTools []limitModel
	tools    []toolModel
}

type toolModel struct {
	name      string
	require   []ruleModel
	denyIf    []ruleModel
	approveIf []ruleModel
	limits    []limitModel
}

func (m *model) tool(name string) *toolModel {
	for i := range m.tools {
		if m.tools[i].name == name {
			return &m.tools[i]
		}
	}
	return nil
}

func (m *model) hides(name string) bool {
	for _, h := range m.hide {
		if h == name || h == "*" {
			return true
		}
	}
	return false
}

// ruleModel is one rule of any of the three lists; message is on_deny, in approve_if
// message.
type ruleModel struct {
	at         string // where it stands in the document as it was given
	id         string
	conditions []conditionModel
	message    string
	// Of approve_if; nil where the document does not say.
	ttl, wait *int64
	approvers []string
}

type conditionModel struct {
	path  path
	op    *operator
	value node
	use   operand // the value, compiled
}

type limitModel struct {
	at        string // where it stands in the document as it was given
	counter   string
	seconds   int64
	sliding   bool
	max       int64
	scope     Scope
	message   string
	increment *path
	key       *path
	after     string
	afterKey  *path // where the key stands in a call of the tool after
}

// Defaults of approve_if.
const (
	defaultTTL  = 15 * time.Minute
	defaultWait = 20 * time.Second
)

// windows are the ones with a name.
var windows = [...]struct {
	name    string
	seconds int64
}{{"minute", 60}, {"hour", 3600}, {"day", 86400}}

// windowName is the name of a window, or its length.
func windowName(seconds int64) (name string, named bool) {
	for _, w := range windows {
		if w.seconds == seconds {
			return w.name, true
		}
	}
	return "", false
}
