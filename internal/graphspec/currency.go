package graphspec

import (
	"strconv"
	"strings"
)

// currencies are the active alphabetic codes of ISO 4217, without those for metals,
// funds and testing.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG " +
	"QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD " +
	"TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// whole are the currencies whose budgets Meta counts in whole units. It isn't ISO's
// list: COP, CRC, HUF, IDR, ISK and TWD have minor units there.
const whole = " CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND "

// IsCurrency reports whether code is an ISO 4217 code in upper case.
func IsCurrency(code string) bool {
	return len(code) == 3 && strings.Contains(currencies, " "+code+" ")
}

// MinorUnits is how many of Meta's smallest units make one of the currency: 1 or 100.
func MinorUnits(code string) int64 {
	if strings.Contains(whole, " "+strings.ToUpper(code)+" ") {
		return 1
	}
	return 100
}

// FormatMinor writes an amount in Meta's smallest unit as people do: 12345 GBP is
// "123.45 GBP", 500 JPY is "500 JPY".
func FormatMinor(amount int64, code string) string {
	code = strings.ToUpper(code)
	if MinorUnits(code) == 1 {
		return strconv.FormatInt(amount, 10) + " " + code
	}
	digits := strconv.FormatInt(amount, 10)
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	cut := len(digits) - 2
	return sign + digits[:cut] + "." + digits[cut:] + " " + code
}
