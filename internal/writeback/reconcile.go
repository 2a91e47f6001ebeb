package writeback

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/schedule"
)

// reportingLag is how long Meta takes to show what it has received.
const reportingLag = 20 * time.Minute

// ReconcileRequest is one reconciliation.
type ReconcileRequest struct {
	Days    int    // whole days up to today, in the profile's zone
	From    string // with To, instead of Days: first and last day
	To      string
	Dataset string // every dataset of the profile when empty
	Realm   string
	By      string // a label; empty: none
	Offline bool   // do not ask the dataset
}

// Reconciliation sets the receipts of a profile beside what became of them and
// beside what the dataset reports.
type Reconciliation struct {
	Profile string `json:"profile"`
	Zone    string `json:"zone"`
	From    string `json:"from"`
	To      string `json:"to"`
	By      string `json:"by,omitempty"`
	// Days has one line per day and label value, oldest first.
	Days  []ReconcileLine `json:"days"`
	Total ReconcileLine   `json:"total"`
	// Balanced says that every line adds up and the books are complete.
	Balanced bool     `json:"balanced"`
	Books    []string `json:"books,omitempty"` // what is not as it should be
	// Datasets has one line per day and dataset that was asked.
	Datasets []DatasetLine `json:"datasets"`
	Uploads  []UploadLine  `json:"uploads,omitempty"`
	Agrees   bool          `json:"agrees"` // every difference is explained
}

// ReconcileLine is one day, or one day and label value. Its states add up to the
// receipts.
type ReconcileLine struct {
	Day       string            `json:"day,omitempty"`
	Label     string            `json:"label,omitempty"`
	Receipts  int               `json:"receipts"`
	Delivered int               `json:"delivered"`
	Held      int               `json:"held"`
	Rejected  int               `json:"rejected"`
	Skipped   int               `json:"skipped"`
	Expired   int               `json:"expired"`
	Unknown   int               `json:"unknown"`
	Waiting   int               `json:"waiting"`   // queued, in flight or to be tried again
	Planned   int               `json:"planned"`   // previewed, not confirmed
	Cancelled int               `json:"cancelled"` // with their plan or run
	Codes     map[string]int    `json:"codes,omitempty"`
	Value     map[string]string `json:"delivered_value,omitempty"`
	value     map[string]capi.Decimal
}

// Sum is what Receipts must equal.
func (l *ReconcileLine) Sum() int {
	return l.Delivered + l.Held + l.Rejected + l.Skipped + l.Expired + l.Unknown + l.Waiting + l.Planned + l.Cancelled
}

func (l *ReconcileLine) add(r *receipt) {
	l.Receipts++
	switch r.state {
	case ledger.Delivered:
		l.Delivered++
		if r.currency != "" {
			if l.value == nil {
				l.value = map[string]capi.Decimal{}
			}
			l.value[r.currency] += capi.Decimal(r.value)
		}
	case ledger.Held:
		l.Held++
	case ledger.Rejected:
		l.Rejected++
	case ledger.Skipped:
		l.Skipped++
	case ledger.Expired:
		l.Expired++
	case ledger.Unknown:
		l.Unknown++
	case ledger.Queued, ledger.InFlight, ledger.RetryWait:
		l.Waiting++
	case ledger.Planned:
		l.Planned++
	case ledger.Cancelled:
		l.Cancelled++
	}
	if r.code != "" {
		if l.Codes == nil {
			l.Codes = map[string]int{}
		}
		l.Codes[string(r.state)+"("+r.code+")"]++
	}
}

func (l *ReconcileLine) finish() {
	if len(l.value) > 0 {
		l.Value = valueText(l.value)
	}
}

// DatasetLine is what a dataset reports for one day, beside the ledger.
type DatasetLine struct {
	Day          string   `json:"day"`
	Dataset      string   `json:"dataset"`
	Realm        string   `json:"realm"`
	Delivered    int      `json:"delivered"` // by the ledger
	Unknown      int      `json:"unknown"`
	Reported     int      `json:"reported"` // by the dataset
	Deduplicated int      `json:"deduplicated"`
	Difference   int      `json:"difference"` // reported less delivered
	Why          []string `json:"why,omitempty"`
	Explained    bool     `json:"explained"`
	recent       int
}

// UploadLine compares the store events of one run with the upload the dataset lists.
type UploadLine struct {
	Run       string `json:"run_id"`
	Dataset   string `json:"dataset"`
	Delivered int    `json:"delivered"`
	Reported  int    `json:"reported"`
	Repeats   int    `json:"repeats,omitempty"` // of the reported, sent again because an answer was lost
	Explained bool   `json:"explained"`
}

// Reporter is a destination that says what a dataset has received.
type Reporter interface {
	Stats(ctx context.Context, dataset, aggregation string, from, to time.Time) ([]graph.Stat, error)
	Uploads(ctx context.Context, dataset string, since time.Time, pages int) ([]graph.Upload, bool, error)
}

// Reconcile counts every receipt of the window once and says what became of it.
func (s *Service) Reconcile(ctx context.Context, req ReconcileRequest) (*Reconciliation, error) {
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	loc, err := schedule.Zone(profile.Timezone)
	if err != nil {
		return nil, err
	}
	w, err := s.reconcileWindow(req, loc)
	if err != nil {
		return nil, err
	}
	out := &Reconciliation{Profile: s.profile, Zone: profile.Timezone, From: w.From, To: w.To, By: req.By, Days: []ReconcileLine{}, Datasets: []DatasetLine{}, Agrees: true}
	from, to := w.Bounds(loc)
	lines := map[[2]string]*ReconcileLine{}
	sent := map[datasetDay]*DatasetLine{}
	now := s.now()
	out.Books, err = s.receipts(ctx, receiptQuery{from: from, to: to, realm: req.Realm, dataset: req.Dataset}, func(r *receipt) error {
		day := time.Unix(r.time, 0).In(loc).Format(time.DateOnly)
		label := ""
		if req.By != "" {
			label = r.label(req.By)
		}
		line := lines[[2]string{day, label}]
		if line == nil {
			if len(lines) >= maxReconcileLines {
				return fault.New(fault.Usage, "the label %s has too many values for a reconciliation", req.By).WithFix("reconcile by shop or region")
			}
			line = &ReconcileLine{Day: day, Label: label}
			lines[[2]string{day, label}] = line
		}
		line.add(r)
		out.Total.add(r)
		if strong(r.state) {
			key := datasetDay{r.realm, r.dataset, day}
			d := sent[key]
			if d == nil {
				d = &DatasetLine{Day: day, Dataset: r.dataset, Realm: r.realm}
				sent[key] = d
			}
			switch r.state {
			case ledger.Delivered:
				d.Delivered++
				if r.delivered > now.Add(-reportingLag).Unix() {
					d.recent++
				}
			case ledger.Unknown:
				d.Unknown++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Balanced = len(out.Books) == 0
	for _, day := range w.Days() {
		if req.By == "" && lines[[2]string{day, ""}] == nil {
			lines[[2]string{day, ""}] = &ReconcileLine{Day: day}
		}
	}
	for _, line := range lines {
		line.finish()
		out.Days = append(out.Days, *line)
		out.Balanced = out.Balanced && line.Sum() == line.Receipts
	}
	out.Total.finish()
	slices.SortFunc(out.Days, func(a, b ReconcileLine) int {
		return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(a.Label, b.Label))
	})
	if !req.Offline {
		if err := s.askDatasets(ctx, out, sent, from, to, loc); err != nil {
			return nil, err
		}
	}
	result := "ok"
	if !out.Balanced || !out.Agrees {
		result = "differences"
	}
	return out, s.store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Audit().Append(ctx, s.now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: "reconcile", Dataset: req.Dataset, Object: w.String(),
			EventCount: out.Total.Receipts, Result: result, AppVersion: s.version,
			CountsByState: map[string]int{
				"delivered": out.Total.Delivered, "held": out.Total.Held, "rejected": out.Total.Rejected, "skipped": out.Total.Skipped,
				"expired": out.Total.Expired, "unknown": out.Total.Unknown, "planned": out.Total.Planned,
			},
		})
		return err
	})
}

// maxReconcileLines bounds days times label values.
const maxReconcileLines = 100_000

func (s *Service) reconcileWindow(req ReconcileRequest, loc *time.Location) (schedule.Window, error) {
	if req.From != "" || req.To != "" {
		return schedule.ParseWindow(req.From + ".." + req.To)
	}
	if req.Days < 1 || req.Days > 3660 {
		return schedule.Window{}, fault.New(fault.Usage, "the days must be 1 to 3660")
	}
	today := s.now().In(loc)
	first := time.Date(today.Year(), today.Month(), today.Day()+1-req.Days, 12, 0, 0, 0, time.UTC)
	return schedule.Window{From: first.Format(time.DateOnly), To: today.Format(time.DateOnly)}, nil
}

type datasetDay struct{ realm, dataset, day string }

// askDatasets sets what each dataset reports beside the ledger's figures.
func (s *Service) askDatasets(ctx context.Context, out *Reconciliation, sent map[datasetDay]*DatasetLine, from, to time.Time, loc *time.Location) error {
	targets := map[Target]bool{}
	for key := range sent {
		targets[Target{s.profile, key.realm, key.dataset}] = true
	}
	for _, t := range slices.SortedFunc(maps.Keys(targets), func(a, b Target) int { return strings.Compare(a.Realm+a.Dataset, b.Realm+b.Dataset) }) {
		to2, err := s.connect(ctx, t)
		if err != nil {
			return err
		}
		if to2.Realm() != t.Realm {
			out.Books = append(out.Books, "dataset "+t.Dataset+" of "+t.Realm+" was not asked: this is "+to2.Realm())
			continue
		}
		reporter, ok := to2.(Reporter)
		if !ok {
			continue
		}
		if err := readStats(ctx, reporter, t, sent, from, to, loc); err != nil {
			return err
		}
		if err := s.readUploads(ctx, reporter, t, out, from); err != nil {
			return err
		}
	}
	for _, d := range sent {
		d.explain()
		out.Agrees = out.Agrees && d.Explained
		out.Datasets = append(out.Datasets, *d)
	}
	slices.SortFunc(out.Datasets, func(a, b DatasetLine) int {
		return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(a.Dataset, b.Dataset), strings.Compare(a.Realm, b.Realm))
	})
	return nil
}

func readStats(ctx context.Context, r Reporter, t Target, sent map[datasetDay]*DatasetLine, from, to time.Time, loc *time.Location) error {
	line := func(hour time.Time) *DatasetLine {
		key := datasetDay{t.Realm, t.Dataset, hour.In(loc).Format(time.DateOnly)}
		d := sent[key]
		if d == nil {
			d = &DatasetLine{Day: key.day, Dataset: t.Dataset, Realm: t.Realm}
			sent[key] = d
		}
		return d
	}
	counts, err := r.Stats(ctx, t.Dataset, graph.ByEvent, from, to)
	if err != nil {
		return fault.New(fault.DestinationUnreached, "dataset %s does not say what it has received", t.Dataset).WithFix("reconcile with --offline for the ledger's side alone").Wrap(err)
	}
	for _, c := range counts {
		if !c.Hour.Before(from) && c.Hour.Before(to) {
			line(c.Hour).Reported += c.Count
		}
	}
	// Older versions answer nothing here; the counts stand without it.
	results, err := r.Stats(ctx, t.Dataset, graph.ByResult, from, to)
	if err == nil {
		for _, c := range results {
			if c.Value == "deduplicated" && !c.Hour.Before(from) && c.Hour.Before(to) {
				line(c.Hour).Deduplicated += c.Count
			}
		}
	}
	return nil
}

// readUploads compares the runs whose uploads the dataset lists. Only store events
// leave uploads.
func (s *Service) readUploads(ctx context.Context, r Reporter, t Target, out *Reconciliation, since time.Time) error {
	list, _, err := r.Uploads(ctx, t.Dataset, since, uploadPages)
	if err != nil {
		return nil //nolint:nilerr // a dataset without store events has no such edge; the counts above stand
	}
	prefix := "sluice:" + s.store.ID() + ":"
	return s.store.View(ctx, func(tx ledger.Tx) error {
		for _, u := range list {
			id, mine := strings.CutPrefix(u.Tag, prefix)
			valid, err := u.Valid.Int64()
			if !mine || err != nil {
				continue
			}
			line, err := uploadLine(ctx, tx, id, int(valid))
			if err != nil {
				return err
			}
			line.Dataset = t.Dataset
			out.Uploads = append(out.Uploads, line)
		}
		return nil
	})
}

// uploadLine compares the store events of a run, which travel in batches of their
// own, with what its upload lists. An upload counts every time that an event came.
func uploadLine(ctx context.Context, tx ledger.Tx, id string, valid int) (UploadLine, error) {
	line := UploadLine{Run: id, Reported: valid}
	store := map[int]bool{}
	known, lost := int64(0), 0
	err := tx.Runs().Attempts(ctx, id, func(a *ledger.Attempt) error {
		if a.Plan != known {
			batches, err := tx.Batches().List(ctx, a.Plan)
			if err != nil {
				return err
			}
			for _, b := range batches {
				store[b.No] = b.Class == classNames[classStore]
			}
			known = a.Plan
		}
		switch {
		case !store[a.Batch]:
		case a.Result == string(ledger.Delivered):
			line.Delivered += a.Received
		case a.Result != "refused":
			lost += a.Count
		}
		return nil
	})
	over := valid - line.Delivered
	line.Explained = over == 0
	if over > 0 && over <= lost {
		line.Repeats, line.Explained = over, true
	}
	return line, err
}

// explain says where a difference comes from, as far as the ledger can know.
func (d *DatasetLine) explain() {
	d.Difference = d.Reported - d.Delivered
	d.Explained = true
	say := func(format string, args ...any) { d.Why = append(d.Why, fmt.Sprintf(format, args...)) }
	if d.Deduplicated > 0 {
		say("%d of the reported events were dropped by Meta as duplicates", d.Deduplicated)
	}
	switch over := d.Difference; {
	case over > 0:
		if known := min(over, d.Unknown); known > 0 {
			say("%d of the %d unknown events seem to have arrived: `sluice resolve`", known, d.Unknown)
			over -= known
		}
		if repeats := min(over, d.Deduplicated); over > 0 && repeats > 0 {
			say("%d are repeats of a lost answer, or came from a pixel with the same ids", repeats)
			over -= repeats
		}
		if over > 0 {
			say("%d came from another sender: a pixel, another program, or this one before its ledger began", over)
			d.Explained = false
		}
	case over < 0:
		if -over <= d.recent {
			say("%d were acknowledged within the last %d minutes; reports come later", -over, int(reportingLag/time.Minute))
			return
		}
		say("%d acknowledged events are not reported: keep the trace ids and ask Meta", -over)
		d.Explained = false
	}
}
