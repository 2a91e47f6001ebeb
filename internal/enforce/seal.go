package enforce

// Purposes that arguments are sealed for: those of a call that waits for a person, and
// those that are kept to replay calls with another policy.
const (
	SealParked   = "arguments of a parked call"
	SealRecorded = "arguments of a recorded call"
)
