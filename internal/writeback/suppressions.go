package writeback

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/privacy"
	"sluice/internal/tenant"
)

// Subject is what is known of one person. At least one identifier is set; each may
// be plain or the SHA-256 of its normalised form.
type Subject struct {
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Country    string `json:"country,omitempty"` // completes a national phone number
}

// entries are the suppressions of a subject.
func (p *Subject) entries(t *privacy.Tagger, reason, request string, at time.Time) ([]privacy.Suppression, error) {
	var out []privacy.Suppression
	for _, id := range []struct {
		field capi.Field
		value string
	}{{capi.FieldEmail, p.Email}, {capi.FieldPhone, p.Phone}, {capi.FieldExternalID, p.ExternalID}} {
		if id.value == "" {
			continue
		}
		digests, err := privacy.Normalized(id.field, id.value, p.Country)
		if err != nil {
			return nil, fault.New(fault.Usage, "the %s can't be read: %s", fieldNames[id.field], capi.CodeOf(err)).
				WithFix("write it as it is in the shop's data; a national phone number needs a country")
		}
		for _, d := range digests {
			out = append(out, privacy.Suppression{Tag: t.Tag(id.field, d), Field: id.field.String(), Reason: reason, Request: request, CreatedAt: at})
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Usage, "no identifier is named").WithFix("name an e-mail, a phone number or an external id")
	}
	return out, nil
}

var fieldNames = map[capi.Field]string{capi.FieldEmail: "e-mail", capi.FieldPhone: "phone number", capi.FieldExternalID: "external id"}

// requestPattern keeps references of requests short, and identifiers out of the
// audit log: there is no @ in it.
var requestPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,63}$`)

func checkRequest(ref string, needed bool) error {
	if ref == "" && !needed {
		return nil
	}
	if !requestPattern.MatchString(ref) {
		return fault.New(fault.Usage, "the reference of the request must be 1 to 64 letters, digits and . _ : / # -").
			WithFix("name the ticket or case, never the person: --request DSR-2026-017")
	}
	return nil
}

// SuppressRequest adds people to the suppression list of the service's profile.
type SuppressRequest struct {
	// Next returns the next person, io.EOF at the end. A *fault.Fault counts as an
	// entry that can't be read.
	Next    func() (Subject, error)
	Reason  string // one of privacy.Reasons
	Request string // reference; may be empty
}

// SuppressResult says what became of the entries.
type SuppressResult struct {
	Entries int    `json:"entries"` // people that were named
	Added   int    `json:"added"`   // identifiers that were not on the list
	Removed int    `json:"removed,omitempty"`
	Invalid int    `json:"invalid"`         // people of whom an identifier could not be read
	First   []int  `json:"first,omitempty"` // the first of these, by number
	Reason  error  `json:"-"`               // why the first of them could not be read
	Request string `json:"request,omitempty"`
}

// mayErase is for acts on people's data: an admin's, also through a shop system's
// token that passes a person's wish on; never an agent's.
func (s *Service) mayErase() error {
	return tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{})
}

// Suppress puts people on the list: from now on they are left out of every plan, and
// out of every run that is confirmed or resumed. A run that is sending goes on.
func (s *Service) Suppress(ctx context.Context, req SuppressRequest) (*SuppressResult, error) {
	if err := s.mayErase(); err != nil {
		return nil, err
	}
	if err := checkRequest(req.Request, false); err != nil {
		return nil, err
	}
	if !slices.Contains(privacy.Reasons, req.Reason) {
		return nil, fault.New(fault.Usage, "the reason must be one of %v", privacy.Reasons)
	}
	return s.eachEntry(ctx, req, "suppress.add", func(ctx context.Context, tx ledger.Tx, chunk []privacy.Suppression, r *SuppressResult) error {
		n, err := tx.Privacy().Suppress(ctx, s.profile, chunk)
		r.Added += n
		return err
	})
}

// Lift takes people off the list.
func (s *Service) Lift(ctx context.Context, req SuppressRequest) (*SuppressResult, error) {
	if err := s.mayErase(); err != nil {
		return nil, err
	}
	if err := checkRequest(req.Request, false); err != nil {
		return nil, err
	}
	return s.eachEntry(ctx, req, "suppress.remove", func(ctx context.Context, tx ledger.Tx, chunk []privacy.Suppression, r *SuppressResult) error {
		tags := make([]privacy.Tag, len(chunk))
		for i := range chunk {
			tags[i] = chunk[i].Tag
		}
		n, err := tx.Privacy().Lift(ctx, s.profile, tags)
		r.Removed += n
		return err
	})
}

// eachEntry reads people chunk by chunk and audits the whole with the last chunk.
func (s *Service) eachEntry(ctx context.Context, req SuppressRequest, op string, apply func(context.Context, ledger.Tx, []privacy.Suppression, *SuppressResult) error) (*SuppressResult, error) {
	tagger, now, err := s.tagger(ctx)
	if err != nil {
		return nil, err
	}
	r := &SuppressResult{Request: req.Request}
	var chunk []privacy.Suppression
	for done := false; !done; {
		p, err := req.Next()
		var entries []privacy.Suppression
		if done = errors.Is(err, io.EOF); !done {
			r.Entries++
			if err == nil {
				entries, err = p.entries(tagger, req.Reason, req.Request, now)
			}
			if _, bad := fault.As(err); bad {
				if r.Invalid++; r.Invalid == 1 {
					r.Reason = err
				}
				if r.First = append(r.First, r.Entries); len(r.First) > placesKept {
					r.First = r.First[:placesKept]
				}
			} else if err != nil {
				return nil, err
			}
			chunk = append(chunk, entries...)
		}
		if !done && len(chunk) < putRows {
			continue
		}
		slices.SortFunc(chunk, func(a, b privacy.Suppression) int { return privacy.Compare(a.Tag, b.Tag) })
		err = s.store.Do(ctx, func(tx ledger.Tx) error {
			before := *r
			if err := apply(ctx, tx, chunk, r); err != nil {
				*r = before
				return err
			}
			if !done {
				return nil
			}
			_, err := tx.Audit().Append(ctx, s.now(), audit.Record{
				Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: op, Object: req.Request, Result: "ok", AppVersion: s.version,
				CountsByState: map[string]int{"entries": r.Entries, "added": r.Added, "removed": r.Removed, "invalid": r.Invalid},
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		chunk = chunk[:0]
	}
	return r, nil
}

// tagger returns a tagger of the service's profile, and the store's time.
func (s *Service) tagger(ctx context.Context) (*privacy.Tagger, time.Time, error) {
	var pepper []byte
	var now time.Time
	err := s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if _, err = s.profileIn(ctx, tx); err != nil {
			return err
		}
		now = tx.Now()
		pepper, err = privacy.Pepper(ctx, tx.Privacy(), s.keys, s.profile, now)
		return err
	})
	if err != nil {
		return nil, now, err
	}
	return privacy.NewTagger(pepper), now, nil
}

// Suppressions counts the list of the service's profile.
func (s *Service) Suppressions(ctx context.Context) (out []privacy.Count, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		if _, err := s.profileIn(ctx, tx); err != nil {
			return err
		}
		out, err = tx.Privacy().Count(ctx, s.profile)
		return err
	})
	return out, err
}
