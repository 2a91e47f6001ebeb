package world

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memberBatch is the most rows that one call may have (custom-audience/users).
const memberBatch = 10_000

// memberKeys are the columns of a payload, and whether their values have to be hashes.
var memberKeys = map[string]bool{
	"EMAIL": true, "PHONE": true, "FN": true, "LN": true, "FI": true, "GEN": true, "DOBY": true, "DOBM": true, "DOBD": true, "CT": true, "ST": true,
	"ZIP": true, "COUNTRY": true, "EMAIL_SHA256": true, "PHONE_SHA256": true,
	"MADID": false, "EXTERN_ID": false, "LOOKALIKE_VALUE": false,
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// memberSession is one upload in batches.
type memberSession struct {
	id                int64
	received, invalid int64
	began, ended      time.Time
	done              bool
}

func (s *memberSession) row(now time.Time) map[string]any {
	row := map[string]any{
		"session_id": strconv.FormatInt(s.id, 10), "num_received": s.received, "num_invalid_entries": s.invalid,
		"start_time": s.began.Unix(), "stage": "uploading", "progress": "0",
	}
	switch {
	case s.done && !now.Before(s.ended.Add(filledAfter)):
		row["stage"], row["progress"], row["num_matched"], row["end_time"] = "post_processing_done", "100", (s.received-s.invalid)*7/10, s.ended.Add(filledAfter).Unix()
	case s.done:
		row["stage"], row["progress"] = "processing", "50"
	}
	return row
}

// memberSet holds the members that were sent: one text per row.
func memberSet(o *Object) map[string]bool {
	set, _ := o.Attrs["members"].(map[string]bool)
	return set
}

// memberPayload is what a call sends.
type memberPayload struct {
	Schema json.RawMessage `json:"schema"`
	Data   [][]any         `json:"data"`
}

// changeMembers adds members, or takes them out.
func changeMembers(c *Call) (any, *Error) { return takeMembers(c, false) }

// replaceMembers begins a new list with the first batch of a session.
func replaceMembers(c *Call) (any, *Error) { return takeMembers(c, true) }

func takeMembers(c *Call, whole bool) (any, *Error) {
	switch {
	case c.On.Str("subtype") != "CUSTOM":
		return nil, Bad("Members can only be changed in customer lists")
	case c.On.Attrs["blocked"] == true:
		return nil, Fail("audience_blocked")
	}
	var given memberPayload
	if err := c.JSON("payload", &given); err != nil {
		return nil, err
	}
	schema, err := memberSchema(given.Schema)
	if err != nil {
		return nil, err
	}
	if len(given.Data) == 0 || len(given.Data) > memberBatch {
		return nil, Bad("Param payload[data] must have 1 to 10000 rows")
	}
	session, seq, last, err := c.session()
	if err != nil {
		return nil, err
	}
	set := memberSet(c.On)
	if set == nil || whole && seq == 1 {
		set = map[string]bool{}
		c.On.Attrs["members"] = set
	}
	if whole && seq == 1 {
		c.On.Attrs["people"] = int64(0)
	}
	var invalid int64
	samples := map[string]any{}
	for _, row := range given.Data {
		member, bad := memberOf(schema, row)
		switch {
		case bad != "":
			invalid++
			if len(samples) < 5 {
				samples[strconv.Itoa(len(samples))] = bad
			}
		case c.Verb == "DELETE":
			delete(set, member)
		default:
			set[member] = true
		}
	}
	session.received += int64(len(given.Data))
	session.invalid += invalid
	if last {
		session.done, session.ended = true, c.Now
		c.On.Attrs["ready"], c.On.Attrs["time_content_updated"] = c.Now.Add(filledAfter), c.Now
	}
	return map[string]any{
		"audience_id": c.On.ID, "session_id": strconv.FormatInt(session.id, 10), "num_received": len(given.Data),
		"num_invalid_entries": invalid, "invalid_entry_samples": samples,
	}, nil
}

func memberSchema(raw json.RawMessage) ([]string, *Error) {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return nil, Bad("Param payload[schema] must be a list of keys")
		}
		list = []string{one}
	}
	for _, key := range list {
		if _, known := memberKeys[key]; !known {
			return nil, Bad("Param payload[schema]: unknown key " + clip(key))
		}
	}
	if len(list) == 0 {
		return nil, Bad("Param payload[schema] must not be empty")
	}
	return list, nil
}

// memberOf makes one text of a row; bad is a value that is no hash, which Meta shows as
// a sample.
func memberOf(schema []string, row []any) (member, bad string) {
	if len(row) != len(schema) {
		return "", "(wrong number of columns)"
	}
	var parts []string
	for i, key := range schema {
		v, isText := row[i].(string)
		if !isText || v == "" || key == "LOOKALIKE_VALUE" {
			continue
		}
		if memberKeys[key] && !hashForm.MatchString(v) {
			return "", v
		}
		parts = append(parts, key+"="+v)
	}
	if len(parts) == 0 {
		return "", "(empty row)"
	}
	slices.Sort(parts)
	return strings.Join(parts, " "), ""
}

// session finds or opens the session of a call. Without one the call stands for itself.
func (c *Call) session() (s *memberSession, seq int64, last bool, err *Error) {
	var given struct {
		ID   json.Number `json:"session_id"`
		Seq  int64       `json:"batch_seq"`
		Last bool        `json:"last_batch_flag"`
	}
	sessions, _ := c.On.Attrs["sessions"].([]*memberSession)
	if !c.Has("session") {
		given.Seq, given.Last = 1, true
		given.ID = json.Number(c.World.NextID())
	} else if err := c.JSON("session", &given); err != nil {
		return nil, 0, false, err
	}
	id, bad := given.ID.Int64()
	if bad != nil || id < 1 || given.Seq < 1 {
		return nil, 0, false, Bad("Param session must have session_id and batch_seq, both positive")
	}
	for _, known := range sessions {
		if known.id == id {
			if known.done {
				return nil, 0, false, Bad("The session is over: its last batch was sent")
			}
			return known, given.Seq, given.Last, nil
		}
	}
	s = &memberSession{id: id, began: c.Now}
	c.On.Attrs["sessions"] = append(sessions, s)
	return s, given.Seq, given.Last, nil
}
