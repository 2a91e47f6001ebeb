package mapping

import (
	"slices"
	"strings"

	"sluice/internal/suggest"
)

// Words of status columns, lower-case.
var (
	paidWords = []string{"paid", "complete", "completed", "fulfilled", "shipped", "delivered", "settled", "captured", "success", "successful", "succeeded", "done", "closed",
		"bezahlt", "abgeschlossen", "versendet", "geliefert", "payé", "payée", "terminé", "terminée", "expédié", "livré", "pagado", "completado", "enviado", "pagato", "completato", "betaald", "voltooid", "pago"}
	cancelledWords = []string{"cancelled", "canceled", "void", "voided", "refunded", "returned", "storniert", "storno", "annulé", "annulée", "annule", "cancelado", "annullato", "geannuleerd"}
	unpaidWords    = []string{"pending", "open", "unpaid", "failed", "declined", "draft", "expired", "on hold", "on-hold", "offen", "ausstehend", "en attente", "pendiente", "in attesa", "openstaand", "pendente"}
)

// statuses are the distinct values of the status column, as they are written. What
// looks like a customer's data is left out, and so is the rest of many.
func (p *proposer) statuses() (values []string) {
	if !p.has(roleStatus) {
		return nil
	}
	const most = 20
	for _, row := range p.sample {
		s := trimSpace(row[p.roles[roleStatus]])
		if s != "" && !slices.Contains(values, s) && !suggest.LooksLikeData(s) && len(values) < most {
			values = append(values, s)
		}
	}
	return values
}

// statusesIn are those among words, ready for YAML.
func (p *proposer) statusesIn(words []string) (values []string) {
	for _, s := range p.statuses() {
		if slices.Contains(words, strings.ToLower(s)) {
			values = append(values, yamlText(s))
		}
	}
	return values
}

// unclearStatus are the values that do not clearly say that an order was paid.
func (p *proposer) unclearStatus() (values []string) {
	for _, s := range p.statuses() {
		if !slices.Contains(paidWords, strings.ToLower(s)) {
			values = append(values, yamlText(s))
		}
	}
	return values
}

// writeStatus proposes rules for orders that are off or not paid yet: leaving one
// out can be made good by a later run, sending one can't be taken back.
func (p *proposer) writeStatus(line func(string, ...any)) {
	var ruled []string
	for _, r := range []struct {
		words []string
		skip  string
	}{{cancelledWords, SkipCancellation}, {unpaidWords, "not_paid"}} {
		if values := p.statusesIn(r.words); len(values) > 0 {
			line("    - {column: %s, in: [%s], skip: %s}  # CHECK", yamlText(p.name(roleStatus)), strings.Join(values, ", "), r.skip)
			ruled = append(ruled, values...)
		}
	}
	rest := slices.DeleteFunc(p.unclearStatus(), func(s string) bool { return slices.Contains(ruled, s) })
	if len(rest) > 0 {
		line("    # CHECK: %s also holds %s; add a rule for those that are no sale.", yamlText(p.name(roleStatus)), strings.Join(rest, ", "))
	}
}

// cancellationPrefix is a letter that only ids of negative records start with,
// while the ids of others start in another way.
func (p *proposer) cancellationPrefix() string {
	if !p.has(roleID) {
		return ""
	}
	type tally struct{ negative, other int }
	prefixes := map[string]*tally{}
	others := 0
	for _, row := range p.sample {
		id := trimSpace(row[p.roles[roleID]])
		if id == "" {
			continue
		}
		negative := p.negative(row)
		if !negative {
			others++
		}
		t := prefixes[id[:1]]
		if t == nil {
			t = &tally{}
			prefixes[id[:1]] = t
		}
		if negative {
			t.negative++
		} else {
			t.other++
		}
	}
	found := ""
	for prefix, t := range prefixes {
		if others > 0 && t.negative > 0 && t.other == 0 && isCode(prefix) {
			// Two such letters are no pattern.
			if found != "" {
				return ""
			}
			found = prefix
		}
	}
	return found
}

// negative reports whether a row takes goods or money back.
func (p *proposer) negative(row []string) bool {
	for _, r := range []role{roleValue, roleLineQuantity, roleLinePrice} {
		if p.has(r) && strings.HasPrefix(stripCurrency(trimSpace(row[p.roles[r]])), "-") {
			return true
		}
	}
	return false
}

// linesOfPrice takes a column that is only called "price" for the price of a line
// where articles and quantities stand beside it.
func (p *proposer) linesOfPrice() {
	if !p.has(roleValue) || p.has(roleLinePrice) || !p.has(roleLineID) || !p.has(roleLineQuantity) {
		return
	}
	switch foldHeader(p.name(roleValue)) {
	case "price", "prix", "preis", "precio", "prezzo", "prijs", "preco":
		c := p.roles[roleValue]
		delete(p.roles, roleValue)
		p.roles[roleLinePrice] = c
		p.renameGuess(c, roleLinePrice)
	}
}
