package mapping

import (
	"cmp"
	"slices"
	"strings"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// Proposal is a first mapping for an input, made from its header and some of its
// rows. A person has to read it: what it could not know is marked CHECK.
type Proposal struct {
	YAML    []byte
	Guesses []Guess
	// ID are the columns that together tell orders apart, none when nothing does.
	ID []string
	// Uniqueness of ID: how it was measured, and what came out.
	Uniqueness UniquenessReport
	Warnings   []ProposalWarning
}

// Guess is one column and what it is taken for.
type Guess struct {
	Column string `json:"column"`
	Target string `json:"target"` // user.em, value, id …
	Why    string `json:"why"`    // by its name, by its content
}

// ProposalWarning is something that a person should look at first.
type ProposalWarning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Codes of a ProposalWarning.
const (
	ProposeReceiptRepeats  = "receipt_repeats"   // one receipt number, several shops, tills or days
	ProposeNotUnique       = "id_not_unique"     // no combination tells orders apart
	ProposeNoID            = "no_id"             // no column looks like an order number
	ProposeNoTime          = "no_time"           // none looks like a time
	ProposeNoValue         = "no_value"          // none looks like an amount
	ProposeNoIdentifier    = "no_identifier"     // no customer data
	ProposeAmbiguousDates  = "ambiguous_dates"   // 01/02 may be January or February
	ProposeUnknownCountry  = "unknown_countries" // names that are no country
	ProposeUnknownCurrency = "unknown_currency"
	ProposeConsent         = "consent_unknown" // no column says who agreed
	ProposeZone            = "zone_unknown"
	ProposeStatus          = "status_values" // values of the status that may be no sale
)

// ProposeOptions are what the proposal needs to know beside the data.
type ProposeOptions struct {
	Namespace string // "" is made from the name of the first input
	// Inputs are the names of the input files, for the namespace; may be empty.
	Inputs []string
	Source SourceSettings
	// Scan runs over all rows of the input and hands out the values of the named
	// columns; nil measures the sample only.
	Scan func(columns []string, each func(values []string)) error
}

// proposer gathers what is known while a proposal is made.
type proposer struct {
	header  []string
	sample  [][]string
	options ProposeOptions
	roles   map[role]int // column of each role
	out     *Proposal

	consentLike []int // columns whose names speak of consent
	grouped     bool
	layout      *timeGuess
	amounts     map[role]amountGuess
}

// Propose makes a mapping for an input with this header and these rows (in the
// order of the header). The error is that of the scan, a Usage fault when the
// namespace can't be one, or a SourceInvalid fault when the header holds values.
func Propose(header []string, sample [][]string, options ProposeOptions) (*Proposal, error) {
	if n := options.Namespace; n != "" && !namespacePattern.MatchString(n) {
		return nil, fault.New(fault.Usage, "namespace %q has other characters than letters, digits and `. _ / -`", clip(n)).
			WithFix("name the shop and the kind of record, for example shop-uk/orders, in at most 100 characters")
	}
	if suggest.LooksLikeRow(header) {
		// A proposal is shared and committed; customers must not become its columns.
		return nil, fault.New(fault.SourceInvalid, "the names of the columns look like values (%d columns)", len(header)).
			WithFix("export the data with a line of column names on top")
	}
	p := &proposer{header: header, sample: sample, options: options, roles: map[role]int{}, out: &Proposal{}, amounts: map[role]amountGuess{}}
	p.byName()
	p.findConsent()
	p.byContent()
	p.linesOfPrice()
	p.settleTime()
	p.settleAmounts()
	if err := p.settleID(); err != nil {
		return nil, err
	}
	p.complain()
	p.out.YAML = p.document()
	return p.out, nil
}

// byName gives every column at most one role and every role at most one column,
// best names first.
func (p *proposer) byName() {
	type match struct {
		column, rank int
		role         role
	}
	var matches []match
	for c, h := range p.header {
		for _, n := range headerNames {
			if r := headerRank(h, n.words); r >= 0 && p.fits(c, n.role) {
				matches = append(matches, match{c, r, n.role})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(a.rank, b.rank) })
	taken := map[int]bool{}
	for _, m := range matches {
		if _, given := p.roles[m.role]; given || taken[m.column] {
			continue
		}
		p.give(m.role, m.column, "by its name")
		taken[m.column] = true
	}
}

func (p *proposer) give(r role, column int, why string) {
	p.roles[r] = column
	p.out.Guesses = append(p.out.Guesses, Guess{Column: p.header[column], Target: string(r), Why: why})
}

// fits asks the content whether a column can have the role its name suggests. An
// empty sample fits everything.
func (p *proposer) fits(column int, r role) bool {
	switch r {
	case "user.em":
		return p.share(column, looksLikeEmail) >= 0.5
	case roleValue, roleLinePrice, roleLineQuantity:
		return p.share(column, func(s string) bool { _, ok := amountOf(s); return ok }) >= 0.8
	case roleTime, roleDate:
		return p.share(column, looksLikeTime) >= 0.8
	case roleClock:
		return p.share(column, looksLikeClock) >= 0.8
	case roleURL:
		return p.share(column, func(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }) >= 0.8
	case roleCurrency:
		return p.share(column, looksLikeCurrency) >= 0.8
	}
	return true
}

// share is the part of a column's values that pass a test, of those not empty.
func (p *proposer) share(column int, test func(string) bool) float64 {
	n, passed := 0, 0
	for _, row := range p.sample {
		if s := trimSpace(row[column]); s != "" {
			n++
			if test(s) {
				passed++
			}
		}
	}
	if n == 0 {
		return 1
	}
	return float64(passed) / float64(n)
}

// filled is the part of rows with a value.
func (p *proposer) filled(column int) float64 {
	if len(p.sample) == 0 {
		return 0
	}
	n := 0
	for _, row := range p.sample {
		if trimSpace(row[column]) != "" {
			n++
		}
	}
	return float64(n) / float64(len(p.sample))
}

// byContent finds what names did not: e-mail addresses, times and currencies have
// a shape that little else has.
func (p *proposer) byContent() {
	used := map[int]bool{}
	for _, c := range p.roles {
		used[c] = true
	}
	for _, c := range p.consentLike {
		used[c] = true // the day somebody agreed is not that of the sale
	}
	for _, t := range []struct {
		role    role
		instead role // a role that makes this one needless
		test    func(string) bool
	}{
		{"user.em", "", looksLikeEmail},
		{roleTime, roleDate, func(s string) bool { return !isBareNumber(s) && looksLikeTime(s) }},
		{roleCurrency, "", looksLikeCurrency},
	} {
		if _, given := p.roles[t.role]; given {
			continue
		}
		if _, given := p.roles[t.instead]; given && t.instead != "" {
			continue
		}
		for c := range p.header {
			if !used[c] && p.filled(c) > 0 && p.share(c, t.test) >= 0.95 {
				p.give(t.role, c, "by its content")
				used[c] = true
				break
			}
		}
	}
	// A date is the time when there is no better one; with a clock beside it, both are.
	if d, ok := p.roles[roleDate]; ok {
		if _, better := p.roles[roleTime]; !better {
			p.roles[roleTime] = d
			delete(p.roles, roleDate)
			p.renameGuess(d, roleTime)
		} else {
			delete(p.roles, roleDate)
			p.dropGuess(d)
		}
	}
}

func (p *proposer) renameGuess(column int, r role) {
	for i := range p.out.Guesses {
		if p.out.Guesses[i].Column == p.header[column] {
			p.out.Guesses[i].Target = string(r)
		}
	}
}

func (p *proposer) dropGuess(column int) {
	p.out.Guesses = slices.DeleteFunc(p.out.Guesses, func(g Guess) bool { return g.Column == p.header[column] })
}

func (p *proposer) warn(code, message string) {
	p.out.Warnings = append(p.out.Warnings, ProposalWarning{code, message})
}

// has reports whether a role has a column.
func (p *proposer) has(r role) bool { _, ok := p.roles[r]; return ok }

// name is the column of a role.
func (p *proposer) name(r role) string { return p.header[p.roles[r]] }

// complain lists what is missing.
func (p *proposer) complain() {
	if !p.has(roleID) {
		p.warn(ProposeNoID, "no column looks like an order or receipt number; without one, rows are told apart by their content")
	}
	if !p.has(roleTime) {
		p.warn(ProposeNoTime, "no column looks like the time of the sale")
	}
	if !p.has(roleValue) && !p.grouped {
		p.warn(ProposeNoValue, "no column looks like the amount of the sale")
	}
	if len(p.userRoles()) == 0 {
		p.warn(ProposeNoIdentifier, "no column looks like customer data (e-mail, phone, name, customer number); such events can't be matched")
	}
	switch {
	case p.has(roleConsent):
	case len(p.consentLike) > 0:
		p.warn(ProposeConsent, "consent may be in "+p.quoted(p.consentLike)+"; the proposal will not pass until that is decided")
	default:
		p.warn(ProposeConsent, "no column says who agreed to advertising; the proposal claims that all did")
	}
	if unclear := p.unclearStatus(); len(unclear) > 0 {
		p.warn(ProposeStatus, "values of "+p.name(roleStatus)+" that may be no sale: "+strings.Join(unclear, ", "))
	}
	if unknown := p.unknownCountries(); len(unknown) > 0 {
		p.warn(ProposeUnknownCountry, "values of "+p.name("user.country")+" that are no country: "+strings.Join(unknown, ", "))
	}
}

// unknownCountries lists values of the country column that capi does not know.
func (p *proposer) unknownCountries() (unknown []string) {
	if !p.has("user.country") {
		return nil
	}
	const most = 20
	c := p.roles["user.country"]
	for _, row := range p.sample {
		s := trimSpace(row[c])
		if s == "" || slices.Contains(unknown, s) || len(unknown) == most || suggest.LooksLikeData(s) {
			continue
		}
		if _, err := capi.Normalize(capi.FieldCountry, s, "", capi.NormalizeOptions{}); err != nil {
			unknown = append(unknown, s)
		}
	}
	return unknown
}

// userRoles lists the customer keys that have a column, in the order of headerNames.
func (p *proposer) userRoles() (roles []role) {
	for _, n := range headerNames {
		if strings.HasPrefix(string(n.role), "user.") && p.has(n.role) {
			roles = append(roles, n.role)
		}
	}
	return roles
}
