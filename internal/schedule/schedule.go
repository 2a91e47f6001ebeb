// Package schedule is what is sent regularly without anybody at the keyboard: when,
// from where, what is expected to be there, and what an admin has signed for.
//
// Its guarantee: a schedule's windows follow each other without a hole, for the next
// one begins where the last completed one ended, less an overlap; and nothing is
// inside an authorisation that the signed terms do not cover. Its limit: windows are
// whole days of the schedule's zone.
package schedule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"time"
)

// State of a schedule.
type State string

// The states of a schedule.
const (
	Active State = "active"
	Paused State = "paused"
)

// What happens at a tick while an earlier window is still being worked on.
const (
	Skip  = "skip"  // the tick is left out; the next window covers it
	Queue = "queue" // the tick waits
)

// Spec is what a schedule does, as a person wrote it.
type Spec struct {
	Cron    string `json:"cron"`
	Zone    string `json:"zone"`
	Jitter  int    `json:"jitter_percent"` // of the time between two ticks, 0 to 10
	Overlap string `json:"overlap"`        // Skip or Queue

	// Where the records come from: files by pattern, or stored outcomes.
	Files    []string `json:"files,omitempty"`    // with {date} and one other {member}
	Outcomes []string `json:"outcomes,omitempty"` // of the profile's outcome store
	Filter   string   `json:"filter,omitempty"`   // of the stored outcomes

	Mapping string `json:"mapping,omitempty"` // path
	Dataset string `json:"dataset"`
	Realm   string `json:"realm"`

	WindowDays  int `json:"window_days"`  // of the first window
	OverlapDays int `json:"overlap_days"` // that each window reads again
	LagDays     int `json:"lag_days"`     // 1: up to yesterday; 0: today too

	// What is expected in every window: members of the file pattern, one file per
	// day each, and a share of the usual number of rows.
	Expect    []string `json:"expect,omitempty"`
	MinShare  float64  `json:"min_share,omitempty"` // of the trailing median; 0: 0.5
	ParkOnGap bool     `json:"park_on_gap"`         // a missing, repeated or short file parks the window

	// AcceptRejects lets more than a fifth of the rows be rejected.
	AcceptRejects bool `json:"accept_rejects,omitempty"`
}

// SourceDigest names where the records come from; an authorisation is bound to it.
func (s *Spec) SourceDigest() string {
	raw, err := json.Marshal([]any{s.Files, s.Outcomes, s.Filter, s.Mapping})
	if err != nil {
		panic(err) // lists of strings always encode
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Schedule is one schedule of a profile.
type Schedule struct {
	ID        string         `json:"id"`
	Profile   string         `json:"profile"`
	Name      string         `json:"name"`
	Spec      Spec           `json:"spec"`
	State     State          `json:"state"`
	Signed    *Authorization `json:"authorization,omitempty"`
	NextAt    time.Time      `json:"next_at,omitzero"`
	Completed string         `json:"completed,omitempty"` // last day of the last completed window
	CreatedAt time.Time      `json:"created_at"`

	Owner      string    `json:"-"` // who works on it
	LeaseUntil time.Time `json:"-"`
}

// jitter is how long after a tick this schedule starts: its own fixed share of up
// to Spec.Jitter percent of the time to the next tick, so that forty schedules of
// one hour do not start in one second and each keeps its place.
func (s *Schedule) jitter(between time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.ID))
	share := float64(h.Sum32()%1000) / 1000
	return time.Duration(float64(between) * float64(s.Spec.Jitter) / 100 * share).Truncate(time.Second)
}

// Tick returns when the schedule runs next after t, jitter included.
func (s *Schedule) Tick(t time.Time) (time.Time, error) {
	cron, err := ParseCron(s.Spec.Cron)
	if err != nil {
		return time.Time{}, err
	}
	loc, err := Zone(s.Spec.Zone)
	if err != nil {
		return time.Time{}, err
	}
	at := cron.Next(t.In(loc))
	return at.Add(s.jitter(cron.Next(at).Sub(at))).UTC(), nil
}

// RunState is where one window of a schedule stands.
type RunState string

// The states of a window.
const (
	Started   RunState = "started"   // being previewed
	Previewed RunState = "previewed" // its plan is known, nothing was sent
	Sending   RunState = "sending"   // confirmed; not everything is final yet
	Parked    RunState = "parked"    // waits for a person
	Completed RunState = "completed"
	Failed    RunState = "failed"  // is tried again
	Dropped   RunState = "dropped" // a later window covers it
)

// Open reports whether something is left to do.
func (s RunState) Open() bool { return s != Completed && s != Dropped }

// Run is one window of a schedule. Its key makes every repetition the same confirm.
type Run struct {
	Schedule   string    `json:"schedule"`
	Window     string    `json:"window"` // 2026-11-20..2026-11-20
	State      RunState  `json:"state"`
	Round      int       `json:"round,omitempty"` // how often the window was begun again after it was completed
	Plan       string    `json:"plan_id,omitempty"`
	Run        string    `json:"run_id,omitempty"`
	Approval   string    `json:"approval_id,omitempty"`
	Reasons    []string  `json:"reasons,omitempty"`  // why it is parked
	Findings   []Finding `json:"findings,omitempty"` // about its files
	Code       string    `json:"error,omitempty"`    // of the last failure
	Attempts   int       `json:"attempts"`
	RetryAt    time.Time `json:"retry_at,omitzero"`
	Rows       int       `json:"rows"`
	Planned    int       `json:"planned"`
	Delivered  int       `json:"delivered"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// Key is the idempotency key of a window.
func (r *Run) Key() string {
	key := "sched:" + r.Schedule + ":" + r.Window
	if r.Round > 0 {
		key += ":" + strconv.Itoa(r.Round)
	}
	return key
}

// Again begins a completed window anew, for what has come into it since.
func (r *Run) Again(now time.Time) {
	*r = Run{Schedule: r.Schedule, Window: r.Window, State: Started, Round: r.Round + 1, StartedAt: now}
}

// File is one file a schedule has read.
type File struct {
	Schedule string
	Digest   string // hex SHA-256 of its bytes
	Member   string
	Day      string
	Name     string // base name
	Rows     int
	Window   string // that read it first
	SeenAt   time.Time
}

// Repo stores schedules. Get methods return ledger.ErrNotFound.
type Repo interface {
	Get(ctx context.Context, profile, name string) (*Schedule, error)
	List(ctx context.Context, profile string) ([]Schedule, error) // all when empty
	// Put inserts or replaces by id, without the lease.
	Put(ctx context.Context, s *Schedule) error
	Delete(ctx context.Context, id string) error
	// Lease makes owner the one who works on it until then; ErrLost when somebody
	// else does. Release gives it back.
	Lease(ctx context.Context, id, owner string, now, until time.Time) error
	Release(ctx context.Context, id, owner string) error

	Run(ctx context.Context, schedule, window string) (*Run, error)
	// Runs lists the newest windows first.
	Runs(ctx context.Context, schedule string, limit int) ([]Run, error)
	PutRun(ctx context.Context, r *Run) error

	// Files lists what a schedule has read, newest first.
	Files(ctx context.Context, schedule string, limit int) ([]File, error)
	// FileSeen returns the first file with a digest.
	FileSeen(ctx context.Context, schedule, digest string) (*File, error)
	// PutFile remembers a file unless its digest is known for that member and day.
	PutFile(ctx context.Context, f *File) error
}
