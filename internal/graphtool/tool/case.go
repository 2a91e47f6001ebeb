package tool

// Case is one conversation with the sandbox: what is called, what Meta is asked, and
// what comes back. Each runs on a sandbox of its own, with its documented world, through
// a real MCP client.
type Case struct {
	Name string
	// Before are calls that set the scene; Save takes a member of an answer's data for
	// later ${name}: "campaign=id"; several are separated by blanks.
	Before []Prior
	// Args is the JSON of the arguments; ${name} is replaced by what was saved, and
	// ${now+3600} by Unix seconds of the sandbox's clock, ${today} and ${yesterday} by days.
	Args string
	// Asks are the requests expected, in order, without appsecret_proof and version:
	// "POST /act_3000000000000001/campaigns name=Summer status=PAUSED". A request may
	// hold more parameters than are named; there may be no other request. Nil: not
	// looked at. An empty list: no request at all. GETs of access_token fields (the Page
	// token) are left out.
	Asks []string
	// Has are parts of the structured answer: "data.name=Summer", "data.0.id",
	// "has_more=true", "notices". With = the text must be equal, without it the member
	// must be there.
	Has []string
	// Shows are texts that the markdown holds.
	Shows []string
	// Error is the code of the fault that is expected; empty: a good call.
	Error string
	// Says are texts that the error holds.
	Says []string
	// Faults is JSON for the sandbox's fault plan, before the call.
	Faults string
	// Token is another token to call with: "none", or one of the sandbox's.
	Token string
	// Settings changes what was configured.
	Settings func(*Settings)
}

// Prior is a call before the one that is looked at.
type Prior struct {
	Tool string
	Args string
	Save string
}
