package sandbox

import "net/netip"

// hexDigit marks the bytes of a hexadecimal digest, both cases.
var hexDigit = func() (t [256]bool) {
	for _, c := range "0123456789abcdefABCDEF" {
		t[c] = true
	}
	return t
}()

// isSHA256 reports whether v is 64 hex digits, optionally with the appendix Meta's
// parameter builder adds. Upper case is accepted: it is the same digest.
func isSHA256(v []byte) bool {
	if len(v) < 64 {
		return false
	}
	for _, c := range v[:64] {
		if !hexDigit[c] {
			return false
		}
	}
	return len(v) == 64 || v[64] == '.' && isAppendix(v[65:])
}

// isAppendix reports whether v is a parameter-builder token: eight base64url
// characters, or one of the older two-letter ones.
func isAppendix(v []byte) bool {
	switch string(v) {
	case "AQ", "Ag", "Aw", "BA", "BQ", "Bg":
		return true
	}
	if len(v) != 8 {
		return false
	}
	for _, c := range v {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
		if !letter {
			return false
		}
	}
	return true
}

// isClickID reports whether v is an fbc, or with numeric an fbp:
// fb.<digit>.<13 digits>.<id>, optionally with an appendix.
func isClickID(v []byte, numeric bool) bool {
	const head = len("fb.1.1700000000000.")
	if len(v) <= head || string(v[:3]) != "fb." || !digits(v[3:4]) || v[4] != '.' || !digits(v[5:18]) || v[18] != '.' {
		return false
	}
	id := v[head:]
	for i, c := range id {
		switch {
		case c == '.':
			return i > 0 && isAppendix(id[i+1:])
		case c <= ' ' || numeric && (c < '0' || c > '9'):
			return false
		}
	}
	return true
}

// isIP reports whether v is one IP literal without zone, port or brackets.
func isIP(v []byte) bool {
	a, err := netip.ParseAddr(string(v))
	return err == nil && a.Zone() == ""
}

// isLeadID reports whether v has the 15 to 17 digits of a Lead Ads id.
func isLeadID(v []byte) bool { return len(v) >= 15 && len(v) <= 17 && digits(v) }
