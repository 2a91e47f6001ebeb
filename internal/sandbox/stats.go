package sandbox

import (
	"bytes"
	"math/bits"
	"strings"
)

// stats are the totals behind the stats edge and dataset_quality: one cell per
// hour of event_time, event name, action source and sending agent. They are kept
// instead of the events, so they work with KeepKeys too.
type stats struct {
	names  index
	agents index
	cells  map[cellKey]*cell

	agent    uint32
	last     *cell
	lastKey  cellKey
	lastName string
}

// cellKey holds positions in stats.names and stats.agents.
type cellKey struct {
	hour        int64 // Unix seconds, start of the hour
	name, agent uint32
	source      actionSource
}

// cell is the totals of one key.
type cell struct {
	received, kept, duplicates uint64
	withID                     uint64
	hashed                     uint64 // events with at least one hashed identifier
	delay                      int64  // sum of receipt - event_time, seconds
	keys                       [userKeyCount]uint64
	custom                     [customKeyCount]uint64
	properties, hosts, urls    tally
	devices, systems, browsers tally
}

// index numbers the distinct texts it has seen, up to maxLabels of them.
type index struct {
	at    map[string]uint32
	texts []string
}

func (x *index) of(text []byte) uint32 {
	n, known := x.at[string(text)]
	if !known && len(x.texts) >= maxLabels {
		text = []byte(otherLabel)
		n, known = x.at[otherLabel]
	}
	if !known {
		if x.at == nil {
			x.at = map[string]uint32{}
		}
		n = uint32(len(x.texts))
		x.at[string(text)] = n
		x.texts = append(x.texts, string(text))
	}
	return n
}

// tally counts texts, up to a number of distinct ones; the rest counts as "other".
// Counts are behind pointers: counting a text again then allocates nothing.
type tally map[string]*uint64

const tallyLimit = 500

func (t *tally) add(text []byte) {
	n := (*t)[string(text)]
	if n == nil {
		if len(*t) >= tallyLimit || len(text) > 1024 {
			text = []byte("other")
		}
		if *t == nil {
			*t = tally{}
		}
		if n = (*t)[string(text)]; n == nil {
			n = new(uint64)
			(*t)[string(text)] = n
		}
	}
	*n++
}

func newStats() *stats { return &stats{cells: map[cellKey]*cell{}} }

// begin names the agent of the events that follow: the lower-case name part of
// partner_agent, as Dataset Quality filters by it.
func (s *stats) begin(partnerAgent string) {
	s.agent = s.agents.of([]byte(agentName(partnerAgent)))
	s.last = nil
}

// agentName cuts the version off a partner_agent: acme_1_0 → acme.
func agentName(partnerAgent string) string {
	name := strings.ToLower(partnerAgent)
	for {
		i := strings.LastIndexAny(name, "_-.")
		if i <= 0 || !digits(strings.TrimPrefix(name[i+1:], "v")) {
			return name
		}
		name = name[:i]
	}
}

// cellOf finds the cell of an event. Events of one request mostly share it.
func (s *stats) cellOf(rec *record) *cell {
	hour := rec.time - rec.time%3600
	if s.last != nil && s.lastKey.hour == hour && s.lastKey.source == rec.source && s.lastName == string(rec.name) {
		return s.last
	}
	key := cellKey{hour: hour, name: s.names.of(rec.name), agent: s.agent, source: rec.source}
	c := s.cells[key]
	if c == nil {
		c = &cell{}
		s.cells[key] = c
	}
	s.last, s.lastKey, s.lastName = c, key, s.names.texts[key.name]
	return c
}

// add counts one event.
func (s *stats) add(rec *record, v verdict, now int64) {
	c := s.cellOf(rec)
	c.received++
	if v.rule == ruleKept {
		c.kept++
	} else {
		c.duplicates++
	}
	if len(rec.id) > 0 {
		c.withID++
	}
	if rec.keys.any(hashedKeys) {
		c.hashed++
	}
	c.delay += now - rec.time
	for set := uint64(rec.keys); set != 0; set &= set - 1 {
		c.keys[bits.TrailingZeros64(set)]++
	}
	for set := rec.custom; set != 0; set &= set - 1 {
		c.custom[bits.TrailingZeros32(set)]++
	}
	for _, name := range rec.customNames {
		c.properties.add(name)
	}
	if len(rec.url) > 0 {
		c.hosts.add(hostOf(rec.url))
		c.urls.add(withoutQuery(rec.url))
	}
	if len(rec.userAgent) > 0 {
		device, system, browser := classifyAgent(rec.userAgent)
		c.devices.add([]byte(device))
		c.systems.add([]byte(system))
		c.browsers.add([]byte(browser))
	}
}

// hostOf cuts the host out of a URL; text that is none counts as itself.
func hostOf(url []byte) []byte {
	_, rest, ok := bytes.Cut(url, []byte("://"))
	if !ok {
		rest = url
	}
	if i := bytes.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// withoutQuery cuts off query and fragment, where personal data travels.
func withoutQuery(url []byte) []byte {
	if i := bytes.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	return url
}

// agentSigns are looked for in order in a user agent.
var (
	systemSigns = [][2]string{
		{"Android", "android"}, {"iPhone", "ios"}, {"iPad", "ios"}, {"Windows", "windows"}, {"Mac OS X", "mac"}, {"Linux", "linux"},
	}
	browserSigns = [][2]string{
		{"Edg", "edge"}, {"OPR/", "opera"}, {"SamsungBrowser", "samsung"}, {"Firefox", "firefox"}, {"FxiOS", "firefox"},
		{"CriOS", "chrome"}, {"Chrome", "chrome"}, {"Safari", "safari"},
	}
)

// classifyAgent sorts a user agent by device type, operating system and browser.
func classifyAgent(agent []byte) (device, system, browser string) {
	find := func(signs [][2]string) string {
		for _, sign := range signs {
			if bytes.Contains(agent, []byte(sign[0])) {
				return sign[1]
			}
		}
		return "other"
	}
	system, browser = find(systemSigns), find(browserSigns)
	device = "desktop"
	switch {
	case bytes.Contains(agent, []byte("iPad")), system == "android" && !bytes.Contains(agent, []byte("Mobile")):
		device = "tablet"
	case system == "android" || system == "ios":
		device = "mobile"
	}
	return device, system, browser
}
