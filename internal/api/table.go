package api

import "slices"

// operations is the table: every operation once, in the order of the document.
func operations() []operation {
	return slices.Concat(administration(), outcomes(), plans(), gates(), approvals(), schedules(), people(), reports(), auditing(), hooks(), registered())
}
