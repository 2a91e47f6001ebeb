package main

// point is one place to die.
type point struct {
	name string // of write-back's crash points, with what tells it from its neighbours
	what string
	// env is the compiled-in point; passages is how many of its passages are tried in
	// turn. Empty: the destination decides, through act.
	env      string
	passages int
	preview  bool // it lies in the preview
	act      func(x *exchange, kill func())
	pause    bool // SIGSTOP beyond the lease instead of a kill right away
}

// points lists them in the order of a confirm.
var points = []point{
	{name: "C0", what: "rows read, plan not committed", env: "C0", passages: 1, preview: true},
	{name: "C1", what: "plan committed", env: "C1", passages: 1, preview: true},
	{name: "C2", what: "key, run and audit committed", env: "C2", passages: 1},
	{name: "C2 claiming", what: "keys claimed, not queued", env: "claiming", passages: 1},
	{name: "C3", what: "attempt committed, no byte sent", env: "C3", passages: 3},
	{name: "C4 mid-body", what: "a part of the body sent", act: func(x *exchange, kill func()) {
		part := make([]byte, 4096)
		_, _ = x.r.Body.Read(part)
		kill()
		x.drop()
	}},
	{name: "C4 refused", what: "body sent, nothing stored", act: func(x *exchange, kill func()) {
		x.read()
		kill()
		x.drop()
	}},
	{name: "C4 stored", what: "stored, no answer sent", act: func(x *exchange, kill func()) {
		x.store()
		kill()
		x.drop()
	}},
	{name: "C4 answered", what: "stored, answer on its way", act: func(x *exchange, kill func()) {
		x.answer(x.store())
		kill()
	}},
	{name: "C5", what: "answer read, not committed", env: "C5", passages: 3},
	{name: "C6", what: "everything committed, caller not answered", env: "C6", passages: 1},
	{name: "C7", what: "inside the last transaction, after its audit record", env: "C7", passages: 1},
	{name: "C8", what: "paused beyond the lease with a request stored, then killed", pause: true},
}

// outside reports whether the destination alone can set the point.
func (p point) outside() bool { return p.act != nil }
