package writeback

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Anchors is where checkpoints of the audit log are exported to: a place that a
// restored backup does not bring back with it.
type Anchors struct {
	File    string   // JSON lines; empty: none
	Command []string // gets one checkpoint on its standard input; empty: none
}

// checkpointEvery is how long activity may go without a checkpoint.
const checkpointEvery = time.Hour

// anchorCommandTime bounds one call of the export command.
const anchorCommandTime = 30 * time.Second

// Checkpoint signs where the audit log stands when that is due, after an hour with
// activity or audit.CheckpointRecords records, and exports it. With now set every
// record that none covers is reason enough.
func (s *Service) Checkpoint(ctx context.Context, now bool) error {
	due := false
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		_, due, err = s.due(ctx, tx, now)
		return err
	})
	if err != nil {
		return err
	}
	if due || now {
		// A store that is behind must not sign a second history over the first.
		if err := s.behind(ctx); err != nil {
			return err
		}
	}
	if due {
		if _, err := s.sign(ctx, now, false); err != nil {
			return err
		}
	}
	if due || now {
		return s.export(ctx)
	}
	return nil
}

// due reports whether a checkpoint is due, and what the next one states.
func (s *Service) due(ctx context.Context, tx ledger.Tx, now bool) (audit.Checkpoint, bool, error) {
	c := audit.Checkpoint{Log: s.store.ID(), No: 1}
	var err error
	if c.Heads, err = tx.Audit().Heads(ctx); err != nil {
		return c, false, err
	}
	last, err := tx.Audit().LastCheckpoint(ctx)
	if err != nil {
		return c, false, err
	}
	open := total(c.Heads)
	var at time.Time
	if last != nil {
		c.No, c.Prev = last.Checkpoint.No+1, last.Hash()
		open -= total(last.Checkpoint.Heads)
		if at, err = time.Parse(time.RFC3339, last.Checkpoint.TS); err != nil {
			return c, false, fault.New(fault.AuditBroken, "a stored checkpoint has no time")
		}
	}
	return c, open > 0 && (now || open >= audit.CheckpointRecords || tx.Now().Sub(at) >= checkpointEvery), nil
}

func total(heads []audit.Head) (n int64) {
	for _, h := range heads {
		n += h.Size
	}
	return n
}

// sign stores a checkpoint; nil when another process was faster.
func (s *Service) sign(ctx context.Context, now, reset bool) (*audit.Signed, error) {
	var signed *audit.Signed
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		c, due, err := s.due(ctx, tx, now)
		if err != nil || !due {
			return err
		}
		key, err := s.signingKey(ctx, tx)
		if err != nil {
			return err
		}
		c.Reset = reset
		made, err := audit.Sign(c, tx.Now(), key)
		if err != nil {
			return err
		}
		stored, err := tx.Audit().PutCheckpoint(ctx, made)
		if stored {
			signed = made
		}
		return err
	})
	return signed, err
}

const keyPurpose = "audit checkpoint key"

// signingKey opens the newest key that this master key sealed, or makes one.
func (s *Service) signingKey(ctx context.Context, tx ledger.Tx) (ed25519.PrivateKey, error) {
	keys, err := tx.Audit().Keys(ctx)
	if err != nil {
		return nil, err
	}
	for i := len(keys) - 1; i >= 0; i-- {
		if seed, err := s.keys.Open(keys[i].Sealed, keyPurpose); err == nil && len(seed) == ed25519.SeedSize {
			return ed25519.NewKeyFromSeed(seed), nil
		}
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return private, tx.Audit().PutKey(ctx, &audit.Key{
		ID: audit.KeyID(public), Public: public, Sealed: s.keys.Seal(private.Seed(), keyPurpose), CreatedAt: tx.Now(),
	})
}

// export writes what was not exported yet to the file and through the command.
func (s *Service) export(ctx context.Context) error {
	if s.anchors.File != "" {
		file := audit.File{Path: s.anchors.File}
		last, err := file.Last(s.store.ID())
		if err != nil {
			return notExported(err)
		}
		list, err := s.checkpointsAfter(ctx, numberOf(last))
		if err != nil {
			return err
		}
		if err := file.Append(list); err != nil {
			return notExported(err)
		}
	}
	if len(s.anchors.Command) == 0 {
		return nil
	}
	mark := s.dir("checkpoints-sent")
	text, err := os.ReadFile(mark)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return notExported(err)
	}
	sent, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // none: from the first on
	list, err := s.checkpointsAfter(ctx, sent)
	if err != nil {
		return err
	}
	for i := range list {
		if err := s.hand(ctx, &list[i]); err != nil {
			return notExported(err)
		}
		if err := os.WriteFile(mark, []byte(strconv.FormatInt(list[i].Checkpoint.No, 10)+"\n"), 0o600); err != nil {
			return notExported(err)
		}
	}
	return nil
}

// hand runs the command for one checkpoint.
func (s *Service) hand(ctx context.Context, c *audit.Signed) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, anchorCommandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.anchors.Command[0], s.anchors.Command[1:]...)
	cmd.Stdin = bytes.NewReader(append(line, '\n'))
	return cmd.Run()
}

func notExported(err error) error {
	return fault.New(fault.AuditUnavailable, "a checkpoint of the audit log can't be exported").
		WithFix("see that audit.checkpoint_file can be written and audit.checkpoint_command succeeds, then repeat the command").Wrap(err)
}

func numberOf(c *audit.Signed) int64 {
	if c == nil {
		return 0
	}
	return c.Checkpoint.No
}

func (s *Service) checkpointsAfter(ctx context.Context, no int64) (list []audit.Signed, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Audit().Checkpoints(ctx, no+1, func(c audit.Signed) error {
			list = append(list, c)
			return nil
		})
	})
	return list, err
}

// anchor covers a confirm's record with an exported checkpoint before the first
// byte leaves: whoever restores an older copy finds out.
func (c *confirm) anchor(ctx context.Context) error {
	err := c.Checkpoint(ctx, true)
	if f, ok := fault.As(err); err == nil || ok && f.Code != fault.Internal {
		return err
	}
	return fault.New(fault.AuditUnavailable, "the audit log's checkpoint can't be written; nothing was sent").Wrap(err)
}

// cover signs what a confirm left behind. What fails here is made up for by the next
// checkpoint, and must not hide the receipt.
func (s *Service) cover(ctx context.Context) {
	if err := s.Checkpoint(ctx, true); err != nil {
		s.log.Warn("the audit log's checkpoint is late", "error", err)
	}
}

// ResetCheckpoints accepts that this store is behind its last exported checkpoint,
// or that it parted from it: an admin has made sure that what the lost part sent
// will not be sent again.
func (s *Service) ResetCheckpoints(ctx context.Context, reason string) (*audit.Signed, error) {
	if err := s.admin(reason); err != nil {
		return nil, err
	}
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Audit().Append(ctx, tx.Now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Op: "audit.checkpoints_reset", Reason: reason, Result: "ok", AppVersion: s.version,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	signed, err := s.sign(ctx, true, true)
	if err != nil {
		return nil, err
	}
	if signed == nil {
		return nil, fault.New(fault.AuditUnavailable, "another process wrote a checkpoint meanwhile")
	}
	if s.anchors.File != "" {
		if err := (audit.File{Path: s.anchors.File}).Append([]audit.Signed{*signed}); err != nil {
			return nil, notExported(err)
		}
	}
	if len(s.anchors.Command) > 0 {
		if err := s.hand(ctx, signed); err != nil {
			return nil, notExported(err)
		}
	}
	return signed, nil
}

// admin refuses callers below admin, and an act without a reason.
func (s *Service) admin(reason string) error {
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{}); err != nil {
		return err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 500 {
		return fault.New(fault.Usage, "a reason of 1 to 500 characters is needed; it is kept in the audit log")
	}
	return nil
}
