package capi

// phonePlans holds the numbering plans by countryCode.index. A plan without a
// calling code is absent.
var phonePlans = func() (plans [26 * 26]phonePlan) {
	for _, row := range phonePlanRows {
		plans[packCountry(row.alpha2).index()] = row.plan
	}
	return plans
}()

// callingCountries maps a calling code to the country whose plan stands for it.
var callingCountries = func() (main [1000]countryCode) {
	for code, alpha2 := range mainCountries {
		main[code] = packCountry(alpha2)
	}
	return main
}()
