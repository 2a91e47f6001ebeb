package graphspec

// Class says what a failed call means for whoever made it.
type Class string

// The classes.
const (
	ClassAuth       Class = "auth"       // a new token is needed
	ClassPermission Class = "permission" // a permission, or access to the object, is missing
	ClassAppRate    Class = "app_rate"   // wait
	ClassUserRate   Class = "user_rate"  // wait
	ClassAssetRate  Class = "asset_rate" // wait
	ClassTransient  Class = "transient"  // try again soon
	ClassNotReady   Class = "not_ready"  // ask again later
	ClassTooBig     Class = "too_big"    // ask for less, or asynchronously
	ClassInput      Class = "input"      // never try the same again
	ClassGone       Class = "gone"       // an endpoint or metric that was removed
	ClassVersion    Class = "version"    // raise the version
	ClassPolicy     Class = "policy"     // stop and tell a person
	ClassWindow     Class = "window"     // a rule about messages
	ClassDuplicate  Class = "duplicate"  // likely done already
)

// ErrorRow is one failure of the Graph API: what the client concludes from it, and what
// the sandbox answers with.
type ErrorRow struct {
	Name      string // stable, ours
	HTTP      int
	Code      int
	Subcode   int // 0: any that has no row of its own
	Type      string
	Message   string // as Meta words it; {placeholders} are filled in
	Title     string
	UserMsg   string
	Transient bool
	Class     Class
	// Advice is what to do, for the caller of a tool.
	Advice   string
	Evidence Evidence
}

// ErrorNamed finds a row of the catalogue. It panics when there is none: names are ours.
func ErrorNamed(name string) *ErrorRow {
	for i := range ErrorRows {
		if ErrorRows[i].Name == name {
			return &ErrorRows[i]
		}
	}
	panic("graphspec: no error " + name)
}
