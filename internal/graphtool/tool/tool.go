// Package tool is what a tool for Meta's platform is: one record that drives the MCP
// definition, the calls of the Graph API, the rendering of the answer, the page of the
// reference and the tests. The records themselves are in package graphtool; this one
// knows how to read, check, run and show them.
package tool

import (
	"context"
	"encoding/json"
	"time"

	"sluice/internal/graph"
)

// Tool is one record.
type Tool struct {
	Name  string
	Title string
	// Set is what users switch on and policies name: "pages.read".
	Set string
	// Core tools are in the short list that clients see by default.
	Core bool

	// Does says in one sentence what it does: verb, resource, scope.
	Does string
	// Use says when to use it and when not, naming the sibling.
	Use string
	// Note says what an agent has to know besides: effects, limits, syntax, units.
	Note string

	Args []Arg
	// AnyOf are groups of arguments, separated by blanks, of which at least one has to be
	// given; OneOf groups of which exactly one has to be.
	AnyOf, OneOf []string
	// Scopes are the permissions it needs, where those of its steps' operations
	// (graphspec) don't say all.
	Scopes []string

	Category     Category
	Severity     Severity
	Irreversible bool // what it does can't be taken back: a message, a post that was seen, spent money
	// Repeat says that doing it again changes nothing more: annotation idempotentHint,
	// and leave to try again where no answer came.
	Repeat bool

	// Steps are the calls, in order. The last one gives the answer, unless Out says
	// otherwise. A tool without steps has Flow, Run or Gone.
	Steps []Step
	// Flow is a course of several calls that many tools share.
	Flow Flow
	// Run is a hook in Go, for what data can't say. It makes its calls through Env.
	Run func(context.Context, *Env) (*Answer, error)
	// Calls documents the calls of Flow and Run, as the reference shows them and the
	// tests check them: "POST AdAccount/insights".
	Calls []Call
	// Rules are what else holds between arguments: see AtMostOne, Needs, WhenIs, InOrder.
	Rules []Rule
	// Check is a hook that refuses arguments before any request: what no single
	// argument and no rule can say.
	Check func(*Env) error
	// Shape is a hook that changes the answer before it is shown: a sum, a text.
	Shape func(*Env, *Answer) error

	// Gone says that Meta offers nothing for it any more (or never did).
	Gone *Gone

	Out Out
	// Cases are what the sandbox shows of it: at least one good and one bad call.
	Cases []Case
}

// Category is a tool's risk class.
type Category string

// The categories of the inventory (rulings 30).
const (
	Read        Category = "Read"
	Write       Category = "Write"
	Execute     Category = "Execute"
	Destructive Category = "Destructive"
	Financial   Category = "Financial"
)

// Severity is how bad a wrong call is.
type Severity string

// The severities.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Step is one call of the Graph API. What it may take, answers and needs is in
// graphspec under On and Edge; a test resolves each.
type Step struct {
	Verb string // GET, POST or DELETE
	// On is the node type, ID the argument that names the object. Several of both,
	// joined by |, mean: the first argument that was given. ID "me" is the token's own
	// user; an ID with a dollar sign is a member of an earlier step's answer:
	// "$create.id". On is graphspec.Root for a call without object.
	On   string
	ID   string
	Edge string
	// Name is how later steps and Out refer to it.
	Name string
	// When says with which arguments the step runs: "" always; "message" only with that
	// argument (false and an empty list are none), "!message" only without,
	// "kind=photo" only with that value. Several, separated by blanks, have to hold all.
	When string
	// Fields are asked for, in Graph's notation: id,name,owner{id,name}.
	Fields string
	// Fixed are parameters that are always sent; a value "$create.id" is taken from an
	// earlier step, "{page_id}" from an argument.
	Fixed map[string]string
	// Takes are the arguments sent with this step; nil: all that have a parameter
	// (see Arg.As), when it is the only or the last step; otherwise none.
	Takes []string
	// PageOf is the argument that names the Page whose token is used, where that can't
	// be told from the object: comments and messages. Empty: by the operation's Token.
	PageOf string
}

// Call documents one call of a hook.
type Call struct {
	Verb, On, Edge string
	Note           string
}

// Flow is a course of several calls.
type Flow interface {
	// Calls documents it.
	Calls() []Call
	// Run does it.
	Run(context.Context, *Env) (*Answer, error)
}

// Gone says why Meta offers nothing, and what to do instead.
type Gone struct {
	Why     string // "Meta's API has no edge for … since …"
	Instead string // what the user can do: a sibling tool, or the place in Meta's own screens
	// Since is when it went, empty where it never was.
	Since string
}

// Out says what the answer looks like.
type Out struct {
	// Of is the node type of what comes back; empty: that of the last step.
	Of string
	// List says that it is a page of objects; nil: as the last step's operation says.
	List *bool
	// Members are the members of an answer that is no node, in graphspec's notation.
	// With Of they are added to it.
	Members string
	// Heading is the first line of the rendering; {name} stands for an argument or a
	// member of the answer.
	Heading string
	// Columns are the members that a list shows as a table, in order; empty: the first
	// scalar ones.
	Columns []string
	// Drop are members that never leave: tokens, samples with personal data.
	Drop []string
	// Untrusted are further members that hold words of people outside, besides those
	// of graphspec's type text.
	Untrusted []string
}

// Answer is what a tool answers.
type Answer struct {
	// Data is an object (map[string]any) or a list ([]any of them), numbers as
	// json.Number, as the JSON of the answer has them.
	Data any
	// HasMore and Next are of a list: whether there is more, and its cursor.
	HasMore bool
	Next    string
	// Notices are what the caller should know: a value that was replaced, a metric that
	// is gone.
	Notices []string
	// Images are pictures to show, PNG.
	Images []Image
	// Columns are the members of a table, where they hang on what was asked for and the
	// record's don't fit.
	Columns []string
	// Text replaces the rendering, where a hook knows better.
	Text string
}

// Image is one picture.
type Image struct {
	PNG []byte
	Alt string
}

// Env is what a running tool has.
type Env struct {
	Tool *Tool
	Args Args
	// Graph makes calls.
	Graph Graph
	// Settings are what was configured.
	Settings Settings
	Now      func() time.Time
	// Sleep waits, for polling; it ends early with the context.
	Sleep func(context.Context, time.Duration) error
	// Progress tells how far a long run is: done of total (0: unknown), with words.
	Progress func(done, total float64, message string)

	notices []string
	steps   map[string]any // answers of the steps that have names
	fetched []graph.File   // documents of addresses
	object  map[string]any // what is changed, where a look came first
}

// Graph is what tools need of the client.
type Graph interface {
	Do(context.Context, graph.Request) (*graph.Response, error)
}

// Settings are what a tool may do besides what Meta allows.
type Settings struct {
	// Ceilings are the most that a budget may be set to, by ad account id; "*" is for
	// every account that has none of its own.
	Ceilings map[string]Ceiling
	// UploadDir is the folder that local files may be taken from; empty: none.
	UploadDir string
	// MaxUpload is the largest file, in bytes.
	MaxUpload int64
	// Fetch gets what stands at a public address, for files that Meta fetches from none;
	// nil: such arguments are refused.
	Fetch Fetcher
	// LeadsClear lets personal data of leads through; otherwise it is masked.
	LeadsClear bool
	// Page is whose token is used where neither the call nor the object's id says it.
	Page string
}

// Ceiling is a limit of budgets, in the account's minor unit. Where one of both is 0,
// budgets of that kind are refused: a lifetime budget would go round a daily limit.
type Ceiling struct {
	Daily, Lifetime int64
	Currency        string // the limit only holds for this currency; another is refused
}

// Raw is a JSON value as it was given.
type Raw = json.RawMessage
