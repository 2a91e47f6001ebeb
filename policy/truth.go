package policy

// Truth is what can be said of a condition. What can't be judged is Unknown, and Unknown
// denies wherever it stands.
type Truth uint8

// The three values.
const (
	Unknown Truth = iota
	False
	True
)

var truthNames = [...]string{"unknown", "false", "true"}

func (t Truth) String() string { return truthNames[t] }

// MarshalText writes the name.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func truthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// not turns True and False around.
func (t Truth) not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// and is True if both are, False if one is.
func (t Truth) and(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return True
}

// or is True if one is, False if both are.
func (t Truth) or(u Truth) Truth { return t.not().and(u.not()).not() }
