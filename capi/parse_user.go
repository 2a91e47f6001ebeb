package capi

// userData reads customer information. Old names are read as the current ones;
// where both stand there, their values are put together.
func (p *parser) userData(u *UserData) {
	p.members(func(name string) bool {
		f, ok := ParseField(name)
		if !ok {
			return false
		}
		switch {
		case u.list(f) != nil:
			list := u.list(f)
			*list = append(*list, p.texts()...)
		case f.Legacy():
			u.Add(f, p.single())
		default:
			u.Add(f, p.text())
		}
		return true
	})
}
