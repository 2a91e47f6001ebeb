package policy

import "regexp"

// operator is one kind of comparison. Each stands in a file of its own, with its row of
// the table of what it says of an absent argument, of null and of a value of another
// type.
type operator struct {
	name    string
	operand string // what it is compared with, for people
	means   string // when it is true
	// example is an operand, for the reference.
	example string
	// check says what is wrong with an operand; empty: nothing.
	check func(*node) string
	judge func(*operand, value) Truth
}

// operators in the order of the reference.
var operators = []*operator{&opEq, &opNeq, &opIn, &opNotIn, &opLt, &opLte, &opGt, &opGte, &opRegex, &opContains, &opExists}

func operatorOf(name string) *operator {
	for _, o := range operators {
		if o.name == name {
			return o
		}
	}
	return nil
}

// operand is what a condition compares with, ready for comparing.
type operand struct {
	kind kind
	text string // of a string what it stands for, of a boolean how it is written
	num  decimal[string]
	// double is what readers of doubles take num for.
	double float64
	// bytes is the text again, for searching without a copy.
	bytes []byte
	node  *node
	list  []operand // of an array
	// texts are the strings of a long list.
	texts map[string]struct{}
	re    *regexp.Regexp
	steps int // what looking for it costs for each byte
}

// shortList is how long a list may be to be compared one by one.
const shortList = 8

func newOperand(n *node) operand {
	o := operand{kind: n.kind, text: n.text, node: n}
	switch n.kind {
	case kindString:
		o.bytes = []byte(n.text)
	case kindNumber:
		o.num, _ = parseDecimal(n.text) // the operators' check refuses what can't be
		o.double = double(n.text)
	case kindArray:
		for i := range n.members {
			o.list = append(o.list, newOperand(&n.members[i]))
		}
		if len(o.list) > shortList {
			o.texts = map[string]struct{}{}
			for i := range o.list {
				if o.list[i].kind == kindString {
					o.texts[o.list[i].text] = struct{}{}
				}
			}
		}
	}
	return o
}

// ordered reports whether the operator compares sizes.
func (o *operator) ordered() bool {
	return o == &opLt || o == &opLte || o == &opGt || o == &opGte
}

// anyOperand accepts every value whose numbers can be compared.
func anyOperand(n *node) string {
	if n.kind == kindNumber {
		if _, ok := parseDecimal(n.text); !ok {
			return "the exponent of a number is too large to be compared"
		}
	}
	for i := range n.members {
		if p := anyOperand(&n.members[i]); p != "" {
			return p
		}
	}
	return ""
}

func listOperand(n *node) string {
	if n.kind != kindArray {
		return "an array of values is needed, not " + n.kind.String()
	}
	return anyOperand(n)
}

func numberOperand(n *node) string {
	if n.kind != kindNumber {
		return "a number is needed, not " + n.kind.String()
	}
	return anyOperand(n)
}
