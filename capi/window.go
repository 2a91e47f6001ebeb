package capi

import "time"

// OfflineWindow chooses how old a physical_store event may be. Meta's offline
// page says both "within 62 days" and "older than 7 days always errors".
type OfflineWindow uint8

const (
	// Offline62Days is the default, and what large senders rely on.
	Offline62Days OfflineWindow = iota
	// OfflineStrict7 treats shop sales like everything else.
	OfflineStrict7
)

// String returns 62d or strict7.
func (w OfflineWindow) String() string {
	if w == OfflineStrict7 {
		return "strict7"
	}
	return "62d"
}

const (
	day = 24 * time.Hour
	// onlineWindow is documented and enforced: one older event fails its request.
	onlineWindow  = 7 * day
	offlineWindow = 62 * day
	// futureSkew is how far a clock may run ahead. Meta documents nothing; senders
	// report failures with future times, and large ones allow a minute.
	futureSkew = 60 * time.Second
	// freshness is the age above which Meta calls an event late.
	freshness = day
	// millisecondsFrom is the smallest event_time that can only be milliseconds:
	// as seconds it lies in the year 5138.
	millisecondsFrom = 100_000_000_000
)

// Window is how old an event of this source may be when it reaches Meta.
func Window(source ActionSource, offline OfflineWindow) time.Duration {
	if source == PhysicalStore && offline == Offline62Days {
		return offlineWindow
	}
	return onlineWindow
}

// seconds returns whole seconds; windows and margins are compared in them, because
// event_time has no smaller unit.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }
