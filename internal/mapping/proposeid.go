package mapping

import "strings"

// settleID finds the columns that tell orders apart, and whether several rows are
// one order.
//
// Receipt numbers of tills start again in every shop, on every till, often every
// day. So the number alone is tried first, then with shop, till and day added one
// by one, until all rows with one id agree in the rest.
func (p *proposer) settleID() error {
	p.grouped = p.has(roleID) && p.has(roleLinePrice) && (p.has(roleLineID) || p.has(roleLineQuantity)) && !p.has(roleValue)
	if !p.has(roleID) {
		return nil
	}
	parts := []role{roleID}
	for _, r := range []role{roleShop, roleTill, roleTime} {
		if r == roleTime && p.has(r) && (len(p.layout.formats) == 0 || p.layout.epoch) {
			continue // no day to be read
		}
		if p.has(r) {
			parts = append(parts, r)
		}
	}
	columns := make([]string, len(parts))
	for i, r := range parts {
		columns[i] = p.name(r)
	}
	measures := make([]*Uniqueness, len(parts))
	for i := range measures {
		measures[i] = NewUniqueness()
	}
	each := func(values []string) {
		v := make([]string, len(values))
		for i, s := range values {
			v[i] = trimSpace(s)
			if parts[i] == roleTime {
				v[i] = dayOf(v[i])
			}
		}
		for i, u := range measures {
			u.Add(keyOf(v[:i+1]), strings.Join(v[i+1:], "\x00"))
		}
	}
	if err := p.scan(columns, each); err != nil {
		return err
	}
	for i, u := range measures {
		r := u.Report()
		bad := r.Crossed
		if !p.grouped {
			bad = r.Repeated
		}
		p.out.Uniqueness = r
		if bad > 0 && i+1 < len(parts) {
			continue
		}
		p.out.ID = columns[:i+1]
		if bad > 0 {
			p.out.ID = columns[:1]
			p.out.Uniqueness = measures[0].Report()
			p.warn(ProposeNotUnique, "the order number repeats, and neither shop nor till nor day tell such rows apart; if rows are lines of an order, map `lines`")
			return nil
		}
		if i > 0 {
			p.warn(ProposeReceiptRepeats, columns[0]+" repeats across "+strings.Join(columns[1:i+1], ", ")+"; the id takes all of them together")
		}
		return nil
	}
	return nil
}

// scan hands out rows of the whole input, or of the sample.
func (p *proposer) scan(columns []string, each func([]string)) error {
	if p.options.Scan != nil {
		return p.options.Scan(columns, each)
	}
	index := map[string]int{}
	for i, h := range p.header {
		index[h] = i
	}
	values := make([]string, len(columns))
	for _, row := range p.sample {
		for i, c := range columns {
			values[i] = row[index[c]]
		}
		each(values)
	}
	return nil
}

// keyOf joins the parts of a key, "" when the first is missing.
func keyOf(parts []string) string {
	if parts[0] == "" {
		return ""
	}
	return strings.Join(parts, "\x00")
}

// dayOf is the date part of a time as written.
func dayOf(s string) string {
	if isBareNumber(s) {
		s, _, _ = strings.Cut(strings.Replace(s, ",", ".", 1), ".")
		return s
	}
	if i := strings.IndexAny(s, "T "); i > 0 {
		return s[:i]
	}
	return s
}
