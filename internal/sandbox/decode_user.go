package sandbox

// userData reads user_data and judges its values on the way: what it finds wrong
// is noted for the user stage, so that earlier stages still answer first.
func (d *decoder) userData() bool {
	if d.peek() != '{' {
		return d.mistyped("an object", "user_data")
	}
	if !d.open() {
		return false
	}
	var seen keySet
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok || !more {
			return ok
		}
		key, known := userKeyOf(name)
		if !known {
			return d.unexpected(name, "user_data")
		}
		if seen.has(key) {
			return d.fail("duplicate name")
		}
		seen |= key.bit()
		if !d.userValues(key) {
			return false
		}
	}
}

// userValues reads the value of a key: one scalar, or a list where Meta takes one.
func (d *decoder) userValues(key userKey) bool {
	if d.peek() != '[' {
		return d.userValue(key)
	}
	if listKeys&key.bit() == 0 {
		return d.mistyped("a string", "user_data", key.String())
	}
	if !d.open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := d.element(first)
		if !ok {
			return false
		}
		if !more {
			if first {
				d.ev.note(stageUser, errEmptyUserValue.with("key", key.String()))
			}
			return true
		}
		if !d.userValue(key) {
			return false
		}
	}
}

func (d *decoder) userValue(key userKey) bool {
	ev := &d.ev
	if d.peek() == 'n' {
		ev.note(stageUser, errEmptyUserValue.with("key", key.String()))
		return d.literal("null")
	}
	v, ok := d.scalarAt("user_data", key.String())
	if !ok {
		return false
	}
	if len(v) == 0 {
		ev.note(stageUser, errEmptyUserValue.with("key", key.String()))
		return true
	}
	ev.keys |= key.bit()
	switch key {
	case keyEM, keyPH, keyFN, keyLN, keyDB, keyGE, keyCT, keyST, keyZP, keyCountry:
		if !isSHA256(v) {
			ev.note(stageUser, errNotHashed.with("key", key.String()))
		}
	case keyExternalID:
	case keyIP:
		if !isIP(v) {
			ev.note(stageUser, errIP.with())
		}
	case keyUserAgent:
		ev.userAgent = v
		ev.hashedOdd = ev.hashedOdd || isSHA256(v)
	case keyFBC:
		if !isClickID(v, false) {
			ev.note(stageUser, errClickID.with("key", key.String()))
		}
	case keyFBP:
		if !isClickID(v, true) {
			ev.note(stageUser, errClickID.with("key", key.String()))
		}
	case keyLeadID:
		if !isLeadID(v) {
			ev.note(stageUser, errLeadID.with())
		}
	default:
		ev.hashedOdd = ev.hashedOdd || legacyKeys&key.bit() == 0 && isSHA256(v)
	}
	return true
}
