package sandbox

import "strings"

// currencies are the active alphabetic codes of ISO 4217, without the codes for
// metals, funds and testing, which no order is paid in.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG " +
	"QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD " +
	"TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// currencySet holds the codes in upper case.
var currencySet = func() map[[3]byte]bool {
	set := map[[3]byte]bool{}
	for _, code := range strings.Fields(currencies) {
		set[[3]byte([]byte(code))] = true
	}
	return set
}()

// isCurrency reports whether v is an ISO 4217 code in either case: the live API
// was seen to take lower case.
func isCurrency(v []byte) bool {
	if len(v) != 3 {
		return false
	}
	var code [3]byte
	for i, c := range v {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		code[i] = c
	}
	return currencySet[code]
}
