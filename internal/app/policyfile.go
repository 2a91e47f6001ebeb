package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/fault"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
	"sluice/policy"
)

// PolicyFile is one policy.json that is followed while it changes: every call is judged
// by one version of it. A version that does not check is left out, and said so; the one
// before stays in force.
type PolicyFile struct {
	path    string
	mode    registry.Mode
	server  string
	set     registry.Settings
	log     *slog.Logger
	current atomic.Pointer[pipeline.Subject]

	mu       sync.Mutex
	changed  chan struct{}
	seen     stamp
	read     [sha256.Size]byte // of what was read last
	lost     int               // looks in a row that found no file to read
	revision int64
}

// stamp is what tells without reading that a file is the one that was read.
type stamp struct {
	mod  time.Time
	size int64
	file os.FileInfo
	// fresh says that it was written just before it was read. Clocks of file systems are
	// coarse: it may be written once more and look the same.
	fresh bool
}

// coarse is the longest step of a file system's clock.
const coarse = 2 * time.Second

// maxPolicyFile is beyond what a policy may have, so that its own check names the fault.
const maxPolicyFile = 1 << 20

// LocalGrant is the grant of whoever uses a relay without accounts.
const LocalGrant = "local"

// OpenPolicyFile reads and checks the file. What is wrong with it is an error that
// names all faults; what is only worth a look goes to the log.
func OpenPolicyFile(path, server string, mode registry.Mode, set registry.Settings, log *slog.Logger) (*PolicyFile, error) {
	f := &PolicyFile{path: path, mode: mode, server: server, set: set, log: log, changed: make(chan struct{})}
	raw, seen, err := readPolicy(path)
	if err != nil {
		return nil, fault.New(fault.Usage, "the policy %s can't be read", path).Wrap(err).WithFix("name a file that exists: -p policy.json")
	}
	f.seen, f.read = seen, sha256.Sum256(raw)
	if err := f.take(raw); err != nil {
		return nil, err
	}
	return f, nil
}

func readPolicy(path string) ([]byte, stamp, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, stamp{}, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, stamp{}, errors.New("it is not a file")
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxPolicyFile))
	return raw, stamp{info.ModTime(), info.Size(), info, time.Since(info.ModTime()) < coarse}, err
}

// take puts a document into force.
func (f *PolicyFile) take(raw []byte) error {
	doc, faults := policy.Parse(raw)
	if doc == nil {
		return PolicyFaults(f.path, faults)
	}
	for _, w := range faults {
		level := slog.LevelWarn
		if strings.HasPrefix(w.Code, "N_") { // what a shorthand means is nothing to mend
			level = slog.LevelInfo
		}
		f.log.Log(context.Background(), level, "policy: "+w.Message, "file", filepath.Base(f.path), "code", w.Code, "at", w.Pointer)
	}
	sum := sha256.Sum256(doc.Canonical())
	f.revision++
	name := strings.TrimSuffix(filepath.Base(f.path), filepath.Ext(f.path))
	f.current.Store(&pipeline.Subject{
		Workspace: "default", Server: f.server, Grant: LocalGrant, GrantName: LocalGrant, Settings: f.set, Revision: f.revision,
		Policies: []pipeline.Bound{{ID: name, Name: name, Hash: hex.EncodeToString(sum[:]), Mode: f.mode, Policy: doc.Compile()}},
	})
	return nil
}

// PolicyFaults is the error of a document that does not check.
func PolicyFaults(name string, faults []policy.Fault) error {
	var list []string
	for _, one := range faults {
		if strings.HasPrefix(one.Code, "E_") {
			list = append(list, fmt.Sprintf("%s %s: %s", one.Code, orRoot(one.Pointer), one.Message))
		}
	}
	return fault.New(fault.PolicyInvalid, "%s is not a valid policy: %s", name, strings.Join(list, "; ")).
		WithFix("`sluice policy validate %s` names every fault with its line and its fix", name).With("faults", faults)
}

func orRoot(pointer string) string {
	if pointer == "" {
		return "(the whole)"
	}
	return pointer
}

// Subject serves pipeline.Directory.
func (f *PolicyFile) Subject(exchange.Caller, string) *pipeline.Subject { return f.current.Load() }

// Changed serves pipeline.Directory.
func (f *PolicyFile) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// policyPoll is how often the file is looked at. Looking is portable to every file
// system and to files that are swapped by renaming or by a link; it costs a stat.
const policyPoll = 300 * time.Millisecond

// Follow watches the file until the context ends.
func (f *PolicyFile) Follow(ctx context.Context) {
	tick := time.NewTicker(policyPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look()
		}
	}
}

// patience is how many looks may find nothing before that is said: between the two halves
// of a replacement there may be no file, or an empty one.
const patience = 4

// gone notes a look that found no policy.
func (f *PolicyFile) gone(err error) {
	if f.lost++; f.lost == patience {
		f.log.Error("the policy can't be read any more; what was read last stays in force", "file", filepath.Base(f.path), "error", err)
	}
}

// look reads the file if it is another one than the one read last.
func (f *PolicyFile) look() {
	info, err := os.Stat(f.path)
	if err != nil {
		f.gone(err)
		return
	}
	if os.SameFile(info, f.seen.file) && info.ModTime().Equal(f.seen.mod) && info.Size() == f.seen.size && !f.seen.fresh && f.lost == 0 {
		return
	}
	raw, seen, err := readPolicy(f.path)
	if err == nil && len(bytes.TrimSpace(raw)) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		f.gone(err)
		return
	}
	sum := sha256.Sum256(raw)
	same := sum == f.read
	f.seen, f.read, f.lost = seen, sum, 0
	if same {
		return
	}
	before := f.current.Load()
	if err := f.take(raw); err != nil {
		f.log.Error("the changed policy is not used; the one before stays in force", "error", err)
		return
	}
	if f.current.Load().Policies[0].Hash == before.Policies[0].Hash {
		return
	}
	f.log.Info("the policy was read anew", "file", filepath.Base(f.path))
	f.mu.Lock()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
}
