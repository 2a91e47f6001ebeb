package capi

// usStateCodes maps the squashed names of the fifty states, the district and the
// inhabited territories to their ANSI codes (INCITS 38).
var usStateCodes = map[string]string{
	"alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca",
	"colorado": "co", "connecticut": "ct", "delaware": "de", "florida": "fl", "georgia": "ga",
	"hawaii": "hi", "hawaiʻi": "hi", "idaho": "id", "illinois": "il", "indiana": "in", "iowa": "ia",
	"kansas": "ks", "kentucky": "ky", "louisiana": "la", "maine": "me", "maryland": "md",
	"massachusetts": "ma", "michigan": "mi", "minnesota": "mn", "mississippi": "ms", "missouri": "mo",
	"montana": "mt", "nebraska": "ne", "nevada": "nv", "newhampshire": "nh", "newjersey": "nj",
	"newmexico": "nm", "newyork": "ny", "northcarolina": "nc", "northdakota": "nd", "ohio": "oh",
	"oklahoma": "ok", "oregon": "or", "pennsylvania": "pa", "rhodeisland": "ri", "southcarolina": "sc",
	"southdakota": "sd", "tennessee": "tn", "texas": "tx", "utah": "ut", "vermont": "vt",
	"virginia": "va", "washington": "wa", "westvirginia": "wv", "wisconsin": "wi", "wyoming": "wy",

	"districtofcolumbia": "dc", "washingtondc": "dc",
	"puertorico": "pr", "guam": "gu", "americansamoa": "as",
	"virginislands": "vi", "usvirginislands": "vi", "unitedstatesvirginislands": "vi",
	"northernmarianaislands": "mp", "commonwealthofthenorthernmarianaislands": "mp",
}

// usStates holds the codes themselves.
var usStates = func() map[string]bool {
	codes := make(map[string]bool, len(usStateCodes))
	for _, code := range usStateCodes {
		codes[code] = true
	}
	return codes
}()
