package world

// What targeting can name in the sandbox: a small catalogue of our own making. Ids of
// interests begin with 60000000001, those of places with 26. Sizes are plausible only.

// option is one thing that targeting can name.
type option struct {
	id, name, kind string // kind is the list of flexible_spec that it belongs to
	path           []string
	size           int64
}

var targetingOptions = []option{
	{"6000000000101", "Coffee", "interests", []string{"Interests", "Food and drink", "Coffee"}, 620_000_000},
	{"6000000000102", "Cooking", "interests", []string{"Interests", "Food and drink", "Cooking"}, 810_000_000},
	{"6000000000103", "Tea", "interests", []string{"Interests", "Food and drink", "Tea"}, 380_000_000},
	{"6000000000104", "Pottery", "interests", []string{"Interests", "Hobbies", "Pottery"}, 42_000_000},
	{"6000000000105", "Running", "interests", []string{"Interests", "Sport", "Running"}, 290_000_000},
	{"6000000000106", "Cycling", "interests", []string{"Interests", "Sport", "Cycling"}, 240_000_000},
	{"6000000000107", "Books", "interests", []string{"Interests", "Entertainment", "Books"}, 540_000_000},
	{"6000000000201", "Engaged shoppers", "behaviors", []string{"Behaviours", "Purchases", "Engaged shoppers"}, 510_000_000},
	{"6000000000202", "Frequent travellers", "behaviors", []string{"Behaviours", "Travel", "Frequent travellers"}, 330_000_000},
	{"6000000000203", "Owns a small business", "behaviors", []string{"Behaviours", "Digital activity", "Owns a small business"}, 120_000_000},
	{"6000000000301", "Newly engaged (3 months)", "life_events", []string{"Demographics", "Life events", "Newly engaged (3 months)"}, 8_100_000},
	{"6000000000302", "Recently moved", "life_events", []string{"Demographics", "Life events", "Recently moved"}, 21_000_000},
	{"6000000000303", "Parents of toddlers", "family_statuses", []string{"Demographics", "Parents", "Parents of toddlers"}, 64_000_000},
	{"6000000000304", "Food and restaurants", "industries", []string{"Demographics", "Work", "Industries", "Food and restaurants"}, 96_000_000},
	{"6000000000305", "Household income: top 10 %", "income", []string{"Demographics", "Financial", "Income", "Household income: top 10 %"}, 18_000_000},
	{"6000000000401", "Barista", "work_positions", []string{"Demographics", "Work", "Job titles", "Barista"}, 1_900_000},
	{"6000000000402", "Potter", "work_positions", []string{"Demographics", "Work", "Job titles", "Potter"}, 210_000},
	{"6000000000403", "Example Coffee Company", "work_employers", []string{"Demographics", "Work", "Employers", "Example Coffee Company"}, 54_000},
	{"6000000000404", "Example University", "education_schools", []string{"Demographics", "Education", "Schools", "Example University"}, 130_000},
	{"6000000000405", "Ceramics", "education_majors", []string{"Demographics", "Education", "Fields of study", "Ceramics"}, 88_000},
}

// searchKinds is which options a type of /search finds.
var searchKinds = map[string]string{
	"adinterest": "interests", "adinterestsuggestion": "interests", "adinterestvalid": "interests",
	"adworkposition": "work_positions", "adworkemployer": "work_employers",
	"adeducationschool": "education_schools", "adeducationmajor": "education_majors",
}

// place is one place that ads can be aimed at.
type place struct {
	key, name, kind, country, region string
	people                           int64
}

var places = []place{
	{"2600001", "London", "city", "GB", "England", 7_200_000},
	{"2600002", "Manchester", "city", "GB", "England", 1_100_000},
	{"2600003", "Paris", "city", "FR", "Île-de-France", 6_300_000},
	{"2600004", "Berlin", "city", "DE", "Berlin", 2_600_000},
	{"2600005", "Munich", "city", "DE", "Bavaria", 1_200_000},
	{"2600006", "New York", "city", "US", "New York", 6_800_000},
	{"2600101", "England", "region", "GB", "", 42_000_000},
	{"2600102", "Bavaria", "region", "DE", "", 9_100_000},
	{"2600103", "Île-de-France", "region", "FR", "", 8_900_000},
	{"GB:EC1A", "EC1A", "zip", "GB", "England", 21_000},
	{"US:94304", "94304", "zip", "US", "California", 4_100},
	{"DMA:501", "New York", "geo_market", "US", "", 14_000_000},
	{"US:12", "12th congressional district", "electoral_district", "US", "California", 610_000},
	{"GB", "United Kingdom", "country", "GB", "", 50_000_000},
	{"IE", "Ireland", "country", "IE", "", 3_600_000},
	{"DE", "Germany", "country", "DE", "", 52_000_000},
	{"FR", "France", "country", "FR", "", 45_000_000},
	{"US", "United States", "country", "US", "", 245_000_000},
}

var locales = []struct {
	key  int
	name string
}{{6, "English (US)"}, {24, "English (UK)"}, {1001, "English (All)"}, {5, "German"}, {9, "French (France)"}, {23, "Spanish (All)"}}
